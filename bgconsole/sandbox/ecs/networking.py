"""Which target group is live, as its production rule says, and what is wrong with such rules."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..api import ApiError
from ..elbv2.weights import TrafficRules

_INVALID = "Service deployment rolled back because of invalid networking configuration. "


class InvalidNetworking(Exception):
    """The listener rules do not allow a shift; the text is the deployment's `statusReason`."""


def refuse_what_cannot_shift(
    strategy: str, balancers: list[dict[str, Any]], rules: TrafficRules
) -> None:
    """Check the load balancers of a service against its strategy, as far as AWS does at once.

    Raises:
        ApiError: InvalidParameterException with AWS's words.
    """
    advanced = [one["advancedConfiguration"] for one in balancers if _advanced(one)]
    if strategy != "ROLLING" and balancers and not advanced:
        raise _refusal(
            "advancedConfiguration field is required for all loadBalancers when using a "
            "non-ROLLING deployment strategy"
        )
    if strategy in ("LINEAR", "CANARY") and not balancers:
        raise _refusal(
            f"The sandbox reproduces the strategy {strategy} for services with a load balancer only"
        )
    if advanced and len(advanced) != len(balancers):
        raise _refusal(
            "Either all or none of the provided loadBalancers must have advancedConfiguration "
            "defined"
        )
    if not advanced:
        return
    for one in advanced:
        for member in ("alternateTargetGroupArn", "productionListenerRule", "roleArn"):
            if not one.get(member):
                raise _refusal(f"{member} is required in advancedConfiguration")
    groups = [one["targetGroupArn"] for one in balancers]
    groups += [one["alternateTargetGroupArn"] for one in advanced]
    for arn in groups:
        if groups.count(arn) > 1:
            raise _refusal(f"Duplicate targetGroupArn found: {arn}")
    _refuse_rules(balancers, rules)


def _refuse_rules(balancers: list[dict[str, Any]], rules: TrafficRules) -> None:
    advanced = [one["advancedConfiguration"] for one in balancers]
    for one in advanced:
        for member in ("productionListenerRule", "testListenerRule"):
            arn = one.get(member)
            if arn and not _has_rule_format(arn):
                raise _refusal(
                    f"{member} has an invalid ARN format. Must be RuleArn for ALB or ListenerArn "
                    f"for NLB. Got: {arn}"
                )
    production = {one["productionListenerRule"] for one in advanced}
    both = sorted(production & {one.get("testListenerRule") for one in advanced})
    if both:
        raise _refusal(
            "The following rules cannot be used as both production and test listener rules: "
            + ", ".join(both)
        )
    for balancer in balancers:
        one = balancer["advancedConfiguration"]
        for member in ("productionListenerRule", "testListenerRule"):
            if one.get(member) and rules.weights(one[member]) is None:
                raise _refusal(f"The {member} {one[member]} does not exist.")
        groups = {balancer["targetGroupArn"], one["alternateTargetGroupArn"]}
        known = rules.weights(one["productionListenerRule"]) or {}
        is_network = ":listener/net/" in one["productionListenerRule"]
        if not is_network and not one.get("testListenerRule") and not groups <= set(known):
            raise _refusal(
                "For Application LoadBalancer, testListenerRule is required when "
                "productionListenerRule is not associated with both targetGroup and "
                "alternateTargetGroup"
            )


def live_group(balancer: dict[str, Any], rules: TrafficRules) -> str:
    """The one target group that the production rule sends traffic to.

    Raises:
        InvalidNetworking: there is not exactly one, or it is none of the service's pair.
    """
    advanced = balancer["advancedConfiguration"]
    rule = advanced["productionListenerRule"]
    first, second = balancer["targetGroupArn"], advanced["alternateTargetGroupArn"]
    production = rules.weights(rule) or {}
    test = rules.weights(advanced.get("testListenerRule") or "") or {}
    serving = [arn for arn, weight in production.items() if weight > 0]
    for arn in serving:
        if arn not in (first, second):
            raise InvalidNetworking(
                f"{_INVALID}Production listener rule is forwarding traffic to unexpected target "
                f"group {arn}. Expected traffic to be forwarded to either targetGroupArn: {first} "
                f"or alternateTargetGroupArn: {second}"
            )
    # A network load balancer's listener names one group; the other joins with the first shift.
    is_network = ":listener/net/" in rule
    if not is_network and not {first, second} <= production.keys() | test.keys():
        raise InvalidNetworking(
            f"{_INVALID}Both targetGroup and alternateTargetGroup must be associated with the "
            "productionListenerRule or testListenerRule."
        )
    if len(serving) != 1:
        raise InvalidNetworking(
            f"{_INVALID}productionListenerRule {rule} should have exactly one target group serving "
            f"traffic but found {len(serving)} target groups which are serving traffic"
        )
    return serving[0]


def idle_group(balancer: dict[str, Any], live: str) -> str:
    """The other one of the pair."""
    first: str = balancer["targetGroupArn"]
    second: str = balancer["advancedConfiguration"]["alternateTargetGroupArn"]
    return second if live == first else first


def resolved(balancer: dict[str, Any], group: str) -> dict[str, Any]:
    """A load balancer of a revision whose tasks stand in `group`."""
    rule = balancer["advancedConfiguration"]["productionListenerRule"]
    return {**balancer, "targetGroupArn": group, "productionListenerRule": rule}


def share(weights: dict[str, int] | None, groups: Iterable[str]) -> float:
    """Percent of a rule's traffic that goes to these groups."""
    whole = sum((weights or {}).values())
    mine = sum(weight for arn, weight in (weights or {}).items() if arn in set(groups))
    return 100.0 * mine / whole if whole else 0.0


def _advanced(balancer: dict[str, Any]) -> bool:
    return bool(balancer.get("advancedConfiguration"))


def _has_rule_format(arn: str) -> bool:
    return arn.startswith("arn:") and (":listener-rule/app/" in arn or ":listener/net/" in arn)


def _refusal(message: str) -> ApiError:
    return ApiError("InvalidParameterException", message)
