"""Stop: reject a paused hook, or stop the deployment under way; either way ECS rolls it back.

AWS documents one way to stop a service deployment, ROLLBACK. Its model also names ABORT, which
leaves both sides half there; it is not offered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bgconsole.domain.rollback import choose
from bgconsole.domain.rollout import rollout
from bgconsole.domain.services import Hook, ServiceDeployment
from bgconsole.domain.snapshot import Snapshot
from bgconsole.domain.versions import Version, named
from bgconsole.gateway.port import Gateway, Submitted
from bgconsole.operations import rollback
from bgconsole.operations.approve import waiting_hook
from bgconsole.operations.back_steps import goes_back
from bgconsole.operations.guards import rollout_or_no
from bgconsole.operations.lookup import definitions_in
from bgconsole.operations.spec import Evidence, Fact, No, Operation, Param, Params, Plan, Risk
from bgconsole.operations.step import Step
from bgconsole.operations.words import command


def _allowed(snapshot: Snapshot) -> No | None:
    found = rollout_or_no(snapshot, "nothing to stop. A roll back undoes one that ended.")
    if isinstance(found, No):
        return found
    if found.going_back:
        return No("The deployment is being rolled back already.")
    return None


def _gather(gateway: Gateway, snapshot: Snapshot, params: Params) -> Evidence:
    del params
    return rollback.gather(gateway, snapshot, {})


def _aside(gateway: Gateway, snapshot: Snapshot, params: Params, evidence: Evidence) -> Evidence:
    del params
    return rollback.look_aside(gateway, snapshot, {}, evidence)


def _plan(snapshot: Snapshot, params: Params, evidence: Evidence | None) -> Plan | No:
    choice = choose(snapshot, definitions_in(evidence))
    stop, live, target = choice.stop, choice.live, choice.target
    if stop is None or live is None or target is None:
        return No(choice.reason or "The deployment has ended: a roll back undoes it.")
    plan = rollback.plan_back(snapshot, choice, evidence)
    if isinstance(plan, No):
        return plan
    plan = replace(
        plan,
        summary=f"Stop the deployment of {named(live, target)} of {snapshot.ref.name}, "
        f"back to {target.revision}",
        raised=Risk.DANGEROUS if _takes_traffic(snapshot, stop) else None,
    )
    under_way = rollout(snapshot)
    if under_way is None or not under_way.waiting:
        return plan
    hook = waiting_hook(snapshot, params.get("hook", ""))
    if isinstance(hook, No):
        # Any of them ends it: the first to expire is as good as another.
        hook = under_way.waiting[0]
    by = Fact("by", f"rejecting the hook that waits at {stop.lifecycle_stage} ({hook.id})")
    return replace(
        plan,
        summary=f"Reject {named(live, target)} of {snapshot.ref.name}, back to {target.revision}",
        facts=tuple(by if fact.label == "by" else fact for fact in plan.facts),
        steps=(_reject(stop, hook, target, snapshot), *plan.steps[1:]),
    )


def _takes_traffic(snapshot: Snapshot, deployment: ServiceDeployment) -> bool:
    """Whether the new side has production traffic: a rolling deployment's new tasks always do."""
    under_way = rollout(snapshot)
    if under_way is None or deployment.strategy == "ROLLING":
        return True
    return under_way.shifted or bool(under_way.production_share)


def _reject(deployment: ServiceDeployment, hook: Hook, target: Version, snapshot: Snapshot) -> Step:
    def act(gateway: Gateway, made: Mapping[str, str]) -> Submitted:
        del made
        return gateway.changes.answer_hook(deployment.arn, hook.id, go_on=False)

    return Step(
        f"tell ECS to roll the deployment back to revision {target.revision} from the paused hook",
        command(
            f"ecs continue-service-deployment --service-deployment-arn {deployment.arn} "
            f"--hook-id {hook.id} --action ROLLBACK",
            snapshot.place,
        ),
        act,
        arrived=goes_back(deployment),
    )


STOP = Operation(
    id="service.stop",
    title="Stop",
    footer="stop",
    key="X",
    help="Reject a paused hook, or stop the deployment under way: ECS rolls it back.",
    risk=Risk.DISRUPTIVE,
    allowed=_allowed,
    gather=_gather,
    plan=_plan,
    aside=_aside,
    passing=True,
    params=(Param("hook", "The id of the hook, where several wait"),),
)
