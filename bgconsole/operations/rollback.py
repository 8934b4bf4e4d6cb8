"""Roll back: put an earlier version back, by digest, and prove that it is back.

While a deployment is under way ECS is asked to roll it back. After that the service is updated to
the task definition that ran well, or to a copy of it pinned to what it ran, where its tags mean
something else now. One call changes what serves; all that follows only looks.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from bgconsole.domain.duration import spell
from bgconsole.domain.identity import Place
from bgconsole.domain.images import ImageReference, short_digest
from bgconsole.domain.rollback import Candidate, Choice, choose, pins
from bgconsole.domain.services import (
    Service,
    ServiceDeployment,
    TaskDefinition,
    short_name,
)
from bgconsole.domain.snapshot import Snapshot
from bgconsole.domain.versions import Version, named
from bgconsole.gateway.port import Gateway, Submitted
from bgconsole.operations.guards import not_ours_to_deploy, unread
from bgconsole.operations.lookup import (
    Lookup,
    definitions_in,
    image_check,
    means_now,
)
from bgconsole.operations.spec import (
    Check,
    Evidence,
    Fact,
    No,
    Operation,
    Param,
    Params,
    Plan,
    Risk,
)
from bgconsole.operations.step import Step
from bgconsole.operations.words import at, command, following
from bgconsole.watch.follow import Expected

_PINNED = "pinned task definition"
"""The name under which the first step hands its new revision to the second."""


def _allowed(snapshot: Snapshot) -> No | None:
    return unread(snapshot) or not_ours_to_deploy(snapshot)


def _gather(gateway: Gateway, snapshot: Snapshot, params: Params) -> Evidence:
    lookup = Lookup(gateway, snapshot)
    choice = _choice(snapshot, params, None)
    while lookup.definitions(choice.undecided):
        choice = _choice(snapshot, params, lookup.evidence)
    target = choice.target
    if target is None:
        return lookup.evidence
    definition = lookup.definition(target.task_definition)
    written = {c.name: c.image for c in definition.containers} if definition else {}
    for image in target.images:
        lookup.digest(image)
        if choice.stop is None:
            lookup.tag(written.get(image.container, image.image))
    return lookup.evidence


def _plan(snapshot: Snapshot, params: Params, evidence: Evidence | None) -> Plan | No:
    service = snapshot.service.value
    choice = _choice(snapshot, params, evidence)
    if choice.target is None or choice.live is None or service is None:
        return No(_no(choice), _choices(choice, snapshot))
    live, target = choice.live, choice.target
    definition = _definition(snapshot, evidence, target.task_definition)
    if definition is None and evidence is not None and not target.images:
        why = evidence.missing.get(f"definition {target.task_definition}", "")
        return No(
            f"Revision {target.revision} could not be read ({why}).", _choices(choice, snapshot)
        )
    pinned = {} if choice.stop else _pins(snapshot, evidence, target, definition)
    steps = (
        (_stop(choice.stop, target, live, snapshot.place),)
        if choice.stop
        else _update(snapshot, target, definition, pinned)
    )
    return Plan(
        summary=_summary(snapshot, live, target),
        facts=(
            Fact("from", live.words, aside=_live_since(snapshot, service)),
            Fact("to", target.words, aside=_ran(choice.ran, snapshot)),
            Fact("by", _means(choice.stop, pinned)),
        ),
        checks=_checks(snapshot, choice, definition, evidence, service),
        steps=(*steps, following(service, "new" if choice.stop else "old")),
        confirm=target.revision,
        expect=_expected(choice, target, pinned),
        notes=_notes(snapshot, choice, pinned, definition),
        left_to_do=_drift(service, pinned, choice),
        before=live.words,
        after=target.words,
    )


def _summary(snapshot: Snapshot, live: Version, target: Version) -> str:
    before, after = named(live, target), named(target, live)
    if live.revision != target.revision:
        after = target.revision
    return f"Roll back {snapshot.ref.name} from {before} to {after}"


def _choice(snapshot: Snapshot, params: Params, evidence: Evidence | None) -> Choice:
    return choose(snapshot, definitions_in(evidence), params.get("to", ""))


def _no(choice: Choice) -> str:
    others = ", ".join(_named(c, choice.candidates) for c in _others(choice))
    if not others:
        return choice.reason
    return f"{choice.reason} On record as having run well: {others}. Name one."


def _others(choice: Choice) -> tuple[Candidate, ...]:
    return tuple(c for c in choice.candidates if not c.same_as_live)


def _choices(choice: Choice, snapshot: Snapshot) -> tuple[tuple[str, str], ...]:
    """What the user may pick instead; what is live already is none of it."""
    return tuple(
        (
            _named(candidate, choice.candidates),
            f"{candidate.version.words}   {_ran(candidate, snapshot)}",
        )
        for candidate in _others(choice)
    )


def _named(candidate: Candidate, among: tuple[Candidate, ...]) -> str:
    """`42`, or `42@9d1d599a` where revision 42 ran as several versions."""
    version = candidate.version
    several = sum(1 for other in among if other.version.revision == version.revision) > 1
    digest = next(iter(version.digests.values()), "")
    return f"{version.revision}@{short_digest(digest)}" if several and digest else version.revision


def _definition(snapshot: Snapshot, evidence: Evidence | None, arn: str) -> TaskDefinition | None:
    known = snapshot.tasks.value.definitions if snapshot.tasks.value else {}
    return definitions_in(evidence).get(arn) or known.get(arn)


def _pins(
    snapshot: Snapshot,
    evidence: Evidence | None,
    target: Version,
    definition: TaskDefinition | None,
) -> Mapping[str, str]:
    written = {c.name: c.image for c in definition.containers} if definition else {}
    now: dict[str, str] = {}
    for image in target.images:
        as_written = written.get(image.container, image.image)
        meaning = means_now(as_written, snapshot, evidence)
        if meaning is None and evidence is None:
            meaning = image.digest  # until it is looked up: as it was
        if meaning is not None:
            now[as_written] = meaning
    return pins(target, definition, now)


def _means(stop: ServiceDeployment | None, pinned: Mapping[str, str]) -> str:
    if stop:
        return f"ECS rolls back the deployment under way ({stop.id})"
    if pinned:
        digests = ", ".join(
            f"sha256:{short_digest(ImageReference.parse(reference).digest)}"
            for reference in pinned.values()
        )
        return f"a new revision pinned to {digests}"
    return "an update of the service to that task definition"


def _stop(deployment: ServiceDeployment, target: Version, live: Version, place: Place) -> Step:
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
    )


def _update(
    snapshot: Snapshot,
    target: Version,
    definition: TaskDefinition | None,
    pinned: Mapping[str, str],
) -> tuple[Step, ...]:
    ref, place = snapshot.ref, snapshot.place
    name = short_name(target.task_definition)
    words = f"ecs update-service --cluster {ref.cluster} --service {ref.name} --task-definition"
    if not pinned:

        def update(gateway: Gateway, made: Mapping[str, str]) -> Submitted:
            del made
            return gateway.changes.update(ref, task_definition=target.task_definition)

        return (Step(f"point the service at {name}", command(f"{words} {name}", place), update),)

    def register(gateway: Gateway, made: Mapping[str, str]) -> Submitted:
        del made
        return gateway.changes.register_pinned(target.task_definition, pinned)

    def update_to_copy(gateway: Gateway, made: Mapping[str, str]) -> Submitted:
        return gateway.changes.update(ref, task_definition=made[_PINNED])

    family = definition.family if definition else name.rpartition(":")[0]
    images = ", ".join(f"{container} = {image}" for container, image in pinned.items())
    return (
        Step(
            f"register a new revision of {family}: {target.revision} with {images}",
            command(
                f"ecs register-task-definition --cli-input-json '<{name} with the image pinned>'",
                place,
            ),
            register,
            makes=_PINNED,
            effect="prepares",
        ),
        Step(
            "point the service at it",
            command(f"{words} {family}:<the new revision>", place),
            update_to_copy,
        ),
    )


def _expected(choice: Choice, target: Version, pinned: Mapping[str, str]) -> Expected:
    if choice.stop is not None:
        return Expected(
            task_definition=target.task_definition,
            digests=target.digests,
            stopping=choice.stop.arn,
            source=target.service_revision,
            since=choice.stop.created_at - timedelta(seconds=1),
        )
    return Expected(
        task_definition=_PINNED if pinned else target.task_definition, digests=target.digests
    )


def _checks(
    snapshot: Snapshot,
    choice: Choice,
    definition: TaskDefinition | None,
    evidence: Evidence | None,
    service: Service,
) -> tuple[Check, ...]:
    target = choice.target
    if target is None:
        return ()
    old_run = choice.stop is not None and _still_run(service, target)
    images = (image_check(image, evidence, must=not old_run) for image in target.images)
    checks = [
        *(check for check in images if check is not None),
        _status(definition, evidence, target, choice),
    ]
    if not target.images:
        words = (
            f"what revision {target.revision} ran is not on record: its tags may mean a new image"
        )
        checks.append(Check(words, "warning"))
    checks.append(Check("migrations since then: not known", "not checked"))
    stack = _owner(snapshot, service)
    if stack:
        checks.append(Check(stack, "warning"))
    return tuple(checks)


def _status(
    definition: TaskDefinition | None,
    evidence: Evidence | None,
    target: Version,
    choice: Choice,
) -> Check:
    name = short_name(target.task_definition)
    if definition is None:
        if evidence is None:
            return Check(f"task definition {name}", "checking")
        why = evidence.missing.get(f"definition {target.task_definition}", "not asked")
        return Check(f"task definition {name}: not checked ({why})", "not checked")
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


def _owner(snapshot: Snapshot, service: Service) -> str:
    """What the owning stack will do, where it is in the middle of a change."""
    stacks = snapshot.stacks.value or ()
    stack = next((s for s in stacks if s.name == service.stack), None)
    if stack is None or not stack.moving:
        return ""
    return (
        f"the stack {stack.name} is {stack.status} and waits for this service: "
        "CloudFormation will see its deployment fail and roll its own change back"
    )


def _drift(service: Service, pinned: Mapping[str, str], choice: Choice) -> tuple[str, ...]:
    if not service.stack or (choice.stop is not None and not pinned):
        return ()
    return (
        f"CloudFormation: the stack {service.stack} will drift: "
        "its template still names another revision.",
    )


def _notes(
    snapshot: Snapshot,
    choice: Choice,
    pinned: Mapping[str, str],
    definition: TaskDefinition | None,
) -> tuple[str, ...]:
    notes = []
    written = {c.name: c.image for c in definition.containers} if definition else {}
    for container in pinned:
        tag = ImageReference.parse(written.get(container, "")).tag if container in written else ""
        if tag and definition is not None and definition.status == "ACTIVE":
            notes.append(
                f"Revision {definition.revision} names {tag}, which may mean another image now."
            )
    if choice.stop and choice.live and choice.target:
        if choice.live.task_definition == choice.target.task_definition:
            notes.append("The deployment under way is of the same task definition.")
    elif snapshot.deploying:
        notes.append("It takes the place of the deployment that is under way.")
    skipped = sum(c.deployments for c in choice.candidates if c.same_as_live) - 1
    if skipped > 0 and choice.stop is None:
        notes.append(f"Skipped as the same image as live: {skipped} more on record.")
    return tuple(notes)


def _live_since(snapshot: Snapshot, service: Service) -> str:
    primary = service.primary
    if primary is None:
        return ""
    word = "being deployed since" if snapshot.deploying else "live since"
    return f"{word} {at(primary.created_at, snapshot)}"


def _ran(candidate: Candidate | None, snapshot: Snapshot) -> str:
    """`ran well 2 d 3 h, until 13:40`."""
    if candidate is None:
        return "not on record as having run well"
    if candidate.until is None:
        return f"ran well since {at(candidate.since, snapshot)}"
    length = spell(candidate.until - candidate.since)
    return f"ran well {length}, until {at(candidate.until, snapshot)}"


ROLLBACK = Operation(
    id="service.rollback",
    title="Roll back",
    footer="roll back",
    key="R",
    help="Put the version before back: the newest that ran well and is not what is live.",
    risk=Risk.DANGEROUS,
    allowed=_allowed,
    gather=_gather,
    plan=_plan,
    params=(
        Param(
            "to", "The revision number to go back to; 42@9d1d599a where it ran as several images"
        ),
    ),
)
