"""The weights of listener rules, as ECS reads and moves them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from ..api import ApiError
from .state import Elbv2State, Rule, forwarded
from .targets import Targets


class TrafficRules(Protocol):
    """What a deployment that shifts traffic needs of the load balancer."""

    def weights(self, rule_arn: str) -> dict[str, int] | None:
        """Target group to weight; `None` when there is no such rule."""
        ...

    def move(self, rule_arn: str, weights: Mapping[str, int]) -> None:
        """Rewrite the rule's forward action to these weights; requests follow at once."""
        ...


class Weights:
    """Listener rules by ARN; of a network load balancer, its listener stands for the rule."""

    def __init__(self, state: Elbv2State, targets: Targets) -> None:
        self._state = state
        self._targets = targets

    def weights(self, rule_arn: str) -> dict[str, int] | None:
        """Target group to weight; `None` when there is no such rule."""
        rule = self._rule(rule_arn)
        return None if rule is None else forwarded(rule.actions)

    def move(self, rule_arn: str, weights: Mapping[str, int]) -> None:
        """Rewrite the rule's forward action; a rule that is gone stays gone."""
        rule = self._rule(rule_arn)
        if rule is None:
            return
        before = next((a for a in rule.actions if a.get("Type") == "forward"), {})
        sticky = before.get("ForwardConfig", {}).get("TargetGroupStickinessConfig")
        action: dict[str, Any] = {
            "Type": "forward",
            "ForwardConfig": {
                "TargetGroups": [
                    {"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items()
                ],
                "TargetGroupStickinessConfig": sticky or {"Enabled": False},
            },
        }
        if "Order" in before:
            action["Order"] = before["Order"]
        rule.actions = [*(a for a in rule.actions if a.get("Type") != "forward"), action]
        self._targets.usage_changed()

    def _rule(self, arn: str) -> Rule | None:
        listener = self._state.listeners.get(arn)
        if listener is not None:
            return next(rule for rule in listener.rules.values() if rule.priority is None)
        try:
            return self._state.rule(arn)
        except ApiError:
            return None
