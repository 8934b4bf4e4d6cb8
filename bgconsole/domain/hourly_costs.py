"""Which resource types of a template are paid by the hour or by the metric while they stand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

BY_THE_HOUR: Mapping[str, str] = MappingProxyType(
    {
        "AWS::EC2::NatGateway": "NAT gateway, by the hour and by the byte",
        "AWS::EC2::EIP": "public IPv4 address, by the hour",
        "AWS::EC2::VPCEndpoint": "VPC endpoint, an interface one by the hour, a gateway free",
        "AWS::RDS::DBInstance": "database instance and its storage, by the hour",
        "AWS::ElasticLoadBalancingV2::LoadBalancer": "load balancer, by the hour and by its use",
        "AWS::ECS::Service": "service: each running Fargate task, by the second",
        "AWS::SecretsManager::Secret": "secret, by the month",
        "AWS::CloudWatch::Alarm": "alarm, by the month",
        "AWS::CloudWatch::Dashboard": "dashboard, by the month",
        "AWS::CodePipeline::Pipeline": "pipeline, by its minutes",
    }
)
"""AWS's price lists say how much; it differs by region."""


def hourly(kinds: Iterable[str]) -> tuple[str, ...]:
    """`2 × NAT gateway, by the hour …`: of resource types, one for each resource, in this order."""
    kinds = list(kinds)
    return tuple(
        f"{kinds.count(kind)} × {words}" for kind, words in BY_THE_HOUR.items() if kind in kinds
    )
