"""CloudFormation's resource types that our worlds make: ECS and Elastic Load Balancing v2."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .ecs import ClusterType, ServiceType, TaskDefinitionType
from .elbv2 import ListenerRuleType, ListenerType, LoadBalancerType, TargetGroupType

if TYPE_CHECKING:
    from ..engine import ResourceType
    from .api import Aws


def resource_types(aws: Aws) -> tuple[ResourceType, ...]:
    """Every type that is ours, over one way to call the worlds."""
    return (
        ClusterType(aws),
        TaskDefinitionType(aws),
        ServiceType(aws),
        LoadBalancerType(aws),
        TargetGroupType(aws),
        ListenerType(aws),
        ListenerRuleType(aws),
    )
