"""Approve: let a deployment that waits at a pause hook go on, and follow it to its end."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from bgconsole.domain.rollout import rollout, stage_words
from bgconsole.domain.services import Hook, ServiceDeployment
from bgconsole.domain.snapshot import Snapshot
from bgconsole.domain.versions import Version, live_version, named, source_of, version_of
from bgconsole.gateway.port import Gateway, Submitted
from bgconsole.operations.guards import rollout_or_no
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
    Risk,
)
from bgconsole.operations.step import Step
from bgconsole.operations.words import at, command, following
from bgconsole.watch.follow import Expected

_BEFORE_PRODUCTION = frozenset({"POST_TEST_TRAFFIC_SHIFT", "PRE_PRODUCTION_TRAFFIC_SHIFT"})


def _allowed(snapshot: Snapshot) -> No | None:
    found = rollout_or_no(snapshot, "there is nothing to approve.")
    if isinstance(found, No):
        return found
    if found.going_back:
        return No("The deployment is being rolled back: there is nothing to approve.")
    if not found.waiting:
        stage = f" It is at {found.current.name}." if found.current else ""
        return No(f"No hook waits for somebody.{stage}")
    return None


def _gather(gateway: Gateway, snapshot: Snapshot, params: Params) -> Evidence:
    del gateway, snapshot, params
    return NO_EVIDENCE


def waiting_hook(snapshot: Snapshot, wanted: str = "") -> Hook | No:
    """The hook that waits, or the one of several that was named."""
    under_way = rollout(snapshot)
    waiting = under_way.waiting if under_way else ()
    found = [hook for hook in waiting if not wanted or hook.id == wanted]
    if len(found) == 1:
        return found[0]
    choices = tuple((hook.id, _by_itself(hook, snapshot)) for hook in waiting)
    if wanted and not found:
        return No(f"No hook {wanted} waits.", choices, param="hook")
    return No(f"{len(found)} hooks wait, each for its own answer. Name one.", choices, "hook")


def _plan(snapshot: Snapshot, params: Params, evidence: Evidence | None) -> Plan | No:
    del evidence
    service, history = snapshot.service.value, snapshot.deployments.value
    current = history.current if history else None
    hook = waiting_hook(snapshot, params.get("hook", ""))
    if isinstance(hook, No):
        return hook
    if service is None or current is None:
        return No("The service has not been read yet.")
    new = version_of(snapshot, current.target.arn) or live_version(snapshot)
    if new is None:
        return No("What the deployment brings could not be read.")
    source = source_of(current)
    old = version_of(snapshot, source) if source else None
    shifted = _shifted(snapshot)
    return Plan(
        summary=f"Let the deployment of {named(new, old or new)} of {snapshot.ref.name} go on",
        facts=(
            Fact("from", old.words if old else "nothing that runs"),
            Fact("to", new.words),
            Fact("stage", current.lifecycle_stage or "not told", aside=f"hook {hook.id}"),
            Fact("then", _next(current, new, old)),
            Fact(
                "else",
                _by_itself(hook, snapshot),
                decides=False,
            ),
        ),
        checks=_checks(snapshot),
        steps=(_go_on(current, hook, snapshot), following(service)),
        confirm=new.revision,
        expect=Expected(
            task_definition=new.task_definition,
            digests=new.digests,
            deployment=f"ecs-svc/{current.target.number}",
            since=current.created_at - timedelta(seconds=1),
        ),
        raised=None if shifted else Risk.DANGEROUS,
        before=old.words if old else "",
        after=new.words,
    )


def _go_on(current: ServiceDeployment, hook: Hook, snapshot: Snapshot) -> Step:
    def act(gateway: Gateway, made: Mapping[str, str]) -> Submitted:
        del made
        return gateway.changes.answer_hook(current.arn, hook.id, go_on=True)

    def arrived(gateway: Gateway) -> bool:
        found = gateway.services.deployments((current.arn,))
        return not any(h.id == hook.id and h.awaits_action for each in found for h in each.hooks)

    return Step(
        f"tell ECS to go on from {current.lifecycle_stage or 'the paused stage'}",
        command(
            f"ecs continue-service-deployment --service-deployment-arn {current.arn} "
            f"--hook-id {hook.id} --action CONTINUE",
            snapshot.place,
        ),
        act,
        arrived=arrived,
    )


def _shifted(snapshot: Snapshot) -> bool:
    under_way = rollout(snapshot)
    return under_way is not None and under_way.shifted


def _next(current: ServiceDeployment, new: Version, old: Version | None) -> str:
    """What ECS does once it goes on, as far as the stage tells."""
    side, stage = named(new, old or new), current.lifecycle_stage
    bake = f" for {current.bake_minutes} min" if current.bake_minutes else ""
    if stage in _BEFORE_PRODUCTION:
        share = {
            "LINEAR": f"the next share of production traffic moves to {side}",
            "CANARY": f"the next share of production traffic moves to {side}",
        }.get(current.strategy, f"all production traffic moves to {side}")
        return f"{share}; both sides run{bake}, then the old tasks stop"
    if stage == "POST_PRODUCTION_TRAFFIC_SHIFT":
        return f"both sides run{bake}, then the old tasks stop: going back is slower from then on"
    told = {
        "RECONCILE_SERVICE": "the tasks of the new side start",
        "PRE_SCALE_UP": "the tasks of the new side start",
        "POST_SCALE_UP": f"the test traffic moves to {side}",
    }.get(stage, f"the stage after {stage_words(stage)} begins")
    return f"{told}, and production traffic moves to it later unless another hook waits before"


def _by_itself(hook: Hook, snapshot: Snapshot) -> str:
    what = {
        "ROLLBACK": "ECS rolls it back by itself",
        "CONTINUE": "ECS goes on by itself",
    }.get(hook.timeout_action, "ECS acts by itself")
    return f"{what} at {at(hook.expires_at, snapshot)}" if hook.expires_at else "it waits on"


def _checks(snapshot: Snapshot) -> tuple[Check, ...]:
    """Whether the new side is healthy, and what alarms and circuit breaker say."""
    under_way, service = rollout(snapshot), snapshot.service.value
    if under_way is None or service is None:
        return ()
    found = []
    primary = service.primary
    if primary is not None:
        whole = primary.running >= service.desired
        words = f"{primary.running} of {service.desired} new tasks run"
        found.append(Check(words, "ok" if whole else "warning"))
    if under_way.alarms is not None and under_way.alarms.names:
        ringing = ", ".join(under_way.alarms.triggered)
        words = f"alarm {ringing} is triggered" if ringing else "no alarm is triggered"
        found.append(Check(words, "warning" if ringing else "ok"))
    if (breaker := under_way.breaker) is not None and breaker.failures:
        words = f"{breaker.failures} of the breaker's {breaker.threshold} tasks have failed"
        found.append(Check(words, "warning"))
    return tuple(found)


APPROVE = Operation(
    id="service.approve",
    title="Approve",
    footer="approve",
    key="A",
    help="Let a deployment that waits at a pause hook go on.",
    risk=Risk.DISRUPTIVE,
    allowed=_allowed,
    gather=_gather,
    plan=_plan,
    passing=True,
    params=(Param("hook", "The id of the hook, where several wait"),),
)
