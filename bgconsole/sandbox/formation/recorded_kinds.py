"""The types that are state only, as CloudFormation's resource schemas have them.

Top-level properties, their JSON types and enumerations, what is required and what replaces the
resource; `tests/unit/sandbox/test_recorded_kinds.py` holds each against the schema that cfn-lint
ships. What is inside an object is not looked at.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .api import ResourceFailure, generated_name

if TYPE_CHECKING:
    from ..engine import Properties
    from ..scope import Scope

Made = tuple[str, dict[str, Any]]
"""What `!Ref` gives, and what `!GetAtt` does."""

STRING, INTEGER, BOOLEAN, ARRAY, OBJECT = "string", "integer", "boolean", "array", "object"


@dataclass(frozen=True, slots=True)
class Kind:
    """One type."""

    name: str
    properties: Mapping[str, str]
    """Every property that a template may give, with its JSON type."""
    make: Callable[[Scope, str, str, Properties], Made]
    """From scope, stack, logical id and properties: a new resource."""
    attributes: Callable[[Scope, str, Properties], dict[str, Any]]
    """What `!GetAtt` gives for a physical id."""
    required: tuple[str, ...] = ()
    create_only: tuple[str, ...] = ()
    enums: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def check(self, properties: Properties) -> None:
        """Refuse what the schema does.

        Raises:
            ResourceFailure: a property that is unknown, missing, of a wrong type or value.
        """
        for name, value in properties.items():
            if name not in self.properties:
                raise _invalid(f"extraneous key [{name}] is not permitted")
            if not _fits(self.properties[name], value):
                raise _invalid(f"/{name}: expected type: {self.properties[name]}")
            allowed = self.enums.get(name)
            if allowed is not None and value not in allowed:
                raise _invalid(f"/{name}: {value} is not a valid enum value")
        for name in self.required:
            if name not in properties:
                raise _invalid(f"required key [{name}] not found")

    def again(self, scope: Scope, physical_id: str, properties: Properties) -> Made:
        """The same resource with other properties."""
        return physical_id, self.attributes(scope, physical_id, properties)


def _invalid(words: str) -> ResourceFailure:
    return ResourceFailure(f"Properties validation failed: #{words}", "InvalidRequest")


def _fits(kind: str, value: Any) -> bool:
    """Whether a resolved template value is of a JSON type; `!Ref` gives numbers as strings."""
    match kind:
        case "array":
            return isinstance(value, list)
        case "object":
            return isinstance(value, dict)
        case "integer":
            return str(value).lstrip("-").isdigit()
        case "boolean":
            return str(value).lower() in ("true", "false")
    return not isinstance(value, list | dict)


def _hex(prefix: str) -> str:
    return f"{prefix}-{secrets.token_hex(9)[:17]}"


def _numbered(prefix: str, attribute: str) -> dict[str, Any]:
    """`make` and `attributes` of a type whose id is a prefix and a random end."""

    def attributes(_: Scope, physical_id: str, __: Properties) -> dict[str, Any]:
        return {attribute: physical_id}

    def make(_: Scope, __: str, ___: str, ____: Properties) -> Made:
        made = _hex(prefix)
        return made, {attribute: made}

    return {"make": make, "attributes": attributes}


def _address(_: Scope, physical_id: str, __: Properties) -> dict[str, Any]:
    last = physical_id.rpartition(".")[2]
    return {"PublicIp": physical_id, "AllocationId": f"eipalloc-{int(last):017x}"}


def _new_address(scope: Scope, _: str, __: str, properties: Properties) -> Made:
    made = f"203.0.113.{secrets.randbelow(254) + 1}"  # an address block for documents
    return made, _address(scope, made, properties)


def _provider(_: Scope, physical_id: str, __: Properties) -> dict[str, Any]:
    return {"Arn": physical_id}


def _new_provider(scope: Scope, _: str, __: str, properties: Properties) -> Made:
    host = str(properties.get("Url", "")).removeprefix("https://")
    made = f"arn:aws:iam::{scope.account}:oidc-provider/{host}"
    return made, _provider(scope, made, properties)


def _pipeline(scope: Scope, physical_id: str, _: Properties) -> dict[str, Any]:
    arn = f"arn:aws:codepipeline:{scope.region}:{scope.account}:{physical_id}"
    return {"Arn": arn, "Version": "1"}


def _new_pipeline(scope: Scope, stack: str, logical_id: str, properties: Properties) -> Made:
    made = str(properties.get("Name") or generated_name(stack, logical_id, 100))
    return made, _pipeline(scope, made, properties)


def _connection(scope: Scope, physical_id: str, _: Properties) -> dict[str, Any]:
    return {
        "ConnectionArn": physical_id,
        # As on AWS until a person confirmed it in GitHub; here nobody can.
        "ConnectionStatus": "PENDING",
        "OwnerAccountId": scope.account,
    }


def _new_connection(scope: Scope, _: str, __: str, properties: Properties) -> Made:
    made = (
        f"arn:aws:codeconnections:{scope.region}:{scope.account}:connection/{secrets.token_hex(8)}"
    )
    return made, _connection(scope, made, properties)


def _target(_: Scope, physical_id: str, __: Properties) -> dict[str, Any]:
    return {"Id": physical_id}


def _new_target(scope: Scope, _: str, __: str, given: Properties) -> Made:
    parts = (given["ResourceId"], given["ScalableDimension"], given["ServiceNamespace"])
    made = "|".join(str(part) for part in parts)
    return made, _target(scope, made, given)


def _policy(_: Scope, physical_id: str, __: Properties) -> dict[str, Any]:
    return {"Arn": physical_id}


def _new_policy(scope: Scope, _: str, __: str, given: Properties) -> Made:
    target = str(given.get("ScalingTargetId") or given.get("ResourceId", "")).partition("|")[0]
    made = (
        f"arn:aws:autoscaling:{scope.region}:{scope.account}:scalingPolicy:"
        f"{secrets.token_hex(16)}:resource/ecs/{target}:policyName/{given['PolicyName']}"
    )
    return made, _policy(scope, made, given)


_RULE = {
    "CidrIp": STRING,
    "CidrIpv6": STRING,
    "Description": STRING,
    "FromPort": INTEGER,
    "GroupId": STRING,
    "IpProtocol": STRING,
    "ToPort": INTEGER,
}

KINDS = (
    Kind(
        "AWS::EC2::EIP",
        {
            "Address": STRING,
            "Domain": STRING,
            "InstanceId": STRING,
            "IpamPoolId": STRING,
            "NetworkBorderGroup": STRING,
            "PublicIpv4Pool": STRING,
            "Tags": ARRAY,
            "TransferAddress": STRING,
        },
        _new_address,
        _address,
        create_only=("Address", "IpamPoolId", "NetworkBorderGroup", "TransferAddress"),
    ),
    Kind(
        "AWS::EC2::NatGateway",
        {
            "AllocationId": STRING,
            "AvailabilityMode": STRING,
            "AvailabilityZoneAddresses": ARRAY,
            "ConnectivityType": STRING,
            "MaxDrainDurationSeconds": INTEGER,
            "PrivateIpAddress": STRING,
            "SecondaryAllocationIds": ARRAY,
            "SecondaryPrivateIpAddressCount": INTEGER,
            "SecondaryPrivateIpAddresses": ARRAY,
            "SubnetId": STRING,
            "Tags": ARRAY,
            "VpcId": STRING,
        },
        **_numbered("nat", "NatGatewayId"),
        create_only=(
            *("AllocationId", "AvailabilityMode", "ConnectivityType"),
            *("PrivateIpAddress", "SubnetId", "VpcId"),
        ),
        enums={
            "AvailabilityMode": ("regional", "zonal"),
            "ConnectivityType": ("private", "public"),
        },
    ),
    Kind(
        "AWS::EC2::FlowLog",
        {
            "DeliverCrossAccountRole": STRING,
            "DeliverLogsPermissionArn": STRING,
            "DestinationOptions": OBJECT,
            "LogDestination": STRING,
            "LogDestinationType": STRING,
            "LogFormat": STRING,
            "LogGroupName": STRING,
            "MaxAggregationInterval": INTEGER,
            "ResourceId": STRING,
            "ResourceType": STRING,
            "TagFieldSpecifications": ARRAY,
            "Tags": ARRAY,
            "TrafficType": STRING,
        },
        **_numbered("fl", "Id"),
        required=("ResourceId", "ResourceType"),
        create_only=(
            *("DeliverCrossAccountRole", "DeliverLogsPermissionArn", "DestinationOptions"),
            *("LogDestination", "LogDestinationType", "LogFormat", "LogGroupName"),
            *("MaxAggregationInterval", "ResourceId", "ResourceType", "TagFieldSpecifications"),
            "TrafficType",
        ),
        enums={
            "LogDestinationType": ("cloud-watch-logs", "s3", "kinesis-data-firehose"),
            "TrafficType": ("ACCEPT", "ALL", "REJECT"),
        },
    ),
    Kind(
        "AWS::EC2::SecurityGroupEgress",
        {**_RULE, "DestinationPrefixListId": STRING, "DestinationSecurityGroupId": STRING},
        **_numbered("sgr", "Id"),
        required=("GroupId", "IpProtocol"),
        create_only=(
            *("CidrIp", "CidrIpv6", "DestinationPrefixListId", "DestinationSecurityGroupId"),
            *("FromPort", "GroupId", "IpProtocol", "ToPort"),
        ),
    ),
    Kind(
        "AWS::EC2::SecurityGroupIngress",
        {
            **_RULE,
            "GroupName": STRING,
            "SourcePrefixListId": STRING,
            "SourceSecurityGroupId": STRING,
            "SourceSecurityGroupName": STRING,
            "SourceSecurityGroupOwnerId": STRING,
        },
        **_numbered("sgr", "Id"),
        required=("IpProtocol",),
        create_only=(
            *("CidrIp", "CidrIpv6", "FromPort", "GroupId", "GroupName", "IpProtocol"),
            *("SourcePrefixListId", "SourceSecurityGroupId", "SourceSecurityGroupName"),
            *("SourceSecurityGroupOwnerId", "ToPort"),
        ),
    ),
    Kind(
        "AWS::IAM::OIDCProvider",
        {"ClientIdList": ARRAY, "Tags": ARRAY, "ThumbprintList": ARRAY, "Url": STRING},
        _new_provider,
        _provider,
        create_only=("Url",),
    ),
    Kind(
        "AWS::CodeConnections::Connection",
        {"ConnectionName": STRING, "HostArn": STRING, "ProviderType": STRING, "Tags": ARRAY},
        _new_connection,
        _connection,
        required=("ConnectionName",),
        create_only=("ConnectionName", "HostArn", "ProviderType"),
    ),
    Kind(
        "AWS::CodePipeline::Pipeline",
        {
            "ArtifactStore": OBJECT,
            "ArtifactStores": ARRAY,
            "DisableInboundStageTransitions": ARRAY,
            "ExecutionMode": STRING,
            "Name": STRING,
            "PipelineType": STRING,
            "RestartExecutionOnUpdate": BOOLEAN,
            "RoleArn": STRING,
            "Stages": ARRAY,
            "Tags": ARRAY,
            "Triggers": ARRAY,
            "Variables": ARRAY,
        },
        _new_pipeline,
        _pipeline,
        required=("RoleArn", "Stages"),
        create_only=("Name",),
        enums={
            "ExecutionMode": ("QUEUED", "SUPERSEDED", "PARALLEL"),
            "PipelineType": ("V1", "V2"),
        },
    ),
    Kind(
        "AWS::ApplicationAutoScaling::ScalableTarget",
        {
            "MaxCapacity": INTEGER,
            "MinCapacity": INTEGER,
            "ResourceId": STRING,
            "RoleARN": STRING,
            "ScalableDimension": STRING,
            "ScheduledActions": ARRAY,
            "ServiceNamespace": STRING,
            "SuspendedState": OBJECT,
            "Tags": ARRAY,
        },
        _new_target,
        _target,
        required=(
            *("MaxCapacity", "MinCapacity", "ResourceId"),
            *("ScalableDimension", "ServiceNamespace"),
        ),
        create_only=("ResourceId", "ScalableDimension", "ServiceNamespace"),
    ),
    Kind(
        "AWS::ApplicationAutoScaling::ScalingPolicy",
        {
            "PolicyName": STRING,
            "PolicyType": STRING,
            "PredictiveScalingPolicyConfiguration": OBJECT,
            "ResourceId": STRING,
            "ScalableDimension": STRING,
            "ScalingTargetId": STRING,
            "ServiceNamespace": STRING,
            "StepScalingPolicyConfiguration": OBJECT,
            "TargetTrackingScalingPolicyConfiguration": OBJECT,
        },
        _new_policy,
        _policy,
        required=("PolicyName", "PolicyType"),
        create_only=(
            *("PolicyName", "ResourceId", "ScalableDimension"),
            *("ScalingTargetId", "ServiceNamespace"),
        ),
        enums={"PolicyType": ("PredictiveScaling", "StepScaling", "TargetTrackingScaling")},
    ),
)
"""In the order in which templates meet them."""
