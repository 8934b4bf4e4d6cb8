"""The steps of a roll back: ask ECS, or point the service at what ran, pinned where it must be."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from shlex import quote

from bgconsole.domain.identity import Place
from bgconsole.domain.rollback import Choice
from bgconsole.domain.services import ServiceDeployment, TaskDefinition, short_name
from bgconsole.domain.snapshot import Snapshot
from bgconsole.domain.stacks import Stack
from bgconsole.domain.versions import Version, named
from bgconsole.gateway.port import Gateway, Submitted
from bgconsole.operations.lookup import parts_in
from bgconsole.operations.new_image import found_copy
from bgconsole.operations.proof_steps import until_proved
from bgconsole.operations.spec import Evidence
from bgconsole.operations.stack_back import cancelling
from bgconsole.operations.step import Arrived, Step
from bgconsole.operations.words import command, new_revision
from bgconsole.watch.follow import Expected

PINNED = "pinned task definition"
"""The name under which the first step hands its new revision to the second."""


def summary(snapshot: Snapshot, live: Version, target: Version) -> str:
    """`Roll back SERVICE from revision 43 to 42`; digests where both are of one revision."""
    before, after = named(live, target), named(target, live)
    if live.revision != target.revision:
        after = target.revision
    return f"Roll back {snapshot.ref.name} from {before} to {after}"


def stop(deployment: ServiceDeployment, target: Version, live: Version, place: Place) -> Step:
    """Ask ECS to roll back what is under way."""

    def act(gateway: Gateway, made: Mapping[str, str]) -> Submitted:
        del made
        return gateway.changes.stop_deployment(deployment.arn)

    return Step(
        f"ask ECS to roll the deployment under way back to {named(target, live)}",
        command(
            f"ecs stop-service-deployment --service-deployment-arn {deployment.arn} "
            "--stop-type ROLLBACK",
            place,
        ),
        act,
        arrived=goes_back(deployment),
    )


def goes_back(deployment: ServiceDeployment) -> Arrived:
    """Looks whether ECS has begun to roll a deployment back."""

    def arrived(gateway: Gateway) -> bool:
        found = gateway.services.deployments((deployment.arn,))
        return any("ROLLBACK" in each.status or "STOP" in each.status for each in found)

    return arrived


def update(
    snapshot: Snapshot,
    target: Version,
    definition: TaskDefinition | None,
    pinned: Mapping[str, str],
) -> tuple[Step, ...]:
    """Point the service at a task definition, or at a copy of it with some images pinned."""
    ref, place = snapshot.ref, snapshot.place
    name = short_name(target.task_definition)
    words = f"ecs update-service --cluster {ref.cluster} --service {ref.name} --task-definition"
    if not pinned:

        def point(gateway: Gateway, made: Mapping[str, str]) -> Submitted:
            del made
            return gateway.changes.update(ref, task_definition=target.task_definition)

        return (Step(f"point the service at {name}", command(f"{words} {name}", place), point),)

    def register(gateway: Gateway, made: Mapping[str, str]) -> Submitted:
        del made
        return gateway.changes.register_pinned(target.task_definition, pinned)

    def update_to_copy(gateway: Gateway, made: Mapping[str, str]) -> Submitted:
        return gateway.changes.update(ref, task_definition=made[PINNED])

    family = definition.family if definition else name.rpartition(":")[0]
    images = ", ".join(f"{container} = {image}" for container, image in pinned.items())
    return (
        Step(
            f"register a revision of {family} like {target.revision}, but with {images}",
            command(
                f"ecs register-task-definition --cli-input-json '<{name} with the image pinned>'",
                place,
            ),
            register,
            makes=PINNED,
            effect="prepares",
            found=lambda gateway, _: found_copy(gateway, target.task_definition, pinned),
        ),
        Step(
            "point the service at it",
            command(f"{words} {quote(new_revision(family))}", place),
            update_to_copy,
            stand_ins={new_revision(family): PINNED},
        ),
    )


def cancel(
    stack: Stack, choice: Choice, snapshot: Snapshot, evidence: Evidence | None
) -> tuple[Step, ...]:
    """Cancel the update of the owning stack; CloudFormation then puts the service back."""
    steps = cancelling(stack, snapshot.place, evidence)
    target = choice.target
    if choice.stop is None or target is None:
        return steps
    back = Expected(target.task_definition, target.digests, parts_in(evidence))
    return (*steps, until_proved(snapshot.ref, lambda _: back))


def expected(choice: Choice, target: Version, pinned: Mapping[str, str]) -> Expected:
    """What the end must look like."""
    if choice.stop is not None:
        return Expected(
            task_definition=target.task_definition,
            digests=target.digests,
            stopping=choice.stop.arn,
            source=target.service_revision,
            since=choice.stop.created_at - timedelta(seconds=1),
        )
    return Expected(
        task_definition=PINNED if pinned else target.task_definition, digests=target.digests
    )
