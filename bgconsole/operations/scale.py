"""Scale: another number of tasks, or tasks of another size.

The number is the one thing that this operation alone sends. A size makes a new revision of the task
definition, with the images pinned to what runs now, so that only the size changes.
"""

from __future__ import annotations

from collections.abc import Mapping

from bgconsole.domain.fargate import MEMORY, problem
from bgconsole.domain.how_many import how_many
from bgconsole.domain.images import ImageReference
from bgconsole.domain.services import Service
from bgconsole.domain.snapshot import Snapshot
from bgconsole.domain.versions import Version, live_version
from bgconsole.gateway.port import Gateway, Submitted
from bgconsole.operations import back_steps
from bgconsole.operations.count_steps import until_run
from bgconsole.operations.guards import at_rest
from bgconsole.operations.lookup import AUTOSCALING, Lookup, image_check
from bgconsole.operations.owning_stack import drifts
from bgconsole.operations.spec import (
    NO_EVIDENCE,
    Check,
    Evidence,
    Fact,
    No,
    Operation,
    Param,
    Params,
    Plan,
    Question,
    Risk,
    not_checked,
)
from bgconsole.operations.step import Step
from bgconsole.operations.words import command, following
from bgconsole.watch.follow import Expected

_SAID = Question[Mapping[str, object]]("task definition's size")
_MOST = 1000
"""Tasks that somebody may want by this way: more is a slip of a finger."""
_LISTED = 20


def _gather(gateway: Gateway, snapshot: Snapshot, params: Params) -> Evidence:
    lookup = Lookup(gateway, snapshot)
    live = live_version(snapshot)
    if params.get("cpu") or params.get("memory"):
        if live is not None:
            arn = live.task_definition
            lookup.ask(_SAID, lambda: gateway.services.definition_document(arn))
            for image in live.images:
                lookup.digest(image)
    else:
        lookup.ask(AUTOSCALING, lambda: gateway.services.autoscaling(snapshot.ref))
    return lookup.evidence


def _plan(snapshot: Snapshot, params: Params, evidence: Evidence | None) -> Plan | No:
    service = snapshot.service.value
    if service is None:
        return No("The service has not been read yet.")
    count, size = params.get("count", ""), params.get("cpu") or params.get("memory")
    if count and size:
        return No("Scale the number of tasks or their size, one after the other.")
    if size:
        return _resized(snapshot, service, params, evidence)
    if not count:
        asked = f"The service wants {how_many(service.desired, 'task')}. How many?"
        return No(asked, _counts(service.desired), "count", free=True)
    if not count.isdigit() or int(count) > _MOST:
        return No(f"{count!r} is no number of tasks from 0 to {_MOST}.")
    return _counted(snapshot, service, int(count), evidence)


def _counts(now: int) -> tuple[tuple[str, str], ...]:
    """More of them first, then fewer, none at last: the first is what `enter` takes."""
    most = max(_LISTED, 2 * now)
    counts = (*range(now + 1, most + 1), *range(now - 1, -1, -1))
    return tuple((str(n), how_many(n, "task")) for n in counts)


def _counted(
    snapshot: Snapshot, service: Service, count: int, evidence: Evidence | None
) -> Plan | No:
    ref, now, wanted = snapshot.ref, how_many(service.desired, "task"), how_many(count, "task")
    if count == service.desired:
        return No(f"The service wants {wanted} already.")

    def act(gateway: Gateway, made: Mapping[str, str]) -> Submitted:
        del made
        return gateway.changes.scale(ref, count)

    def arrived(gateway: Gateway) -> bool:
        return gateway.services.describe(ref).desired == count

    words = f"ecs update-service --cluster {ref.cluster} --service {ref.name}"
    stack = (
        f"CloudFormation: where the template of the stack {service.stack} gives a number of tasks, "
        "its next update sets that again."
    )
    return Plan(
        summary=f"Scale {ref.name} from {now} to {count}",
        facts=(Fact("from", now), Fact("to", wanted)),
        checks=(_bounds(count, evidence),),
        steps=(
            Step(
                f"tell ECS to run {wanted}",
                command(f"{words} --desired-count {count}", snapshot.place),
                act,
                arrived=arrived,
            ),
            until_run(ref, count),
        ),
        confirm=ref.name if not count else str(count),
        notes=("Nothing serves once the last task has stopped.",) if not count else (),
        left_to_do=(stack,) if service.stack else (),
        raised=Risk.DANGEROUS if not count else None,
        before=now,
        after=wanted,
    )


def _bounds(count: int, evidence: Evidence | None) -> Check:
    """Whether autoscaling holds the service, and will undo this."""
    if evidence is None:
        return Check("what autoscaling does with the service", "checking")
    if why := evidence.why_not(AUTOSCALING):
        return not_checked("what autoscaling does with the service", why)
    bounds = evidence.answer(AUTOSCALING)
    if bounds is None:
        return Check("no autoscaling acts on the service", "ok")
    held = f"autoscaling holds it between {bounds.minimum} and {bounds.maximum} tasks"
    if bounds.suspended:
        return Check(f"{held}, suspended at present", "ok")
    if not bounds.minimum <= count <= bounds.maximum:
        return Check(f"{held}: it will not stay at {count}", "warning")
    return Check(f"{held}: its policy may undo this", "warning")


def _resized(
    snapshot: Snapshot, service: Service, params: Params, evidence: Evidence | None
) -> Plan | No:
    live = live_version(snapshot)
    if live is None or not live.digests or len(live.digests) < len(live.images):
        return No("What runs is not known by digest: its size cannot be changed alone.")
    before = (evidence or NO_EVIDENCE).answer(_SAID) or {}
    was = (str(before.get("cpu", "")), str(before.get("memory", "")))
    cpu = params.get("cpu") or was[0]
    memory = params.get("memory") or was[1]
    known = bool(cpu and memory)
    if evidence is not None and not known:
        why = evidence.why_not(_SAID) or "its task definition names none"
        return No(f"What size it has is not known ({why}): give --cpu and --memory.")
    if known and (wrong := problem(cpu, memory)):
        return No(wrong)
    if known and was == (cpu, memory):
        return No(f"It has {_size(cpu, memory)} already.")
    return _size_plan(snapshot, service, live, (was, (cpu, memory)), evidence)


def _size_plan(
    snapshot: Snapshot,
    service: Service,
    live: Version,
    sizes: tuple[tuple[str, str], tuple[str, str]],
    evidence: Evidence | None,
) -> Plan:
    was, (cpu, memory) = sizes
    pinned = {
        image.container: ImageReference.parse(image.image).pinned(image.digest)
        for image in live.images
    }

    def register(gateway: Gateway, made: Mapping[str, str]) -> Submitted:
        del made
        return gateway.changes.register_pinned(live.task_definition, pinned, cpu=cpu, memory=memory)

    ref = snapshot.ref
    _, point = back_steps.update(snapshot, live, None, pinned)
    name = live.task_definition.rpartition("/")[2]
    return Plan(
        summary=f"Scale {ref.name} to {_size(cpu, memory)} a task",
        facts=(
            Fact("from", _size(*was), aside=live.words),
            Fact("to", _size(cpu, memory), aside="the same images, by digest"),
        ),
        checks=tuple(filter(None, (image_check(i, evidence, must=True) for i in live.images))),
        steps=(
            Step(
                f"register a copy of {name} with {_size(cpu, memory)} and the images pinned",
                command(
                    f"ecs register-task-definition --cli-input-json '<{name}, cpu {cpu}, memory "
                    f"{memory}, the image pinned>'",
                    snapshot.place,
                ),
                register,
                makes=back_steps.PINNED,
                effect="prepares",
            ),
            point,
            following(service),
        ),
        confirm=live.revision,
        expect=Expected(task_definition=back_steps.PINNED, digests=live.digests),
        notes=("A container with limits of its own keeps those.",),
        left_to_do=drifts(service.stack),
        before=f"{live.words}, {_size(*was)}",
        after=f"{live.words}, {_size(cpu, memory)}",
    )


def _size(cpu: str, memory: str) -> str:
    return f"{cpu or '?'} CPU units and {memory or '?'} MiB"


def _allowed(snapshot: Snapshot) -> No | None:
    return at_rest(snapshot, "scale once it has ended.")


SCALE = Operation(
    id="service.scale",
    title="Scale",
    footer="scale",
    key="",
    help="Run another number of tasks, or tasks of another size.",
    risk=Risk.DISRUPTIVE,
    allowed=_allowed,
    gather=_gather,
    plan=_plan,
    params=(
        Param("count", "How many tasks are to run", argument=True),
        Param("cpu", f"CPU units of a task: {', '.join(map(str, MEMORY))}"),
        Param("memory", "Memory of a task in MiB, as much as Fargate has with those CPU units"),
    ),
)
