"""Operations on listeners and their rules; a listener binds a real port or is refused."""

from __future__ import annotations

from functools import partial
from typing import Any

from ..api import ApiError, Request, Response
from ..names import Names
from ..paging import page
from .routing import DataPlane, Incoming, Route, choose
from .state import Elbv2State, Listener, Rule, forwarded, tag_dict
from .targets import Targets

_PROTOCOLS = ("HTTP", "TCP")
_ACTIONS = ("forward", "fixed-response", "redirect")


class ListenerOperations:
    """CreateListener to SetRulePriorities."""

    def __init__(
        self, state: Elbv2State, names: Names, targets: Targets, data_plane: DataPlane
    ) -> None:
        self._state = state
        self._names = names
        self._targets = targets
        self._data_plane = data_plane

    def create_listener(self, request: Request) -> Response:
        """Bind the listener's port on loopback and serve its default action."""
        balancer = self._state.load_balancer(request["LoadBalancerArn"])
        port = int(request["Port"])
        protocol = request.get("Protocol", "HTTP")
        if protocol not in _PROTOCOLS:
            raise ApiError(
                "UnsupportedProtocol",
                f"The sandbox does not reproduce {protocol} listeners, only HTTP and TCP",
            )
        for known in self._state.listeners.values():
            if (known.load_balancer_arn, known.settings["Port"]) == (balancer.arn, port):
                raise ApiError(
                    "DuplicateListener",
                    "A listener already exists on this port for this load balancer "
                    f"'{balancer.arn}'",
                )
        actions = self._actions(request["DefaultActions"])
        tail = balancer.arn.partition("loadbalancer/")[2]
        arn = self._names.elb(f"listener/{tail}/{self._names.hex(16)}")
        listener = Listener(arn, balancer.arn, port, protocol, {"Port": port}, {})
        listener.tags.update(tag_dict(request.get("Tags")))
        try:
            listener.port = self._data_plane.listen(arn, port, partial(self._route, listener))
        except OSError as error:
            raise ApiError(
                "InvalidConfigurationRequest",
                f"The sandbox cannot listen on 127.0.0.1:{port} for load balancer "
                f"'{balancer.name}': {error.strerror or error}",
            ) from error
        self._state.listeners[arn] = listener
        default = self._rule(listener, None, [], actions, {})
        listener.rules[default.arn] = default
        self._targets.usage_changed()
        return {"Listeners": [_listener(listener)]}

    def describe_listeners(self, request: Request) -> Response:
        """The listeners of a load balancer, or those named, with the ports really bound."""
        if arns := request.get("ListenerArns"):
            found = [self._state.listener(arn) for arn in arns]
        elif balancer := request.get("LoadBalancerArn"):
            self._state.load_balancer(balancer)
            found = [
                one for one in self._state.listeners.values() if one.load_balancer_arn == balancer
            ]
        else:
            raise ApiError(
                "ValidationError", "You must specify either listener ARNs or a load balancer ARN"
            )
        shown, following = _page(found, request)
        return {"Listeners": [_listener(one) for one in shown], "NextMarker": following}

    def modify_listener(self, request: Request) -> Response:
        """Change the default action; another port would need a new listener here."""
        listener = self._state.listener(request["ListenerArn"])
        port = request.get("Port")
        if port is not None and int(port) not in (listener.port, listener.settings["Port"]):
            raise ApiError(
                "InvalidConfigurationRequest",
                "The sandbox does not move a listener to another port: create a new one",
            )
        if actions := request.get("DefaultActions"):
            default = next(r for r in listener.rules.values() if r.priority is None)
            default.actions = self._actions(actions)
            self._targets.usage_changed()
        return {"Listeners": [_listener(listener)]}

    def delete_listener(self, request: Request) -> Response:
        """Close the port and forget the listener with its rules."""
        arn = request["ListenerArn"]
        self._state.listener(arn)
        self._data_plane.stop_listening(arn)
        del self._state.listeners[arn]
        self._targets.usage_changed()
        return {}

    def close_listeners_of(self, request: Request) -> None:
        """Close every listener of the load balancer that is being deleted."""
        for listener in list(self._state.listeners.values()):
            if listener.load_balancer_arn == request["LoadBalancerArn"]:
                self.delete_listener({"ListenerArn": listener.arn})

    def create_rule(self, request: Request) -> Response:
        """Add a rule; a priority is used once."""
        listener = self._state.listener(request["ListenerArn"])
        priority = int(request["Priority"])
        self._free(listener, priority)
        rule = self._rule(
            listener,
            priority,
            list(request["Conditions"]),
            self._actions(request["Actions"]),
            tag_dict(request.get("Tags")),
        )
        listener.rules[rule.arn] = rule
        self._targets.usage_changed()
        return {"Rules": [_rule(rule)]}

    def describe_rules(self, request: Request) -> Response:
        """The rules of a listener in order, or those named."""
        if arns := request.get("RuleArns"):
            found = [self._state.rule(arn) for arn in arns]
        elif listener := request.get("ListenerArn"):
            found = self._state.listener(listener).in_order()
        else:
            raise ApiError("ValidationError", "A listener ARN or rule ARNs must be specified")
        shown, following = _page(found, request)
        return {"Rules": [_rule(rule) for rule in shown], "NextMarker": following}

    def modify_rule(self, request: Request) -> Response:
        """Change conditions or actions; new weights move the traffic at once."""
        rule = self._state.rule(request["RuleArn"])
        if actions := request.get("Actions"):
            rule.actions = self._actions(actions)
        if conditions := request.get("Conditions"):
            rule.conditions = list(conditions)
        self._targets.usage_changed()
        return {"Rules": [_rule(rule)]}

    def delete_rule(self, request: Request) -> Response:
        """Remove a rule; the default rule stays with its listener."""
        rule = self._state.rule(request["RuleArn"])
        if rule.priority is None:
            raise ApiError("OperationNotPermitted", "Default rule cannot be deleted")
        del self._state.listener(rule.listener_arn).rules[rule.arn]
        self._targets.usage_changed()
        return {}

    def set_rule_priorities(self, request: Request) -> Response:
        """Give rules other priorities."""
        changed = []
        for pair in request["RulePriorities"]:
            rule = self._state.rule(pair["RuleArn"])
            rule.priority = int(pair["Priority"])
            changed.append(rule)
        return {"Rules": [_rule(rule) for rule in changed]}

    def _route(self, listener: Listener, incoming: Incoming) -> Route:
        return choose(listener, self._state.target_groups, incoming, self._names.rng)

    def _free(self, listener: Listener, priority: int) -> None:
        if any(rule.priority == priority for rule in listener.rules.values()):
            raise ApiError("PriorityInUse", f"Priority '{priority}' is currently in use")

    def _actions(self, actions: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for action in actions:
            if action["Type"] not in _ACTIONS:
                raise ApiError(
                    "InvalidLoadBalancerAction",
                    f"The sandbox does not reproduce actions of type '{action['Type']}'",
                )
        for arn in forwarded(actions):
            self._state.target_group(arn)
        return [_with_forward_config(action) for action in actions]

    def _rule(
        self,
        listener: Listener,
        priority: int | None,
        conditions: list[dict[str, Any]],
        actions: list[dict[str, Any]],
        tags: dict[str, str],
    ) -> Rule:
        tail = listener.arn.partition("listener/")[2]
        arn = self._names.elb(f"listener-rule/{tail}/{self._names.hex(16)}")
        return Rule(arn, listener.arn, priority, conditions, actions, tags)


def _with_forward_config(action: dict[str, Any]) -> dict[str, Any]:
    """A forward action as AWS shows it: always with weights, and with one group its ARN too."""
    if action["Type"] != "forward":
        return action
    weights = forwarded([action])
    config = dict(action.get("ForwardConfig", {}))
    config["TargetGroups"] = [
        {"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items()
    ]
    config.setdefault("TargetGroupStickinessConfig", {"Enabled": False})
    shown = {**action, "ForwardConfig": config}
    if len(weights) == 1:
        shown["TargetGroupArn"] = next(iter(weights))
    else:
        shown.pop("TargetGroupArn", None)
    return shown


def _listener(listener: Listener) -> Response:
    default = next(rule for rule in listener.rules.values() if rule.priority is None)
    return {
        "ListenerArn": listener.arn,
        "LoadBalancerArn": listener.load_balancer_arn,
        "Port": listener.port,
        "Protocol": listener.protocol,
        "DefaultActions": default.actions,
    }


def _rule(rule: Rule) -> Response:
    return {
        "RuleArn": rule.arn,
        "Priority": "default" if rule.priority is None else str(rule.priority),
        "Conditions": rule.conditions,
        "Actions": rule.actions,
        "IsDefault": rule.priority is None,
    }


def _page(found: list[Any], request: Request) -> tuple[list[Any], str | None]:
    size = request.get("PageSize", 400)
    return page(found, token=request.get("Marker"), size=size, error="ValidationError")
