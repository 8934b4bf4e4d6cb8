"""What is looked at before a roll back, what else to know of it, and what is left to do."""

from __future__ import annotations

from collections.abc import Mapping

from bgconsole.domain.images import ImageReference
from bgconsole.domain.rollback import Choice
from bgconsole.domain.services import Service, TaskDefinition, short_name
from bgconsole.domain.snapshot import Snapshot
from bgconsole.domain.stacks import Stack
from bgconsole.domain.versions import Version
from bgconsole.operations import migrations_since
from bgconsole.operations.lookup import about_definition, image_check
from bgconsole.operations.owning_stack import cancelled, owning_stack
from bgconsole.operations.spec import NO_EVIDENCE, Check, Evidence, not_checked


def checks(
    snapshot: Snapshot,
    choice: Choice,
    definition: TaskDefinition | None,
    live: TaskDefinition | None,
    evidence: Evidence | None,
    service: Service,
    cancels: Stack | None = None,
) -> tuple[Check, ...]:
    """The image, the task definition, migrations since, and what the owning stack will do."""
    target = choice.target
    if target is None:
        return ()
    old_run = choice.stop is not None and _still_run(service, target)
    images = (image_check(image, evidence, must=not old_run) for image in target.images)
    found = [
        *(check for check in images if check is not None),
        _status(definition, evidence, target, choice),
    ]
    if not target.images:
        words = (
            f"what revision {target.revision} ran is not on record: its tags may mean a new image"
        )
        found.append(Check(words, "warning"))
    since = choice.ran.since if choice.ran else None
    found += migrations_since.checks(snapshot, since, live, evidence or NO_EVIDENCE)
    stopping = choice.stop is not None
    told = cancelled(cancels, stopping=stopping) if cancels else ""
    if told := told or owning_stack(snapshot, stopping=stopping):
        found.append(Check(told, "warning"))
    return tuple(found)


def _status(
    definition: TaskDefinition | None,
    evidence: Evidence | None,
    target: Version,
    choice: Choice,
) -> Check:
    name = short_name(target.task_definition)
    if evidence is None:
        return Check(f"task definition {name}", "checking")
    why = evidence.why_not(about_definition(target.task_definition))
    if definition is None or (why and definition.status == "ACTIVE"):
        # One that was seen earlier may have been deregistered since.
        was = "; it was ACTIVE when its tasks were read" if definition else ""
        return not_checked(f"task definition {name}", why or "not asked", was)
    if definition.status == "ACTIVE":
        return Check(f"task definition {name} is ACTIVE", "ok")
    if choice.stop is None and not target.digests:
        words = f"Task definition {name} is {definition.status}, and what it ran is not on record."
        return Check(words, "problem")
    copied = "" if choice.stop else ": a copy is registered"
    return Check(f"task definition {name} is {definition.status}{copied}", "warning")


def _still_run(service: Service, target: Version) -> bool:
    number = target.service_revision.rpartition("/")[2]
    return any(d.number == number and d.running >= service.desired for d in service.deployments)


def notes(
    snapshot: Snapshot,
    choice: Choice,
    pinned: Mapping[str, str],
    definition: TaskDefinition | None,
) -> tuple[str, ...]:
    """What else to know before."""
    told = []
    written = {c.name: c.image for c in definition.containers} if definition else {}
    for container in pinned:
        tag = ImageReference.parse(written.get(container, "")).tag if container in written else ""
        if tag and definition is not None and definition.status == "ACTIVE":
            told.append(
                f"Revision {definition.revision} names {tag}, which may mean another image now."
            )
    if choice.stop and choice.live and choice.target:
        if choice.live.task_definition == choice.target.task_definition:
            told.append("The deployment under way is of the same task definition.")
    elif snapshot.deploying:
        told.append("It takes the place of the deployment that is under way.")
    skipped = sum(c.deployments for c in choice.candidates if c.same_as_live) - 1
    if skipped > 0 and choice.stop is None:
        told.append(f"Skipped as the same image as live: {skipped} more on record.")
    return tuple(told)
