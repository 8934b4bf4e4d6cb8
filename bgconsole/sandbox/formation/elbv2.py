"""`AWS::ElasticLoadBalancingV2::` LoadBalancer, TargetGroup, Listener and ListenerRule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..engine import Provisioned
from .api import Aws, NotFound, generated_name
from .properties import changed, request_for

if TYPE_CHECKING:
    from ..engine import Properties
    from ..scope import Scope

_NAME_LIMIT = 32


class _Elbv2Type:
    """What the four types share: the calls, tags, and a delete that may find nothing."""

    reverts = False
    _delete = ""
    _arn_member = ""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def delete(self, scope: Scope, physical_id: str, properties: Properties) -> None:
        """Delete it; gone already is fine."""
        del properties
        try:
            self._call(scope, self._delete, {self._arn_member: physical_id})
        except NotFound:
            return

    def _call(self, scope: Scope, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        return self._aws.call(scope, "elbv2", operation, request)

    def _apply(
        self, scope: Scope, operation: str, properties: Properties, *names: str, **identity: str
    ) -> None:
        """Call `operation` with those of `names` that are among `properties`, if any is."""
        given = {name: properties[name] for name in names if name in properties}
        if given:
            self._call(scope, operation, identity | request_for("elbv2", operation, given))

    def _retag(self, scope: Scope, arn: str, old: Properties, new: Properties) -> None:
        before = {t["Key"]: t["Value"] for t in old.get("Tags") or ()}
        after = {t["Key"]: t["Value"] for t in new.get("Tags") or ()}
        if gone := sorted(before.keys() - after.keys()):
            self._call(scope, "RemoveTags", {"ResourceArns": [arn], "TagKeys": gone})
        if fresh := changed(before, after):
            tags = [{"Key": key, "Value": str(value)} for key, value in fresh.items()]
            self._call(scope, "AddTags", {"ResourceArns": [arn], "Tags": tags})

    def _set_attributes(
        self, scope: Scope, operation: str, properties: Properties, name: str, **identity: str
    ) -> None:
        if properties.get(name):
            given = {"Attributes": properties[name]}
            self._call(scope, operation, identity | request_for("elbv2", operation, given))


class LoadBalancerType(_Elbv2Type):
    """A load balancer: `!Ref` gives its ARN."""

    name = "AWS::ElasticLoadBalancingV2::LoadBalancer"
    create_only = ("Name", "Scheme", "Type")
    _delete = "DeleteLoadBalancer"
    _arn_member = "LoadBalancerArn"

    def create(
        self, scope: Scope, stack: str, logical_id: str, properties: Properties
    ) -> Provisioned:
        """CreateLoadBalancer with its attributes, then wait until it is active."""
        request = request_for(
            "elbv2", "CreateLoadBalancer", properties, left_out=("LoadBalancerAttributes",)
        )
        request.setdefault("Name", generated_name(stack, logical_id, _NAME_LIMIT))
        arn = self._call(scope, "CreateLoadBalancer", request)["LoadBalancers"][0][
            "LoadBalancerArn"
        ]
        self._attributes(scope, arn, properties)
        for _ in self._aws.until_settled():
            found = self._described(scope, arn)
            if found["State"]["Code"] != "provisioning":
                break
        return self._provisioned(found)

    def update(
        self, scope: Scope, physical_id: str, old: Properties, new: Properties
    ) -> Provisioned:
        """One call for each part that changed."""
        fresh = changed(old, new)
        arn = {"LoadBalancerArn": physical_id}
        self._apply(scope, "SetSubnets", fresh, "Subnets", "SubnetMappings", **arn)
        self._apply(scope, "SetSecurityGroups", fresh, "SecurityGroups", **arn)
        self._apply(scope, "SetIpAddressType", fresh, "IpAddressType", **arn)
        self._attributes(scope, physical_id, fresh)
        self._retag(scope, physical_id, old, new)
        return self._provisioned(self._described(scope, physical_id))

    def _attributes(self, scope: Scope, arn: str, properties: Properties) -> None:
        operation = "ModifyLoadBalancerAttributes"
        name = "LoadBalancerAttributes"
        self._set_attributes(scope, operation, properties, name, LoadBalancerArn=arn)

    def _described(self, scope: Scope, arn: str) -> dict[str, Any]:
        answer = self._call(scope, "DescribeLoadBalancers", {"LoadBalancerArns": [arn]})
        found: dict[str, Any] = answer["LoadBalancers"][0]
        return found

    def _provisioned(self, balancer: dict[str, Any]) -> Provisioned:
        arn = balancer["LoadBalancerArn"]
        return Provisioned(
            arn,
            {
                "LoadBalancerArn": arn,
                "LoadBalancerFullName": arn.partition(":loadbalancer/")[2],
                "LoadBalancerName": balancer["LoadBalancerName"],
                "DNSName": balancer["DNSName"],
                "CanonicalHostedZoneID": balancer.get("CanonicalHostedZoneId", ""),
                "SecurityGroups": balancer.get("SecurityGroups", []),
            },
        )


class TargetGroupType(_Elbv2Type):
    """A target group: `!Ref` gives its ARN."""

    name = "AWS::ElasticLoadBalancingV2::TargetGroup"
    create_only = (
        "IpAddressType",
        "Name",
        "Port",
        "Protocol",
        "ProtocolVersion",
        "TargetType",
        "VpcId",
    )
    _delete = "DeleteTargetGroup"
    _arn_member = "TargetGroupArn"

    def create(
        self, scope: Scope, stack: str, logical_id: str, properties: Properties
    ) -> Provisioned:
        """CreateTargetGroup with its attributes and fixed targets."""
        request = request_for(
            "elbv2",
            "CreateTargetGroup",
            properties,
            left_out=("TargetGroupAttributes", "Targets"),
        )
        request.setdefault("Name", generated_name(stack, logical_id, _NAME_LIMIT))
        made = self._call(scope, "CreateTargetGroup", request)["TargetGroups"][0]
        arn = made["TargetGroupArn"]
        self._attributes(scope, arn, properties)
        self._apply(scope, "RegisterTargets", properties, "Targets", TargetGroupArn=arn)
        return self._provisioned(made)

    def update(
        self, scope: Scope, physical_id: str, old: Properties, new: Properties
    ) -> Provisioned:
        """ModifyTargetGroup for the health check, then attributes and tags."""
        fresh = changed(old, new)
        own = ("TargetGroupAttributes", "Targets", "Tags")
        health = {name: value for name, value in fresh.items() if name not in own}
        self._apply(scope, "ModifyTargetGroup", health, *health, TargetGroupArn=physical_id)
        self._apply(scope, "RegisterTargets", fresh, "Targets", TargetGroupArn=physical_id)
        self._attributes(scope, physical_id, fresh)
        self._retag(scope, physical_id, old, new)
        answer = self._call(scope, "DescribeTargetGroups", {"TargetGroupArns": [physical_id]})
        return self._provisioned(answer["TargetGroups"][0])

    def _attributes(self, scope: Scope, arn: str, properties: Properties) -> None:
        operation = "ModifyTargetGroupAttributes"
        name = "TargetGroupAttributes"
        self._set_attributes(scope, operation, properties, name, TargetGroupArn=arn)

    def _provisioned(self, group: dict[str, Any]) -> Provisioned:
        arn = group["TargetGroupArn"]
        return Provisioned(
            arn,
            {
                "TargetGroupArn": arn,
                "TargetGroupFullName": f"targetgroup/{arn.partition(':targetgroup/')[2]}",
                "TargetGroupName": group["TargetGroupName"],
                "LoadBalancerArns": group.get("LoadBalancerArns", []),
            },
        )


class ListenerType(_Elbv2Type):
    """A listener: `!Ref` gives its ARN. Its port is bound on loopback by the load balancer."""

    name = "AWS::ElasticLoadBalancingV2::Listener"
    create_only = ("LoadBalancerArn",)
    _delete = "DeleteListener"
    _arn_member = "ListenerArn"

    def create(
        self, scope: Scope, stack: str, logical_id: str, properties: Properties
    ) -> Provisioned:
        """CreateListener."""
        del stack, logical_id
        request = request_for(
            "elbv2", "CreateListener", properties, left_out=("ListenerAttributes",)
        )
        made = self._call(scope, "CreateListener", request)["Listeners"][0]
        arn = made["ListenerArn"]
        self._attributes(scope, arn, properties)
        return Provisioned(arn, {"ListenerArn": arn})

    def update(
        self, scope: Scope, physical_id: str, old: Properties, new: Properties
    ) -> Provisioned:
        """ModifyListener with what changed."""
        fresh = changed(old, new)
        own = ("ListenerAttributes", "Tags")
        rest = {name: value for name, value in fresh.items() if name not in own}
        self._apply(scope, "ModifyListener", rest, *rest, ListenerArn=physical_id)
        self._attributes(scope, physical_id, fresh)
        self._retag(scope, physical_id, old, new)
        return Provisioned(physical_id, {"ListenerArn": physical_id})

    def _attributes(self, scope: Scope, arn: str, properties: Properties) -> None:
        operation = "ModifyListenerAttributes"
        self._set_attributes(scope, operation, properties, "ListenerAttributes", ListenerArn=arn)


class ListenerRuleType(_Elbv2Type):
    """A rule of a listener: `!Ref` gives its ARN."""

    name = "AWS::ElasticLoadBalancingV2::ListenerRule"
    create_only = ("ListenerArn",)
    _delete = "DeleteRule"
    _arn_member = "RuleArn"

    def create(
        self, scope: Scope, stack: str, logical_id: str, properties: Properties
    ) -> Provisioned:
        """CreateRule."""
        del stack, logical_id
        request = request_for("elbv2", "CreateRule", properties)
        made = self._call(scope, "CreateRule", request)["Rules"][0]
        return Provisioned(made["RuleArn"], {"RuleArn": made["RuleArn"], "IsDefault": False})

    def update(
        self, scope: Scope, physical_id: str, old: Properties, new: Properties
    ) -> Provisioned:
        """SetRulePriorities and ModifyRule, as far as they changed."""
        fresh = changed(old, new)
        if "Priority" in fresh:
            moved = {"RuleArn": physical_id, "Priority": int(fresh["Priority"])}
            self._call(scope, "SetRulePriorities", {"RulePriorities": [moved]})
        parts = ("Actions", "Conditions", "Transforms")
        self._apply(scope, "ModifyRule", fresh, *parts, RuleArn=physical_id)
        self._retag(scope, physical_id, old, new)
        return Provisioned(physical_id, {"RuleArn": physical_id, "IsDefault": False})
