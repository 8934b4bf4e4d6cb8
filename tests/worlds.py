"""Scripted worlds to test against: the talk's service steady, deploying, crash looping, and so on.

Each builder gives a new `ScriptedWorld` at `NOW` whose writes behave: an update or a forced
redeploy starts a deployment beside the old one, a stop asks for the roll back, and `settle` brings
what is under way to its end. `tests/values.py` holds the single values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

from bgconsole.domain.errors import NotThere, Rejected
from bgconsole.domain.identity import Identity, Place
from bgconsole.domain.images import ImageReference
from bgconsole.domain.logs import LogLine, to_milliseconds
from bgconsole.domain.secrets import SecretChange
from bgconsole.domain.services import (
    Container,
    Deployment,
    LoadBalancing,
    Service,
    ServiceDeployment,
    ServiceEvent,
    Task,
)
from bgconsole.domain.targets import Balancing, Target
from bgconsole.gateway.port import Submitted
from bgconsole.gateway.scripted import Call, ScriptedWorld
from tests import values
from tests.values import (
    ACCOUNT,
    BAD,
    CONTAINER,
    GROUP_ARN,
    LOG_GROUP,
    MEOW,
    NOW,
    POSTS,
    REF,
    REGION,
    REGISTRY,
    REPOSITORY,
    SERVICE,
    SERVICE_ARN,
    URL,
    Rollout,
)


def steady(tasks: int = 4) -> ScriptedWorld:
    """Revision 2 serves alone; revision 1 served before it."""
    return _world(
        live=_tasks(MEOW, tasks),
        deployments=(values.deployment(MEOW, tasks=tasks, running=tasks),),
        history=_successes(tasks),
        events=((1320, "has reached a steady state."),),
    )


def deploying(tasks: int = 4, healthy: int = 2) -> ScriptedWorld:
    """Revision 2 comes up beside revision 1, which still runs whole.

    `healthy` new tasks pass their checks, one more is not yet checked, the rest are pending.
    """
    new = replace(MEOW, at=NOW - timedelta(minutes=2))
    running = min(tasks, healthy + 1)
    fresh = [
        (values.task(new, i, status="RUNNING" if i < running else "PENDING"), "healthy")
        for i in range(tasks)
    ]
    fresh = [(t, "healthy" if i < healthy else "initial") for i, (t, _) in enumerate(fresh)]
    return _world(
        live=[*_tasks(POSTS, tasks), *fresh],
        deployments=(
            values.deployment(new, tasks=tasks, running=running)
            if running < tasks
            else replace(
                values.deployment(new, tasks=tasks, running=running), rollout_state="IN_PROGRESS"
            ),
            values.deployment(POSTS, tasks=tasks, running=tasks, primary=False),
        ),
        history=(
            values.service_deployment(
                new, POSTS, status="IN_PROGRESS", tasks=tasks, running=running
            ),
            values.service_deployment(POSTS, tasks=tasks),
        ),
        events=(
            (30, f"registered {running} targets in (target-group {GROUP_ARN})"),
            (100, f"has started {tasks} tasks: {_named(t for t, _ in fresh)}."),
        ),
    )


def crash_looping(tasks: int = 4, failed: int = 2) -> ScriptedWorld:
    """Revision 3 never starts well; `failed` of the breaker's 3 tasks have exited with 1."""
    return _world(
        live=_tasks(MEOW, tasks),
        stopped=[values.crashed(BAD, i, minutes=1 + i) for i in range(failed)],
        deployments=(
            values.deployment(BAD, tasks=tasks, running=0, failed=failed),
            values.deployment(MEOW, tasks=tasks, running=tasks, primary=False),
        ),
        history=(
            values.service_deployment(
                BAD, MEOW, status="IN_PROGRESS", tasks=tasks, running=0, failed=failed
            ),
            *_successes(tasks),
        ),
        events=((40, f"has started {tasks} tasks: {_named([values.crashed(BAD, 0)])}."),),
    )


def rolled_back(tasks: int = 4) -> ScriptedWorld:
    """The circuit breaker took revision 3 back three minutes ago; revision 2 serves."""
    return _world(
        live=_tasks(MEOW, tasks),
        stopped=[values.crashed(BAD, i, minutes=4 + i / 2) for i in range(3)],
        deployments=(values.deployment(MEOW, tasks=tasks, running=tasks),),
        history=(
            values.service_deployment(
                BAD, MEOW, status="ROLLBACK_SUCCESSFUL", tasks=tasks, running=0, failed=3
            ),
            *_successes(tasks),
        ),
        events=(
            (180, "has reached a steady state."),
            (240, f"rolling back to deployment ecs-svc/{MEOW.number}."),
            (
                240,
                f"(deployment ecs-svc/{BAD.number}) deployment failed: tasks failed to start.",
            ),
        ),
    )


def no_load_balancer(tasks: int = 2) -> ScriptedWorld:
    """A worker: revision 2 runs, and nothing is balanced to it."""
    world = steady(tasks)
    world.services[REF] = replace(world.services[REF], load_balancing=())
    world.revisions = {a: replace(r, target_groups=()) for a, r in world.revisions.items()}
    del world.balancing[REF]
    return world


BUILDERS: dict[str, Callable[[], ScriptedWorld]] = {
    "steady": steady,
    "deploying": deploying,
    "crash_looping": crash_looping,
    "rolled_back": rolled_back,
    "no_load_balancer": no_load_balancer,
}
"""Every world by name, for tests over all of them."""


def settle(world: ScriptedWorld, *, well: bool = True) -> None:
    """End the deployment that is under way, at the world's time.

    Well: its tasks are the only ones left, all healthy. Not well, or where a roll back was asked
    for: the first source's are.
    """
    with world.lock:
        newest, *older = world.history[REF]
        well = well and newest.status in ("PENDING", "IN_PROGRESS")
        arn = newest.target.arn if well or not newest.sources else newest.sources[0].arn
        desired = world.services[REF].desired
        ended = replace(
            newest,
            status="SUCCESSFUL" if well else "ROLLBACK_SUCCESSFUL",
            lifecycle_stage="",
            finished_at=world.now,
            updated_at=world.now,
            target=replace(newest.target, running=desired if well else 0, pending=0),
            rollback_revision="" if well else arn,
            rollback_started_at=None if well else newest.rollback_started_at or world.now,
        )
        world.history[REF] = (ended, *older)
        rollout = _rollout(world, arn)
        tasks = _tasks(rollout, desired)
        stopped = [t for t in world.tasks[REF] if t.stopped]
        world.tasks[REF] = (*(t for t, _ in tasks), *stopped)
        if REF in world.balancing:
            world.balancing[REF] = _balancing(tasks)
        world.services[REF] = replace(
            world.services[REF],
            task_definition=rollout.definition_arn,
            deployments=(values.deployment(rollout, tasks=desired, running=desired),),
            running=desired,
            pending=0,
            current_revisions=(rollout.revision_arn,),
        )


def log_lines(world: ScriptedWorld, count: int = 40) -> list[LogLine]:
    """Rails-like lines of the world's running tasks, the last one at the world's time."""
    running = [t for t in world.tasks[REF] if t.last_status == "RUNNING"]
    end = to_milliseconds(world.now)
    return [
        LogLine(
            timestamp=end - 250 * (count - 1 - i),
            ingestion=end - 250 * (count - 1 - i) + 900,
            event_id=f"{i:056d}",
            group=LOG_GROUP,
            stream=f"ecs/{CONTAINER}/{running[i % len(running)].id}",
            message=f"I, [req-{i:04d}] Completed 200 OK in {3 + i % 5}ms (ActiveRecord: 1.1ms)",
        )
        for i in range(count)
    ]


Living = list[tuple[Task, str]]
"""Tasks with the state of their target."""


def _world(
    *,
    live: Living,
    deployments: tuple[Deployment, ...],
    history: tuple[ServiceDeployment, ...],
    events: Iterable[tuple[float, str]] = (),
    stopped: Iterable[Task] = (),
) -> ScriptedWorld:
    """The whole account around one state of the service; events are (seconds ago, words)."""
    rollouts = (
        (POSTS, MEOW, BAD)
        if any(d.target.arn == BAD.revision_arn for d in history)
        else (
            POSTS,
            MEOW,
        )
    )
    world = ScriptedWorld(
        place=Place(region=REGION, profile="demo"),
        identity=Identity(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/ops", alias="demo"),
        now=NOW,
        services={REF: _service(deployments, events, history)},
        history={REF: history},
        revisions={r.revision_arn: values.revision(r) for r in rollouts},
        tasks={REF: (*(t for t, _ in live), *stopped)},
        definitions={r.definition_arn: values.definition(r) for r in rollouts},
        documents={r.definition_arn: values.document(r) for r in rollouts},
        balancing={REF: _balancing(live)},
        stacks={s.name: s for s in _STACKS},
        images={REPOSITORY: tuple(values.image(r) for r in rollouts)},
        secrets={
            values.SECRET_ARN: SecretChange(values.SECRET_ARN, "rails", NOW - timedelta(days=30))
        },
        effects={
            "changes.update": _update,
            "changes.stop_deployment": _stop,
            "changes.run_task": _run_task,
            "changes.answer_hook": _answer,
            "changes.scale": _scale,
            "changes.stop_task": _stop_task,
        },
    )
    world.logs[LOG_GROUP] = log_lines(world)
    return world


_STACKS = (
    values.stack(
        "demorepo",
        "CREATE_COMPLETE",
        timedelta(days=9),
        RepositoryUri=f"{REGISTRY}/{REPOSITORY}",
    ),
    values.stack("demodb", "CREATE_COMPLETE", timedelta(days=9)),
    values.stack(
        "democluster",
        "UPDATE_COMPLETE",
        timedelta(days=2, hours=3),
        LoadBalancerUrl=URL,
        LogGroup=LOG_GROUP,
    ),
)


def _service(
    deployments: tuple[Deployment, ...],
    events: Iterable[tuple[float, str]],
    history: tuple[ServiceDeployment, ...],
) -> Service:
    return Service(
        ref=REF,
        arn=SERVICE_ARN,
        status="ACTIVE",
        task_definition=deployments[0].task_definition,
        desired=deployments[0].desired,
        running=sum(d.running for d in deployments),
        pending=sum(d.pending for d in deployments),
        deployments=deployments,
        events=tuple(
            ServiceEvent(
                f"00000000-0000-4000-8000-{i:012d}",
                NOW - timedelta(seconds=ago),
                f"(service {SERVICE}) {words}",
            )
            for i, (ago, words) in enumerate(events)
        ),
        load_balancing=(LoadBalancing(GROUP_ARN, CONTAINER, 3000),),
        launch_type="FARGATE",
        created_at=POSTS.at,
        stack="democluster",
        current_deployment=history[0].arn,
        current_revisions=tuple(
            values.service_arn("service-revision", d.number) for d in deployments
        ),
    )


def _tasks(rollout: Rollout, count: int) -> Living:
    return [(values.task(rollout, i), "healthy") for i in range(count)]


def _successes(tasks: int) -> tuple[ServiceDeployment, ...]:
    return (
        values.service_deployment(MEOW, POSTS, tasks=tasks),
        values.service_deployment(POSTS, tasks=tasks),
    )


def _balancing(live: Living) -> Balancing:
    targets: tuple[Target, ...] = tuple(values.target(t, s) for t, s in live if t.address)
    return Balancing(groups=(values.target_group(*targets),), url=URL)


def _named(tasks: Iterable[Task]) -> str:
    return " ".join(f"(task {task.id})" for task in tasks)


def _rollout(world: ScriptedWorld, revision_arn: str) -> Rollout:
    """Read a rollout back from its service revision."""
    revision = world.revisions[revision_arn]
    (image,) = revision.images
    return Rollout(
        revision=int(revision.task_definition.rpartition(":")[2]),
        at=revision.created_at,
        number=revision.number,
        tag=ImageReference.parse(image.image).tag,
        digest=image.digest,
    )


def _update(world: ScriptedWorld, call: Call) -> Submitted:
    """UpdateService: a new deployment, with no task yet, beside those that run."""
    service = world.services.get(REF)
    if service is None or call.arguments["ref"] != REF:
        raise NotThere("No such service", str(call.arguments["ref"]))
    named = str(call.arguments["task_definition"]) or service.task_definition
    found = next((d for d in world.definitions.values() if named in (d.arn, d.name)), None)
    if found is None:
        raise Rejected("AWS refuses", "Unable to describe task definition.", code="ClientException")
    reference = ImageReference.parse(found.containers[0].image)
    digest = reference.digest or next(
        (i.digest for i in world.images[REPOSITORY] if reference.tag in i.tags), ""
    )
    rollout = Rollout(
        revision=found.revision,
        at=world.now,
        number=f"9{len(world.writes):018d}",
        tag=reference.tag,
        digest=digest,
    )
    running = next(r for r in world.revisions.values() if r.number == service.deployments[0].number)
    old = tuple(replace(d, status="ACTIVE") for d in service.deployments)
    made = values.revision(rollout)
    image = replace(made.images[0], image=found.containers[0].image)
    world.revisions[made.arn] = replace(made, images=(image,))
    world.services[REF] = replace(
        service,
        task_definition=found.arn,
        deployments=(
            replace(
                values.deployment(rollout, tasks=service.desired, running=0), desired=0, pending=0
            ),
            *old,
        ),
        current_deployment=rollout.deployment_arn,
        current_revisions=(rollout.revision_arn, *service.current_revisions),
    )
    world.history[REF] = (
        values.service_deployment(
            rollout,
            _rollout(world, running.arn),
            status="IN_PROGRESS",
            tasks=service.desired,
            running=0,
        ),
        *world.history[REF],
    )
    return Submitted(_request_id(world), deployment=f"ecs-svc/{rollout.number}")


Change = Callable[[ScriptedWorld], None]


def run_ends(
    code: int | None = 0, *lines: str, stop: str = "EssentialContainerExited", reason: str = ""
) -> Callable[[ScriptedWorld], None]:
    """A change that ends the newest task of no service, with its last lines in the log."""

    def change(world: ScriptedWorld) -> None:
        task, *older = world.runs
        if task.stopped:
            return
        run_prints(*lines)(world)
        container = replace(task.containers[0], status="STOPPED", exit_code=code)
        world.runs = (
            replace(
                task,
                last_status="STOPPED",
                desired_status="STOPPED",
                containers=(container,),
                stopped_at=world.now,
                stop_code=stop,
                stopped_reason=reason or "Essential container in task exited",
            ),
            *older,
        )

    return change


def run_prints(*lines: str) -> Callable[[ScriptedWorld], None]:
    """A change that lets the newest task of no service run and write to its log."""

    def change(world: ScriptedWorld) -> None:
        task, *older = world.runs
        world.runs = (replace(task, last_status="RUNNING", started_at=world.now), *older)
        at = to_milliseconds(world.now)
        kept = world.logs.setdefault(LOG_GROUP, [])
        stream = f"ecs/{task.containers[0].name}/{task.id}"
        kept += [
            LogLine(at, at, f"run-{len(kept) + n}", LOG_GROUP, stream, line)
            for n, line in enumerate(lines)
        ]

    return change


def _run_task(world: ScriptedWorld, call: Call) -> Submitted:
    """RunTask: one task that is not up yet; the same token starts nothing twice."""
    given = call.arguments
    named = str(given["task_definition"])
    found = next((d for d in world.definitions.values() if named in (d.arn, d.name)), None)
    if found is None:
        raise Rejected("AWS refuses", "Unable to find task definition.", code="ClientException")
    task_id = sha256(str(given["token"]).encode()).hexdigest()[:32]
    arn = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/{REF.cluster}/{task_id}"
    if arn not in {task.arn for task in world.runs}:
        container = str(given["container"])
        command = given["command"]
        assert isinstance(command, tuple)
        image = next(c.image for c in found.containers if c.name == container)
        task = Task(
            arn=arn,
            task_definition=found.arn,
            started_by=str(given["started_by"]),
            last_status="PROVISIONING",
            desired_status="RUNNING",
            health="UNKNOWN",
            zone="us-east-1a",
            address="",
            containers=(Container(container, image, "", "PENDING"),),
            created_at=world.now,
            group=f"family:{found.family}",
            commands=((container, command),),
        )
        world.runs = (task, *world.runs)
    return Submitted(_request_id(world), created=arn)


def _stop(world: ScriptedWorld, call: Call) -> Submitted:
    """StopServiceDeployment: the roll back is asked for; `settle` ends it."""
    newest, *older = world.history[REF]
    if newest.arn != call.arguments["service_deployment"] or not newest.ongoing:
        raise Rejected(
            "AWS refuses", "The service deployment is not in progress.", code="ConflictException"
        )
    asked = replace(newest, status="ROLLBACK_REQUESTED", rollback_started_at=world.now)
    world.history[REF] = (asked, *older)
    return Submitted(_request_id(world), deployment=newest.arn)


def _scale(world: ScriptedWorld, call: Call) -> Submitted:
    """UpdateService of the desired count: tasks come and go with `settle_count`."""
    service = world.services[REF]
    count = int(str(call.arguments["count"]))
    world.services[REF] = replace(service, desired=count)
    return Submitted(_request_id(world))


def _stop_task(world: ScriptedWorld, call: Call) -> Submitted:
    """StopTask: it is to stop; `settle_count` ends it and starts another."""
    if call.arguments["task"] not in {task.arn for task in world.tasks[REF]}:
        raise Rejected(
            "AWS refuses", "The referenced task was not found.", code="InvalidParameterException"
        )
    world.tasks[REF] = tuple(
        replace(t, desired_status="STOPPED") if t.arn == call.arguments["task"] else t
        for t in world.tasks[REF]
    )
    return Submitted(_request_id(world))


def settle_count(world: ScriptedWorld) -> None:
    """As many tasks run as are wanted; those that were to stop have stopped."""
    with world.lock:
        service = world.services[REF]
        ended = [
            replace(t, last_status="STOPPED")
            for t in world.tasks[REF]
            if t.desired_status == "STOPPED"
        ]
        primary = service.deployments[0]
        revision = next(r for r in world.revisions.values() if r.number == primary.number)
        gone = {task.arn for task in ended}
        fresh = _tasks(_rollout(world, revision.arn), service.desired + len(ended))
        live = [task for task, _ in fresh if task.arn not in gone][: service.desired]
        world.tasks[REF] = (*live, *ended)
        count = service.desired
        world.services[REF] = replace(
            service,
            running=count,
            deployments=(replace(primary, desired=count, running=count),),
        )


def _answer(world: ScriptedWorld, call: Call) -> Submitted:
    """ContinueServiceDeployment: the hook waits no more; `settle` ends what goes on."""
    newest, *older = world.history[REF]
    waiting = [h for h in newest.hooks if h.id == call.arguments["hook"] and h.awaits_action]
    if newest.arn != call.arguments["service_deployment"] or not waiting:
        raise Rejected(
            "AWS refuses",
            "The lifecycle hook is not awaiting action.",
            code="InvalidParameterException",
        )
    go_on = call.arguments["go_on"]
    answered = tuple(
        replace(h, status="SUCCEEDED" if go_on else "FAILED") if h in waiting else h
        for h in newest.hooks
    )
    status = newest.status if go_on else "ROLLBACK_REQUESTED"
    world.history[REF] = (replace(newest, hooks=answered, status=status), *older)
    return Submitted(_request_id(world), deployment=newest.arn)


def _request_id(world: ScriptedWorld) -> str:
    return f"11111111-0000-4000-8000-{len(world.writes):012d}"
