"""The ways back of one stack: cancel its update, or continue a roll back that got stuck."""

from __future__ import annotations

from collections.abc import Mapping
from shlex import quote

from bgconsole.domain.identity import Place
from bgconsole.domain.snapshot import Snapshot
from bgconsole.domain.stack_cause import reason_words
from bgconsole.domain.stack_states import way_back
from bgconsole.domain.stacks import Stack, StackResource
from bgconsole.gateway.port import Gateway, Submitted
from bgconsole.operations.lookup import EVENTS, Lookup
from bgconsole.operations.spec import (
    NO_EVIDENCE,
    Check,
    Evidence,
    Fact,
    No,
    Operation,
    Otherwise,
    Param,
    Params,
    Plan,
    Question,
    Risk,
    items_in,
    not_checked,
)
from bgconsole.operations.step import Bench, Step, Told
from bgconsole.operations.words import command
from bgconsole.watch.stack_follow import follow_stack

WHICH = "?"
"""In the place of what to skip: ask."""
BACK = frozenset({"UPDATE_ROLLBACK_COMPLETE"})
_RESOURCES = Question[tuple[StackResource, ...]]("resources")
STACK_PARAM = Param("items", "The stack", "STACK", many=True)


def stack_named(snapshot: Snapshot, params: Params) -> Stack | No:
    """The one stack that is named, as it was last seen."""
    names = [name for name in items_in(params) if "=" not in name]
    stacks = {stack.name: stack for stack in snapshot.stacks.value or ()}
    if len(names) != 1:
        return No(f"Name one stack: {', '.join(stacks) or 'there is none'}.")
    found = stacks.get(names[0])
    return found or No(f"There is no stack {names[0]} in {snapshot.place.region}.")


def cancelling(stack: Stack, place: Place, newest: Evidence | None) -> tuple[Step, Step]:
    """Cancel its update, and follow it until it is as it was before."""

    def cancel(gateway: Gateway, made: Mapping[str, str]) -> Submitted:
        del made
        return gateway.stack_changes.cancel_update(stack.arn)

    def arrived(gateway: Gateway) -> bool:
        return "ROLLBACK" in gateway.stacks.stack(stack.arn).status

    words = command(f"cloudformation cancel-update-stack --stack-name {stack.name}", place)
    step = Step(f"cancel the update of {stack.name}", words, cancel, arrived=arrived)
    return step, following_back(stack, newest)


def following_back(stack: Stack, newest: Evidence | None) -> Step:
    """Follow it until it is where it was."""
    events = (newest or NO_EVIDENCE).answer(EVENTS)
    since = events[0].at if events else stack.changed_at

    def work(bench: Bench) -> Told:
        return follow_stack(bench.gateway, stack.arn, since, bench.onlooker, good=BACK)

    return Step(f"follow {stack.name} until it is as it was before", work=work, effect="looks")


def _gather(gateway: Gateway, snapshot: Snapshot, params: Params) -> Evidence:
    stack = stack_named(snapshot, params)
    if isinstance(stack, No):
        return NO_EVIDENCE
    lookup = Lookup(gateway, snapshot)
    lookup.ask(EVENTS, lambda: gateway.stacks.events(stack.arn))
    lookup.ask(_RESOURCES, lambda: gateway.stacks.resources(stack.arn))
    return lookup.evidence


def _cancel_plan(snapshot: Snapshot, params: Params, evidence: Evidence | None) -> Plan | No:
    stack = stack_named(snapshot, params)
    if isinstance(stack, No):
        return stack
    if not (way := way_back(stack.status, stack.name)).cancels:
        return No(f"{stack.name} is {stack.status}, which is no update to cancel: {way.words}.")

    return Plan(
        summary=f"Cancel the update of {stack.name}: CloudFormation rolls it back",
        facts=(Fact("stack", f"{stack.name} · {stack.status}"),),
        checks=_seen(evidence),
        steps=cancelling(stack, snapshot.place, evidence),
        confirm=stack.name,
        notes=("A service that is deploying gets its old revision deployed once more.",),
        before=f"{stack.name} {stack.status}",
        after=f"{stack.name} as before its update",
        target=stack.name,
    )


def _continue_plan(snapshot: Snapshot, params: Params, evidence: Evidence | None) -> Plan | No:
    stack = stack_named(snapshot, params)
    if isinstance(stack, No):
        return stack
    if not (way := way_back(stack.status, stack.name)).continues:
        return No(f"{stack.name} is {stack.status}, no roll back that got stuck: {way.words}.")
    failed = _failed(evidence)
    skip = _skipped(params, failed, evidence)
    if isinstance(skip, No):
        return skip
    kinds = {each.logical_id: each.kind for each in failed}
    left = tuple(
        f"{name} was left as it is, {_left(kinds.get(name, ''))}. CloudFormation takes it for "
        "rolled back: make it so by hand, or the next update may fail."
        for name in skip
    )
    skipping = f", skipping {', '.join(skip)}" if skip else ""
    return Plan(
        summary=f"Continue the roll back of {stack.name}{skipping}",
        facts=(
            Fact("stack", f"{stack.name} · {stack.status}"),
            *(_goes_back(each, evidence, skipped=each.logical_id in skip) for each in failed),
        ),
        checks=_seen(evidence),
        steps=(_continuing(stack, skip, snapshot.place), following_back(stack, evidence)),
        confirm=stack.name,
        otherwise=Otherwise("roll all of it back, skipping nothing", {"skip": ""})
        if skip
        else Otherwise("choose what is left as it is", {"skip": WHICH})
        if failed
        else None,
        left_to_do=left,
        raised=Risk.DANGEROUS if skip else None,
        before=f"{stack.name} {stack.status}",
        after=f"{stack.name} as before its update",
        target=stack.name,
    )


def _skipped(
    params: Params, failed: tuple[StackResource, ...], evidence: Evidence | None
) -> tuple[str, ...] | No:
    """What is left as it is; a refusal where it is to be chosen, or did not fail."""
    skip = tuple(filter(None, params.get("skip", "").split(",")))
    if evidence is None:
        return () if skip == (WHICH,) else skip
    if skip == (WHICH,):
        words = "Which are left as they are? CloudFormation takes them for rolled back."
        return No(words, _to_skip(failed, evidence), "skip")
    known = {resource.logical_id for resource in failed}
    strangers = sorted(set(skip) - known) if evidence.answer(_RESOURCES) is not None else []
    if strangers:
        words = f"{', '.join(strangers)} did not fail: only what failed can be skipped."
        return No(words, _to_skip(failed, evidence), "skip")
    return skip


def _goes_back(resource: StackResource, evidence: Evidence | None, *, skipped: bool) -> Fact:
    why = _explained(resource, evidence)
    return Fact(
        "  skip" if skipped else "  retry",
        f"{resource.logical_id} {resource.kind}",
        aside=f"{why}; skipped, {_left(resource.kind)}" if skipped else why,
        loud=skipped,
    )


def _continuing(stack: Stack, skip: tuple[str, ...], place: Place) -> Step:
    def go_on(gateway: Gateway, made: Mapping[str, str]) -> Submitted:
        del made
        return gateway.stack_changes.continue_rollback(stack.arn, skip)

    def arrived(gateway: Gateway) -> bool:
        return gateway.stacks.stack(stack.arn).status != stack.status

    skipping = f" --resources-to-skip {' '.join(map(quote, skip))}" if skip else ""
    words = f"cloudformation continue-update-rollback --stack-name {stack.name}{skipping}"
    return Step(
        f"continue the roll back of {stack.name}", command(words, place), go_on, arrived=arrived
    )


def _to_skip(failed: tuple[StackResource, ...], evidence: Evidence) -> tuple[tuple[str, str], ...]:
    """Each that failed, and all of them together, with what skipping it means."""
    each = tuple(
        (one.logical_id, f"{one.kind}: {_explained(one, evidence)}; {_left(one.kind)}")
        for one in failed
    )
    every = ",".join(name for name, _ in each)
    return (*each, (every, "all that failed")) if len(each) > 1 else each


def _left(kind: str) -> str:
    """What a skipped resource is then, in words."""
    return _SKIPPED.get(kind, "with the properties that it has now")


_SKIPPED = {
    "AWS::ECS::Service": "on the revision that it runs now",
    "AWS::ElasticLoadBalancingV2::Listener": "sending traffic as it does now",
    "AWS::ElasticLoadBalancingV2::ListenerRule": "sending traffic as it does now",
    "AWS::ElasticLoadBalancingV2::TargetGroup": "with the targets that it has now",
    "AWS::RDS::DBInstance": "with the size and settings that it has now",
    "AWS::EC2::SecurityGroup": "letting through what it does now",
    "AWS::IAM::Role": "allowing what it does now",
    "AWS::CloudFormation::Stack": "with all that is nested in it as it is now",
}


def _failed(evidence: Evidence | None) -> tuple[StackResource, ...]:
    """The resources that CloudFormation lets be skipped: those whose roll back failed."""
    resources = (evidence or NO_EVIDENCE).answer(_RESOURCES) or ()
    return tuple(each for each in resources if each.status == "UPDATE_FAILED")


def _explained(resource: StackResource, evidence: Evidence | None) -> str:
    """Why it failed, newest word first."""
    events = (evidence or NO_EVIDENCE).answer(EVENTS) or ()
    told = (
        event.reason
        for event in events
        if event.logical_id == resource.logical_id and event.status.endswith("_FAILED")
    )
    return reason_words(resource.reason or next(told, "")) or "AWS gives no reason"


def _seen(evidence: Evidence | None) -> tuple[Check, ...]:
    if evidence is None:
        return (Check("what failed, and why", "checking"),)
    return tuple(not_checked(name, why) for name, why in evidence.missing.items())


CANCEL_UPDATE = Operation(
    id="stacks.cancel-update",
    title="Cancel a stack's update",
    key="",
    help="Cancel the update of a stack that is under way; CloudFormation rolls it back.",
    risk=Risk.DISRUPTIVE,
    allowed=lambda _: None,
    gather=_gather,
    plan=_cancel_plan,
    about="stacks",
    params=(STACK_PARAM,),
)
CONTINUE_ROLLBACK = Operation(
    id="stacks.continue-rollback",
    title="Continue a stack's roll back",
    key="",
    help="Continue the roll back of a stack that got stuck, skipping what cannot go back.",
    risk=Risk.DISRUPTIVE,
    allowed=lambda _: None,
    gather=_gather,
    plan=_continue_plan,
    about="stacks",
    params=(
        STACK_PARAM,
        Param("skip", "Failed resources to leave as they are: ID,ID; ? lists them"),
    ),
)
