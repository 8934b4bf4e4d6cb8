"""Roll back: put an earlier version back, by digest, and prove that it is back.

While a deployment is under way ECS is asked to roll it back. After that the service is updated to
the task definition that ran well, or to a copy of it pinned to what it ran, where its tags mean
something else now. One call changes what serves; all that follows only looks. Where CodeDeploy
deploys the service `codedeploy_back` plans it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bgconsole.domain.duration import spell
from bgconsole.domain.images import ImageReference, named_digest, short_digest
from bgconsole.domain.join import image_of, main_container
from bgconsole.domain.rollback import Candidate, Choice, choose, pins
from bgconsole.domain.services import (
    ContainerImage,
    Service,
    ServiceDeployment,
    TaskDefinition,
)
from bgconsole.domain.snapshot import Snapshot
from bgconsole.domain.stacks import Stack
from bgconsole.domain.versions import NO_DEFINITIONS, Definitions, Version
from bgconsole.gateway.port import Gateway
from bgconsole.operations import (
    back_checks,
    back_steps,
    codedeploy_back,
    migrations_since,
    through_stack,
)
from bgconsole.operations.deploy_steps import named_in
from bgconsole.operations.feeds import feeds
from bgconsole.operations.guards import not_ours_to_deploy, unread
from bgconsole.operations.lookup import (
    EVENTS,
    Lookup,
    about_definition,
    definition_of,
    definitions_in,
    means_now,
    parts_in,
)
from bgconsole.operations.owning_stack import THROUGH, cancellable
from bgconsole.operations.spec import (
    NO_EVIDENCE,
    Evidence,
    Fact,
    No,
    Operation,
    Otherwise,
    Param,
    Params,
    Plan,
    Risk,
)
from bgconsole.operations.through_stack import THROUGH_PARAMS, Through
from bgconsole.operations.words import at, following


def _allowed(snapshot: Snapshot) -> No | None:
    if no := unread(snapshot):
        return no
    return None if _by_codedeploy(snapshot) else not_ours_to_deploy(snapshot)


def _by_codedeploy(snapshot: Snapshot) -> bool:
    service = snapshot.service.value
    return service is not None and service.by_codedeploy


def gather(gateway: Gateway, snapshot: Snapshot, params: Params) -> Evidence:
    """Look up what the way back depends on: task definitions, images, what tags mean now."""
    if _by_codedeploy(snapshot):
        return codedeploy_back.gather(gateway, snapshot)
    lookup = Lookup(gateway, snapshot)
    choice = _choice(snapshot, params, None)
    while lookup.definitions(choice.undecided):
        choice = _choice(snapshot, params, lookup.evidence)
    target = choice.target
    if target is None:
        return lookup.evidence
    if stack := _cancels(snapshot, params):
        lookup.ask(EVENTS, lambda: gateway.stacks.events(stack.arn))
    if choice.live is not None and choice.live.task_definition not in _known(snapshot):
        lookup.definition(choice.live.task_definition)
    definition = lookup.definition(target.task_definition, anew=True)
    written = {c.name: c.image for c in definition.containers} if definition else {}
    for image in target.images:
        lookup.digest(image)
        if choice.stop is None:
            lookup.tag(written.get(image.container, image.image))
    way, found = _way(snapshot, params, choice), lookup.evidence
    if not isinstance(way, Through):
        return found
    return through_stack.look(gateway, snapshot, way, _image(snapshot, target, found)[1], found)


def look_aside(
    gateway: Gateway, snapshot: Snapshot, params: Params, evidence: Evidence
) -> Evidence:
    """Ask what migrations ran since the target did."""
    if _by_codedeploy(snapshot):
        return codedeploy_back.look_aside(gateway, snapshot, evidence)
    choice = _choice(snapshot, params, evidence)
    live = definition_of(snapshot, evidence, choice.live.task_definition) if choice.live else None
    if choice.ran is None or live is None:
        return NO_EVIDENCE
    return migrations_since.gather(gateway, snapshot, choice.ran.since, live)


def _plan(snapshot: Snapshot, params: Params, evidence: Evidence | None) -> Plan | No:
    if _by_codedeploy(snapshot):
        return codedeploy_back.plan(snapshot, params, evidence)
    choice, cancels = _choice(snapshot, params, evidence), _cancels(snapshot, params)
    way = _way(snapshot, params, choice)
    if isinstance(way, No):
        return way
    if way is not None and choice.target is not None and choice.live is not None:
        return _by_stack(snapshot, params, choice, choice.target, choice.live, way, evidence)
    plan = plan_back(snapshot, choice, evidence, cancels)
    stack = cancellable(snapshot)
    if stack is None or isinstance(plan, No):
        return plan
    return replace(plan, stacks=(stack.name,) if cancels else (), otherwise=_instead(stack, params))


def _way(snapshot: Snapshot, params: Params, choice: Choice) -> Through | No | None:
    """The stack that is gone through; None where ECS or a cancelled update puts it back.

    A deployment under way is stopped where it is: that is quicker than any update of the stack.
    """
    if choice.stop is not None or _cancels(snapshot, params) is not None:
        return None
    return through_stack.through(snapshot, params)


def _by_stack(
    snapshot: Snapshot,
    params: Params,
    choice: Choice,
    target: Version,
    live: Version,
    way: Through,
    evidence: Evidence | None,
) -> Plan | No:
    """The way back through the stack that owns the service: its image alone goes back."""
    plan = plan_back(snapshot, choice, evidence, through=way)
    if isinstance(plan, No):
        return plan
    service = snapshot.service.value
    container, image = _image(snapshot, target, evidence)
    seen = through_stack.shown(snapshot, way, image, evidence)
    if isinstance(seen, No):
        return seen
    again = f"bgconsole rollback --to {params.get('to') or target.revision} "
    again += named_in(snapshot, params)
    by = Fact("by", through_stack.means(way, _words(image)))
    definitions = {**_known(snapshot), **definitions_in(evidence)}
    return replace(
        plan,
        facts=(*(by if fact.label == "by" else fact for fact in plan.facts), *seen.facts),
        checks=(
            *plan.checks,
            *through_stack.image_alone(live, target, container, image, definitions),
            *seen.checks,
        ),
        steps=through_stack.steps(snapshot, way, container, image, seen, lambda _: again, evidence),
        expect=None,
        confirm=snapshot.ref.name if seen.grave else plan.confirm,
        notes=(*plan.notes, *seen.notes),
        otherwise=through_stack.instead(params, service),
        raised=seen.raised,
        stacks=(way.stack.name,),
        in_view=through_stack.IN_VIEW,
    )


def _words(image: str) -> str:
    """`demorepo@sha256:9d1d599a`: short enough to be read."""
    reference = ImageReference.parse(image)
    digest = short_digest(reference.digest)
    return f"{reference.repository}@sha256:{digest}" if digest else image


def _image(snapshot: Snapshot, target: Version, evidence: Evidence | None) -> tuple[str, str]:
    """The container that takes the traffic, and the image it is to run, by digest where known."""
    definition = definition_of(snapshot, evidence, target.task_definition)
    written = (
        tuple(ContainerImage(c.name, c.image, "") for c in definition.containers)
        if definition
        else ()
    )
    image = image_of(target.images or written, main_container(snapshot.service.value))
    if image is None:
        return "", "…"
    reference = ImageReference.parse(image.image)
    return image.container, reference.pinned(image.digest) if image.digest else image.image


def _cancels(snapshot: Snapshot, params: Params) -> Stack | None:
    """The owning stack, where the way back begins with cancelling its update."""
    return cancellable(snapshot) if params.get(THROUGH) == "stack" else None


def _instead(stack: Stack, params: Params) -> Otherwise:
    """The other of the two ways back while the owning stack is in the middle of an update."""
    if params.get(THROUGH) == "stack":
        words = f"leave the update of {stack.name} alone: only this service goes back"
        return Otherwise(words, {THROUGH: "service"})
    words = f"cancel the update of {stack.name}: CloudFormation puts all of it back"
    return Otherwise(words, {THROUGH: "stack"})


def plan_back(
    snapshot: Snapshot,
    choice: Choice,
    evidence: Evidence | None,
    cancels: Stack | None = None,
    through: Through | None = None,
) -> Plan | No:
    """The plan of a way back that was chosen; where nothing was, what there is to choose from.

    Args:
        snapshot: what is known.
        choice: the way back.
        evidence: what was looked up; None before that.
        cancels: the owning stack, where its update is cancelled first.
        through: the owning stack, where what is said of the service itself does not hold.
    """
    service = snapshot.service.value
    if choice.target is None or choice.live is None or service is None:
        return No(_no(choice), _choices(choice, snapshot))
    live, target = choice.live, choice.target
    definition = definition_of(snapshot, evidence, target.task_definition)
    if definition is None and evidence is not None and not target.images:
        why = evidence.why_not(about_definition(target.task_definition))
        return No(
            f"Revision {target.revision} could not be read ({why}).", _choices(choice, snapshot)
        )
    drifts = choice.stop is None and through is None
    taken_back = definition_of(snapshot, evidence, live.task_definition)
    pinned = {} if choice.stop or through else _pins(snapshot, evidence, target, definition)
    steps = back_steps.cancel(cancels, choice, snapshot, evidence) if cancels else ()
    if choice.stop is None:
        steps += back_steps.update(snapshot, target, definition, pinned)
    elif cancels is None:
        steps = (back_steps.stop(choice.stop, target, live, snapshot.place),)
    if choice.stop is None or cancels is None:
        steps += (following(service, "new" if choice.stop else "old"),)
    return Plan(
        summary=back_steps.summary(snapshot, live, target),
        facts=(
            Fact("from", live.words, aside=_live_since(snapshot, service)),
            Fact("to", target.words, aside=_ran(choice.ran, snapshot)),
            Fact("by", _means(choice.stop, pinned, cancels)),
        ),
        checks=back_checks.checks(
            snapshot, choice, definition, taken_back, evidence, service, cancels
        ),
        steps=steps,
        confirm=target.revision,
        expect=replace(back_steps.expected(choice, target, pinned), parts=parts_in(evidence)),
        notes=back_checks.notes(snapshot, choice, pinned, definition),
        left_to_do=tuple(feeds(snapshot, service, taken_back, drifts=drifts)),
        before=live.words,
        after=target.words,
    )


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


def _known(snapshot: Snapshot) -> Definitions:
    """The task definitions of tasks that run."""
    return snapshot.tasks.value.definitions if snapshot.tasks.value else NO_DEFINITIONS


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
        meaning = means_now(as_written, snapshot, evidence, image.digest)
        if meaning is None and evidence is None:
            meaning = image.digest  # until it is looked up: as it was
        if meaning is not None:
            now[as_written] = meaning
    return pins(target, definition, now)


def _means(stop: ServiceDeployment | None, pinned: Mapping[str, str], cancels: Stack | None) -> str:
    if cancels:
        first = f"cancelling the update of the stack {cancels.name}"
        return first if stop else f"{first}, then {_means(None, pinned, None)}"
    if stop:
        return f"ECS rolls back the deployment under way ({stop.id})"
    if pinned:
        digests = ", ".join(
            named_digest(ImageReference.parse(reference).digest) for reference in pinned.values()
        )
        return f"a new revision pinned to {digests}"
    return "an update of the service to that task definition"


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
    gather=gather,
    plan=_plan,
    discard=through_stack.discard,
    several=True,
    aside=look_aside,
    params=(
        Param(
            "to", "The revision number to go back to; 42@9d1d599a where it ran as several images"
        ),
        *THROUGH_PARAMS,
    ),
)
