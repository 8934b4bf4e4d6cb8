"""The deployment configuration of a service: AWS's defaults, what is kept, what is refused."""

from __future__ import annotations

from typing import Any

from ..api import ApiError, Request
from .stages import HOOK_STAGES, NO_PAUSE_STAGES, SHIFTING

BAKE_MINUTES = 15
"""Bake time of the strategies that shift traffic, unless it is set."""

PAUSE_MINUTES = 1440
"""How long a pause waits, unless it is set."""

_PAUSES_ALLOWED = 10
_CANARY = {"canaryPercent": 5.0, "canaryBakeTimeInMinutes": 10}
_LINEAR = {"stepPercent": 10.0, "stepBakeTimeInMinutes": 6}


def configuration(old: dict[str, Any], request: Request) -> dict[str, Any]:
    """The deployment configuration after a request; members not given stay as they were.

    As observed, a canary or linear part that does not belong to the strategy is dropped in silence.

    Raises:
        ApiError: InvalidParameterException; also for what the sandbox does not reproduce.
    """
    given = request.get("deploymentConfiguration") or {}
    strategy = given.get("strategy") or old.get("strategy", "ROLLING")
    merged: dict[str, Any] = {
        "deploymentCircuitBreaker": {"enable": False, "rollback": False},
        "maximumPercent": 200,
        "minimumHealthyPercent": 100,
        **old,
        **{key: value for key, value in given.items() if value is not None},
        "strategy": strategy,
    }
    if given.get("bakeTimeInMinutes") is None and strategy != old.get("strategy"):
        merged["bakeTimeInMinutes"] = BAKE_MINUTES if strategy in SHIFTING else 0
    canary, linear = merged.pop("canaryConfiguration", {}), merged.pop("linearConfiguration", {})
    if strategy == "CANARY":
        merged["canaryConfiguration"] = {**_CANARY, **canary}
    if strategy == "LINEAR":
        merged["linearConfiguration"] = {**_LINEAR, **linear}
    _check_ranges(merged)
    _check_hooks(merged)
    if merged.get("earlySuccessCriteria"):
        raise _refusal("The sandbox does not reproduce earlySuccessCriteria yet.")
    return merged


def _check_ranges(merged: dict[str, Any]) -> None:
    canary, linear = merged.get("canaryConfiguration", {}), merged.get("linearConfiguration", {})
    for name, value, least, most in (
        ("bakeTimeInMinutes", merged["bakeTimeInMinutes"], 0, 1440),
        ("canaryPercent", canary.get("canaryPercent"), 0.1, 100),
        ("canaryBakeTimeInMinutes", canary.get("canaryBakeTimeInMinutes"), 0, 1440),
        ("stepPercent", linear.get("stepPercent"), 3, 100),
        ("stepBakeTimeInMinutes", linear.get("stepBakeTimeInMinutes"), 0, 1440),
    ):
        if value is not None and not least <= value <= most:
            raise _refusal(f"{name} must be between {least} and {most}.")


def _check_hooks(merged: dict[str, Any]) -> None:
    hooks = merged.get("lifecycleHooks") or []
    if hooks and merged["strategy"] not in SHIFTING:
        raise _refusal("The sandbox reproduces lifecycle hooks for BLUE_GREEN, LINEAR and CANARY.")
    if len(hooks) > _PAUSES_ALLOWED:
        raise _refusal(f"A service can have at most {_PAUSES_ALLOWED} pause hooks.")
    for hook in hooks:
        if hook.get("targetType", "AWS_LAMBDA") != "PAUSE":
            raise _refusal(
                "The sandbox does not reproduce lifecycle hooks of the target type AWS_LAMBDA, "
                "only PAUSE."
            )
        for stage in hook.get("lifecycleStages") or []:
            if stage not in HOOK_STAGES:
                raise _refusal(f"{stage} is not a lifecycle stage for hooks.")
            if stage in NO_PAUSE_STAGES:
                raise _refusal(f"A PAUSE hook cannot be at the lifecycle stage {stage}.")
        minutes = (hook.get("timeoutConfiguration") or {}).get("timeoutInMinutes", PAUSE_MINUTES)
        if not 1 <= minutes <= 20160:
            raise _refusal("timeoutInMinutes must be between 1 and 20160.")


def _refusal(message: str) -> ApiError:
    return ApiError("InvalidParameterException", message)
