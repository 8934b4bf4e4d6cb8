"""Operations on target groups and their targets."""

from __future__ import annotations

from typing import Any

from ..api import ApiError, Request, Response
from ..names import Names
from ..paging import page
from .state import Elbv2State, TargetGroup, tag_dict
from .targets import Targets

ATTRIBUTES = {
    "deregistration_delay.timeout_seconds": "300",
    "stickiness.enabled": "false",
    "stickiness.type": "lb_cookie",
    "stickiness.lb_cookie.duration_seconds": "86400",
    "slow_start.duration_seconds": "0",
    "load_balancing.algorithm.type": "round_robin",
}
"""Attributes of a new group with AWS's defaults."""

_HEALTH_MEMBERS = (
    "HealthCheckProtocol",
    "HealthCheckPort",
    "HealthCheckEnabled",
    "HealthCheckPath",
    "HealthCheckIntervalSeconds",
    "HealthCheckTimeoutSeconds",
    "HealthyThresholdCount",
    "UnhealthyThresholdCount",
    "Matcher",
)


class TargetGroupOperations:
    """CreateTargetGroup to DescribeTargetHealth."""

    def __init__(self, state: Elbv2State, names: Names, targets: Targets) -> None:
        self._state = state
        self._names = names
        self._targets = targets

    def create_target_group(self, request: Request) -> Response:
        """Make a group; the same name with other settings is refused."""
        name = request["Name"]
        if len(name) > 32:
            raise ApiError(
                "ValidationError",
                f"Target group name '{name}' cannot be longer than '32' characters",
            )
        settings = _settings(request)
        for known in self._state.target_groups.values():
            if known.name == name:
                if known.settings == settings:
                    return {"TargetGroups": [self._shown(known)]}
                raise ApiError(
                    "DuplicateTargetGroupName",
                    f"A target group with the same name '{name}' exists, "
                    "but with different settings",
                )
        arn = self._names.elb(f"targetgroup/{name}/{self._names.hex(16)}")
        group = TargetGroup(arn, name, settings, dict(ATTRIBUTES), tag_dict(request.get("Tags")))
        self._state.target_groups[arn] = group
        return {"TargetGroups": [self._shown(group)]}

    def describe_target_groups(self, request: Request) -> Response:
        """All groups, or those named, or those of a load balancer."""
        groups = list(self._state.target_groups.values())
        if arns := request.get("TargetGroupArns"):
            groups = [self._state.target_group(arn) for arn in arns]
        elif names := request.get("Names"):
            by_name = {group.name: group for group in groups}
            if missing := [name for name in names if name not in by_name]:
                raise ApiError("TargetGroupNotFound", f"Target groups '{missing}' not found")
            groups = [by_name[name] for name in names]
        elif balancer := request.get("LoadBalancerArn"):
            self._state.load_balancer(balancer)
            groups = [g for g in groups if balancer in self._state.users_of(g.arn)]
        shown, following = page(
            groups,
            token=request.get("Marker"),
            size=request.get("PageSize", 400),
            error="ValidationError",
        )
        return {"TargetGroups": [self._shown(g) for g in shown], "NextMarker": following}

    def modify_target_group(self, request: Request) -> Response:
        """Change a group's health checks."""
        group = self._state.target_group(request["TargetGroupArn"])
        changes = {k: request[k] for k in _HEALTH_MEMBERS if request.get(k) is not None}
        group.settings.update(changes)
        return {"TargetGroups": [self._shown(group)]}

    def delete_target_group(self, request: Request) -> Response:
        """Forget a group that no rule uses."""
        arn = request["TargetGroupArn"]
        group = self._state.target_groups.get(arn)
        if group is None:
            return {}
        if self._state.users_of(arn):
            raise ApiError(
                "ResourceInUse", f"Target group '{arn}' is currently in use by a listener or a rule"
            )
        self._targets.forget(group)
        del self._state.target_groups[arn]
        return {}

    def describe_target_group_attributes(self, request: Request) -> Response:
        """The attributes as Key/Value pairs."""
        return _attributes(self._state.target_group(request["TargetGroupArn"]))

    def modify_target_group_attributes(self, request: Request) -> Response:
        """Set attributes; the deregistration delay is the one that the world obeys."""
        group = self._state.target_group(request["TargetGroupArn"])
        for attribute in request["Attributes"]:
            group.attributes[attribute["Key"]] = attribute.get("Value", "")
        return _attributes(group)

    def register_targets(self, request: Request) -> Response:
        """Register addresses and begin to check them."""
        group = self._state.target_group(request["TargetGroupArn"])
        for target in request["Targets"]:
            port = int(target.get("Port") or group.settings["Port"])
            zone = target.get("AvailabilityZone")
            self._targets.register(group.arn, (target["Id"], port), zone)
        return {}

    def deregister_targets(self, request: Request) -> Response:
        """Begin to drain targets."""
        group = self._state.target_group(request["TargetGroupArn"])
        for target in request["Targets"]:
            port = int(target.get("Port") or group.settings["Port"])
            self._targets.deregister(group.arn, (target["Id"], port))
        return {}

    def describe_target_health(self, request: Request) -> Response:
        """The health of every target, or of those asked for."""
        group = self._state.target_group(request["TargetGroupArn"])
        wanted = [
            (target["Id"], int(target.get("Port") or group.settings["Port"]))
            for target in request.get("Targets") or []
        ] or list(group.targets)
        return {"TargetHealthDescriptions": [_health(group, key) for key in wanted]}

    def _shown(self, group: TargetGroup) -> Response:
        return {
            "TargetGroupArn": group.arn,
            "TargetGroupName": group.name,
            "LoadBalancerArns": self._state.users_of(group.arn),
            **group.settings,
        }


def _settings(request: Request) -> dict[str, Any]:
    protocol = request.get("Protocol", "HTTP")
    tcp = protocol in ("TCP", "TLS", "UDP", "TCP_UDP")
    check = request.get("HealthCheckProtocol") or ("TCP" if tcp else "HTTP")
    settings: dict[str, Any] = {
        "Protocol": protocol,
        "Port": request.get("Port", 80),
        "VpcId": request.get("VpcId"),
        "TargetType": request.get("TargetType", "instance"),
        "IpAddressType": request.get("IpAddressType", "ipv4"),
        "ProtocolVersion": None if tcp else request.get("ProtocolVersion", "HTTP1"),
        "HealthCheckProtocol": check,
        "HealthCheckPort": request.get("HealthCheckPort", "traffic-port"),
        "HealthCheckEnabled": request.get("HealthCheckEnabled", True),
        "HealthCheckIntervalSeconds": request.get("HealthCheckIntervalSeconds", 30),
        "HealthCheckTimeoutSeconds": request.get("HealthCheckTimeoutSeconds", 10 if tcp else 5),
        "HealthyThresholdCount": request.get("HealthyThresholdCount", 5),
        "UnhealthyThresholdCount": request.get("UnhealthyThresholdCount", 2),
    }
    if check != "TCP":
        settings["HealthCheckPath"] = request.get("HealthCheckPath", "/")
        settings["Matcher"] = request.get("Matcher") or {"HttpCode": "200"}
    return settings


def _attributes(group: TargetGroup) -> Response:
    pairs = [{"Key": key, "Value": value} for key, value in group.attributes.items()]
    return {"Attributes": pairs}


def _health(group: TargetGroup, key: tuple[str, int]) -> Response:
    target = group.targets.get(key)
    port = group.settings["HealthCheckPort"]
    shown_port = str(key[1]) if port == "traffic-port" else port
    if target is None:
        return {
            "Target": {"Id": key[0], "Port": key[1]},
            "HealthCheckPort": shown_port,
            "TargetHealth": {
                "State": "unused",
                "Reason": "Target.NotRegistered",
                "Description": "Target is not registered to the target group",
            },
        }
    return {
        "Target": {"Id": target.id, "Port": target.port, "AvailabilityZone": target.zone},
        "HealthCheckPort": shown_port,
        "TargetHealth": {
            "State": target.state,
            "Reason": target.reason,
            "Description": target.description,
        },
    }
