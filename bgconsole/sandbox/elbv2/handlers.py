"""Elastic Load Balancing v2: every operation the sandbox answers, by its API name."""

from __future__ import annotations

from ..api import Request, Response
from ..clock import Clock
from ..dispatch import Operation, answer
from ..names import Names
from ..runtime.port import Prober
from .listeners import ListenerOperations
from .load_balancers import LoadBalancerOperations
from .routing import DataPlane
from .state import Elbv2State
from .target_groups import TargetGroupOperations
from .targets import Targets
from .weights import Weights


class Elbv2:
    """The service: handlers for the wire, `targets` for ECS, `state` for the traffic."""

    def __init__(
        self, *, names: Names, clock: Clock, prober: Prober, data_plane: DataPlane
    ) -> None:
        self.state = Elbv2State()
        self.targets = Targets(self.state, clock, prober)
        self.weights = Weights(self.state, self.targets)
        balancers = LoadBalancerOperations(self.state, names, clock)
        listeners = ListenerOperations(self.state, names, self.targets, data_plane)
        groups = TargetGroupOperations(self.state, names, self.targets)

        def delete_load_balancer(request: Request) -> Response:
            listeners.close_listeners_of(request)
            return balancers.delete_load_balancer(request)

        self.operations: dict[str, Operation] = {
            "CreateLoadBalancer": balancers.create_load_balancer,
            "DescribeLoadBalancers": balancers.describe_load_balancers,
            "DeleteLoadBalancer": delete_load_balancer,
            "DescribeLoadBalancerAttributes": balancers.describe_load_balancer_attributes,
            "ModifyLoadBalancerAttributes": balancers.modify_load_balancer_attributes,
            "SetSubnets": balancers.set_subnets,
            "SetSecurityGroups": balancers.set_security_groups,
            "SetIpAddressType": balancers.set_ip_address_type,
            "AddTags": balancers.add_tags,
            "RemoveTags": balancers.remove_tags,
            "DescribeTags": balancers.describe_tags,
            "CreateListener": listeners.create_listener,
            "DescribeListeners": listeners.describe_listeners,
            "ModifyListener": listeners.modify_listener,
            "DeleteListener": listeners.delete_listener,
            "CreateRule": listeners.create_rule,
            "DescribeRules": listeners.describe_rules,
            "ModifyRule": listeners.modify_rule,
            "DeleteRule": listeners.delete_rule,
            "SetRulePriorities": listeners.set_rule_priorities,
            "CreateTargetGroup": groups.create_target_group,
            "DescribeTargetGroups": groups.describe_target_groups,
            "ModifyTargetGroup": groups.modify_target_group,
            "DeleteTargetGroup": groups.delete_target_group,
            "DescribeTargetGroupAttributes": groups.describe_target_group_attributes,
            "ModifyTargetGroupAttributes": groups.modify_target_group_attributes,
            "RegisterTargets": groups.register_targets,
            "DeregisterTargets": groups.deregister_targets,
            "DescribeTargetHealth": groups.describe_target_health,
        }

    def handle(self, operation: str, request: Request) -> Response:
        """Answer one operation; unknown ones get InvalidAction."""
        return answer(self.operations, "InvalidAction", operation, request)
