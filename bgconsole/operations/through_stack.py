"""An image brought to serve through the stack that owns the service: its draft, shown and sent.

The change set gives the stack's image parameter the new image and leaves the template and every
other parameter as they are. It is drafted to be shown, and only what was shown is carried out: of
an image that is yet to be built the draft stands for any, and the real one is held against it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from shlex import quote
from types import MappingProxyType

from bgconsole.domain.change_set import Change, ChangeSet
from bgconsole.domain.errors import Refused, WorldChanged
from bgconsole.domain.how_many import how_many
from bgconsole.domain.images import ImageReference
from bgconsole.domain.services import Service
from bgconsole.domain.snapshot import Snapshot
from bgconsole.domain.stack_cause import reason_words
from bgconsole.domain.stack_states import way_back
from bgconsole.domain.stacks import Stack
from bgconsole.domain.versions import Definitions, Version
from bgconsole.gateway.port import Gateway
from bgconsole.operations.change_set_steps import CarryingOut
from bgconsole.operations.image_steps import PUSHED
from bgconsole.operations.lookup import AUTOSCALING, Lookup, parts_in
from bgconsole.operations.owning_stack import PARAMETER, THROUGH, root_stack
from bgconsole.operations.proof_steps import until_proved
from bgconsole.operations.spec import (
    Check,
    Evidence,
    Fact,
    No,
    Otherwise,
    Param,
    Params,
    Question,
    Risk,
    not_checked,
)
from bgconsole.operations.stack_drafts import change_fact, discard_all, draft
from bgconsole.operations.stack_layout import Turn
from bgconsole.operations.stack_templates import Template
from bgconsole.operations.step import Bench, Step, Told
from bgconsole.operations.words import command
from bgconsole.watch.follow import Expected

THROUGH_PARAMS = (
    Param(
        THROUGH,
        "stack: change the service through the stack that owns it; service: change it itself",
        "service",
    ),
    Param(PARAMETER, "The stack's parameter that holds the image", "DockerImage"),
)
IN_VIEW = ("from", "to", "tasks")
"""Facts of a plan through the stack that stay in view."""
PAST = (("service", "past the stack: the service itself, and the stack drifts"),)
"""The choice where the stack cannot be gone through."""
_DEFAULT = "DockerImage"
_UNBUILT = "sha256:" + "0" * 64
"""In the place of the digest of an image that is yet to be built."""
_DRAFT = Question[ChangeSet]("draft of the owning stack")


@dataclass(frozen=True, slots=True)
class Through:
    """The stack that is gone through."""

    stack: Stack
    """Of nested ones the outermost."""
    parameter: str
    nests: bool

    def turn(self, image: str, present: Stack | None = None) -> Turn:
        """The change of the image alone."""
        stack = present or self.stack
        return Turn(
            template=Template(stack.name, "", "", MappingProxyType({}), {}, frozenset()),
            present=stack,
            values={self.parameter: image},
            keep=tuple(name for name, _ in stack.parameters if name != self.parameter),
            waits={},
            lacks=(),
            nests=self.nests,
        )


def through(snapshot: Snapshot, params: Params) -> Through | No | None:
    """The stack that is gone through; None where the service itself is changed."""
    way, service = params.get(THROUGH) or "service", snapshot.service.value
    if way not in ("service", "stack"):
        return No(f"--{THROUGH} is service or stack, not {way!r}.")
    if way == "service" or service is None or not service.stack:
        return None
    stack, parameter = root_stack(snapshot), params.get(PARAMETER) or _DEFAULT
    if stack is None:
        return _unseen(service.stack, snapshot)
    unfit = _unfit(stack, parameter)
    return _no(unfit) if unfit else Through(stack, parameter, nests=stack.name != service.stack)


def _unseen(stack: str, snapshot: Snapshot) -> No:
    """Why the owning stack is not known; the way past it only where waiting does not help."""
    if snapshot.stacks.waiting:
        return No(f"The stack {stack}, which owns the service, is being read: again in a moment.")
    failure = snapshot.stacks.failure
    why = f" ({failure.error.brief})" if failure else ""
    return _no(f"The stack {stack}, which owns the service, was not read{why}.")


def _unfit(stack: Stack, parameter: str) -> str:
    """Why a stack cannot be gone through, in words; empty where it can."""
    if stack.parent:
        return f"The stack {stack.name} is nested in one that cannot be seen from here."
    if not (back := way_back(stack.status, stack.name)).updates:
        return f"The stack {stack.name} is {stack.status}: {back.words}."
    if parameter not in dict(stack.parameters):
        return (
            f"The stack {stack.name} has no parameter {parameter}: say which one holds the image "
            "(stack_image_parameter)."
        )
    return ""


def _no(reason: str) -> No:
    return No(reason, PAST, THROUGH)


def look(
    gateway: Gateway, snapshot: Snapshot, way: Through, image: str, evidence: Evidence
) -> Evidence:
    """What was looked up, with what the stack would change and who else counts the tasks.

    Args:
        gateway: where a change set is drafted.
        snapshot: what is known.
        way: the stack.
        image: the reference, or `PUSHED` where it is yet to be built.
        evidence: what was looked up before.
    """
    lookup, turn = Lookup(gateway, snapshot), way.turn(_placeholder(way, image))
    lookup.ask(_DRAFT, lambda: draft(gateway, turn), str)
    lookup.ask(AUTOSCALING, lambda: gateway.services.autoscaling(snapshot.ref))
    drafted = replace(lookup.evidence, drafts=((turn.stack, turn.draft_name),))
    return evidence.joined(drafted)


def discard(gateway: Gateway, evidence: Evidence) -> None:
    """Take the draft back.

    Raises:
        GatewayError: it stays.
    """
    discard_all(gateway, evidence.drafts)


def _placeholder(way: Through, image: str) -> str:
    """For an image that is yet to be built, one of the same repository."""
    if image != PUSHED:
        return image
    return ImageReference.parse(dict(way.stack.parameters)[way.parameter]).pinned(_UNBUILT)


@dataclass(frozen=True, slots=True)
class Shown:
    """What the draft tells, for the plan."""

    facts: tuple[Fact, ...] = ()
    checks: tuple[Check, ...] = ()
    notes: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    grave: bool = False
    """Whether more is at stake than the image: the service's name is typed then."""

    @property
    def raised(self) -> Risk | None:
        """The risk that it raises the plan to."""
        return Risk.DANGEROUS if self.grave else None


def shown(snapshot: Snapshot, way: Through, image: str, evidence: Evidence | None) -> Shown | No:
    """The draft's changes, with what they do to the number of tasks."""
    service, name = snapshot.service.value, way.stack.name
    if evidence is None or service is None:
        return Shown(
            checks=(Check(f"what an update of the stack {name} would change", "checking"),)
        )
    found = evidence.answer(_DRAFT)
    if found is None:
        why = evidence.why_not(_DRAFT) or "not asked"
        return _no(f"The stack {name} could not be drafted: {why}.".replace("..", "."))
    if useless := _useless(found, way, service):
        return _no(useless)
    own = _own(found, service)
    count = _count(own, service, evidence)
    lost = tuple(change for change in found.changes if change.loses)
    changes = (change_fact(change, loud=change.loses) for change in found.changes)
    return Shown(
        facts=(*count, Fact(name, f"update: {len(found.changes)} to change"), *changes),
        checks=tuple(_count_checks(own, found)),
        notes=_notes(way, image),
        changes=found.changes,
        grave=bool(count or lost),
    )


def _useless(found: ChangeSet, way: Through, service: Service) -> str:
    """Why a draft cannot deploy the service, in words; empty where it can."""
    name = way.stack.name
    if found.pending:
        return f"CloudFormation is still working out what would change in {name}: again later."
    if found.empty:
        return (
            f"The stack {name} names this image already, so its update would change nothing: "
            "the service was deployed past it."
        )
    if not found.ready:
        why = reason_words(found.reason) or found.status
        return f"The change set of the stack {name} failed: {why}.".replace("..", ".")
    if _own(found, service) is None and not any(change.untold for change in found.changes):
        return (
            f"An update of {way.parameter} leaves the service as it is: the stack {name} holds "
            "its image elsewhere (stack_image_parameter)."
        )
    return ""


def _own(found: ChangeSet, service: Service) -> Change | None:
    """What becomes of the service itself."""
    services = [change for change in found.changes if change.kind == "AWS::ECS::Service"]
    named = (change for change in services if change.physical_id in (service.arn, service.ref.name))
    return next(named, services[0] if len(services) == 1 else None)


def _count(own: Change | None, service: Service, evidence: Evidence) -> tuple[Fact, ...]:
    """The number of tasks, where the template would set it to another one."""
    if own is None or own.tasks is None or own.tasks == service.desired:
        return ()
    bounds = evidence.answer(AUTOSCALING)
    held = f"autoscaling holds {bounds.minimum} to {bounds.maximum}, " if bounds else ""
    why = f"{held}the template gives DesiredCount {own.tasks}"
    return (Fact("tasks", f"{service.desired} → {own.tasks}", aside=why, loud=True),)


def _count_checks(own: Change | None, found: ChangeSet) -> Iterator[Check]:
    if own is None or own.untold:
        what = "whether the update sets another number of tasks"
        yield not_checked(what, "the change set does not tell")
    elif own.tasks is None:
        yield Check("the template leaves the number of tasks as it is", "ok")
    others = [
        change
        for change in found.changes
        if change is not own and change.kind == "AWS::ECS::Service" and change.verb != "remove"
    ]
    if others:
        names = ", ".join(change.logical_id for change in others)
        yield Check(f"it deploys {names} as well, which is not followed here", "warning")


def _notes(way: Through, image: str) -> tuple[str, ...]:
    made = (
        f"To see this, a draft change set bgconsole-… was made for {way.stack.name}; what is not "
        "carried out is deleted."
    )
    if image != PUSHED:
        return (made,)
    later = (
        "The draft stands for the image that is yet to be built: after the push the real one is "
        "carried out only if it changes nothing else."
    )
    return made, later


def image_alone(
    live: Version, target: Version, container: str, image: str, definitions: Definitions
) -> Iterator[Check]:
    """What a way back through the stack does not put back: it changes one image and no more."""
    if not ImageReference.parse(image).digest:
        yield Check(f"{image} is not pinned to a digest: its tag may mean a new image", "warning")
    others = [
        each.container
        for each in target.images
        if each.container != container
        and each.digest != live.digests.get(each.container, each.digest)
    ]
    if others:
        names = ", ".join(others)
        yield Check(f"{names} ran another image then, which the stack does not put back", "warning")
    old, new = definitions.get(target.task_definition), definitions.get(live.task_definition)
    if old and new and old.content and new.content and old.content != new.content:
        words = (
            f"revision {target.revision} differs from revision {live.revision} in more than its "
            "image: all but the image stays as the stack has it now"
        )
        yield Check(words, "warning")


def means(way: Through, words: str) -> str:
    """What is done, with the words of the image."""
    return f"a change set of the stack {way.stack.name}: {way.parameter} is {words}, all else stays"


def instead(params: Params, service: Service | None) -> Otherwise | None:
    """The way past the stack, or back to it where that is what is configured."""
    if service is None or not service.stack:
        return None
    words = f"past the stack {service.stack}: change the service itself, and the stack drifts"
    return Otherwise(words, {THROUGH: "service"}) if params.get(THROUGH) == "stack" else None


def steps(
    snapshot: Snapshot,
    way: Through,
    container: str,
    image: str,
    seen: Shown,
    again: Callable[[Mapping[str, str]], str],
    evidence: Evidence | None,
) -> tuple[Step, ...]:
    """Carry the change set out, follow the stack to its end, and read the tasks back.

    Args:
        snapshot: what is known.
        way: the stack.
        container: which gets the image.
        image: the reference, or the name under which an earlier step hands it on.
        seen: what was shown.
        again: the command that goes on with what was made.
        evidence: what was looked up.
    """
    stack = way.stack

    def checked(found: ChangeSet) -> Told:
        known = {_key(change) for change in seen.changes}
        new = [change.words for change in found.changes if _key(change) not in known]
        if new:
            raise Refused(f"{stack.name} would change more than was shown", "\n".join(new))
        return iter(())

    out = CarryingOut(checked, "")
    kept = len(stack.parameters) - 1
    others = f", {how_many(kept, 'other parameter')} as before" if kept else ""

    def change(bench: Bench) -> Told:
        present = bench.gateway.stacks.stack(stack.arn)
        if not way_back(present.status).updates:
            raise WorldChanged(f"The stack {stack.name} is {present.status} now", "", "Look at it")
        yield from out.change(bench, way.turn(bench.made.get(image, image), present))

    def follow(bench: Bench) -> Told:
        yield from out.follow(bench, stack.name)

    def expected(made: Mapping[str, str]) -> Expected:
        digest = ImageReference.parse(made.get(image, image)).digest
        return Expected(digests={container: digest} if digest else {}, parts=parts_in(evidence))

    return (
        Step(
            f"update the stack {stack.name} by a change set: {way.parameter} = {image}{others}",
            _commands(snapshot, way, image),
            work=change,
            go_on=again,
            stand_ins={image: image},
        ),
        Step(f"follow {stack.name} until it is UPDATE_COMPLETE", work=follow, effect="looks"),
        until_proved(snapshot.ref, expected),
    )


def _commands(snapshot: Snapshot, way: Through, image: str) -> str:
    turn = way.turn(image)
    named = f"--stack-name {way.stack.name} --change-set-name {turn.draft_name}"
    if image == PUSHED:
        named = f"--stack-name {way.stack.name} --change-set-name NAME"
    given = f"ParameterKey={way.parameter},ParameterValue={quote(image)}"
    others = " ParameterKey=…,UsePreviousValue=true" if turn.keep else ""
    nested = " --include-nested-stacks" if way.nests else ""
    made = command(
        f"cloudformation create-change-set {named} --use-previous-template{nested} "
        f"--capabilities CAPABILITY_NAMED_IAM --parameters {given}{others}",
        snapshot.place,
    )
    return f"{made} && {command(f'cloudformation execute-change-set {named}', snapshot.place)}"


def _key(change: Change) -> tuple[str, str, int | None]:
    return change.logical_id, change.verb, change.tasks
