"""`AWS::ECS::Cluster`, `AWS::ECS::TaskDefinition` and `AWS::ECS::Service`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..engine import Provisioned
from .api import Aws, NotFound, generated_name
from .properties import changed, changed_or_reset, request_for
from .stability import deployments_of, wait_until_gone, wait_until_stable

if TYPE_CHECKING:
    from ..engine import Properties
    from ..scope import Scope


_CAPACITY = ("CapacityProviders", "DefaultCapacityProviderStrategy")

_CONFIGURATION_DEFAULTS: dict[str, Any] = {
    "Strategy": "ROLLING",
    "MaximumPercent": 200,
    "MinimumHealthyPercent": 100,
    "DeploymentCircuitBreaker": {"Enable": False, "Rollback": False},
    "Alarms": {"AlarmNames": [], "Enable": False, "Rollback": False},
    "LifecycleHooks": [],
}
_SERVICE_DEFAULTS: dict[str, Any] = {
    "AvailabilityZoneRebalancing": "ENABLED",
    "DeploymentConfiguration": {},
    "EnableECSManagedTags": False,
    "EnableExecuteCommand": False,
    "HealthCheckGracePeriodSeconds": 0,
    "LoadBalancers": [],
    "PlacementConstraints": [],
    "PlacementStrategies": [],
    "PropagateTags": "NONE",
    "ServiceRegistries": [],
}
"""What a property means that an updated template no longer gives."""


class ClusterType:
    """A cluster: `!Ref` gives its name."""

    name = "AWS::ECS::Cluster"
    create_only = ("ClusterName",)
    reverts = False
    _renamed = {"ClusterSettings": "settings"}  # noqa: RUF012 - read only

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def create(
        self, scope: Scope, stack: str, logical_id: str, properties: Properties
    ) -> Provisioned:
        """CreateCluster."""
        request = request_for("ecs", "CreateCluster", properties, renamed=self._renamed)
        request.setdefault("clusterName", generated_name(stack, logical_id))
        cluster = self._aws.call(scope, "ecs", "CreateCluster", request)["cluster"]
        return Provisioned(cluster["clusterName"], {"Arn": cluster["clusterArn"]})

    def update(
        self, scope: Scope, physical_id: str, old: Properties, new: Properties
    ) -> Provisioned:
        """UpdateCluster, PutClusterCapacityProviders and tags, as far as they changed."""
        fresh = changed_or_reset(old, new, {name: [] for name in _CAPACITY})
        request = request_for(
            "ecs",
            "UpdateCluster",
            {"Cluster": physical_id, **fresh},
            renamed=self._renamed,
            left_out=("Tags", *_CAPACITY),
        )
        cluster = self._aws.call(scope, "ecs", "UpdateCluster", request)["cluster"]
        if set(_CAPACITY) & fresh.keys():
            both = {name: new.get(name, []) for name in _CAPACITY}
            named = {"Cluster": physical_id, **both}
            request = request_for("ecs", "PutClusterCapacityProviders", named)
            self._aws.call(scope, "ecs", "PutClusterCapacityProviders", request)
        _retag(self._aws, scope, cluster["clusterArn"], old, new)
        return Provisioned(physical_id, {"Arn": cluster["clusterArn"]})

    def delete(self, scope: Scope, physical_id: str, properties: Properties) -> None:
        """DeleteCluster."""
        del properties
        _unless_gone(self._aws, scope, "DeleteCluster", {"cluster": physical_id})


class TaskDefinitionType:
    """A revision of a task definition: every change makes a new one; `!Ref` gives its ARN."""

    name = "AWS::ECS::TaskDefinition"
    create_only = (
        "Family",
        "ContainerDefinitions",
        "Cpu",
        "EnableFaultInjection",
        "EphemeralStorage",
        "ExecutionRoleArn",
        "InferenceAccelerators",
        "IpcMode",
        "Memory",
        "NetworkMode",
        "PidMode",
        "PlacementConstraints",
        "ProxyConfiguration",
        "RequiresCompatibilities",
        "RuntimePlatform",
        "TaskRoleArn",
        "Volumes",
    )
    reverts = False

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def create(
        self, scope: Scope, stack: str, logical_id: str, properties: Properties
    ) -> Provisioned:
        """RegisterTaskDefinition."""
        request = request_for("ecs", "RegisterTaskDefinition", properties)
        request.setdefault("family", generated_name(stack, logical_id))
        made = self._aws.call(scope, "ecs", "RegisterTaskDefinition", request)["taskDefinition"]
        arn = made["taskDefinitionArn"]
        return Provisioned(arn, {"TaskDefinitionArn": arn})

    def update(
        self, scope: Scope, physical_id: str, old: Properties, new: Properties
    ) -> Provisioned:
        """Only tags can change in place."""
        _retag(self._aws, scope, physical_id, old, new)
        return Provisioned(physical_id, {"TaskDefinitionArn": physical_id})

    def delete(self, scope: Scope, physical_id: str, properties: Properties) -> None:
        """DeregisterTaskDefinition: the revision turns INACTIVE."""
        del properties
        request = {"taskDefinition": physical_id}
        _unless_gone(self._aws, scope, "DeregisterTaskDefinition", request)


class ServiceType:
    """A service: made, changed and removed only when its deployment says so.

    `!Ref` gives its ARN.
    """

    name = "AWS::ECS::Service"
    create_only = ("Cluster", "Role", "SchedulingStrategy", "ServiceName")
    reverts = True
    _renamed = {"PlacementStrategies": "placementStrategy"}  # noqa: RUF012 - read only

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def create(
        self, scope: Scope, stack: str, logical_id: str, properties: Properties
    ) -> Provisioned:
        """CreateService, then wait for its first deployment.

        Raises:
            ResourceFailure: the deployment failed, or the service was refused.
        """
        request = request_for(
            "ecs",
            "CreateService",
            properties,
            renamed=self._renamed,
            left_out=("ForceNewDeployment",),
        )
        request.setdefault("serviceName", generated_name(stack, logical_id))
        if request.get("schedulingStrategy", "REPLICA") == "REPLICA":
            request.setdefault("desiredCount", 1)
        service = self._aws.call(scope, "ecs", "CreateService", request)["service"]
        wait_until_stable(self._aws, scope, service, known=frozenset())
        return _service(service)

    def update(
        self, scope: Scope, physical_id: str, old: Properties, new: Properties
    ) -> Provisioned:
        """UpdateService with what changed, then wait for the deployment that it started.

        Raises:
            ResourceFailure: as `create`.
            Cancelled: the stack's update was.
        """
        before = self._one(scope, physical_id, new)
        known = deployments_of(self._aws, scope, before)
        differences = changed_or_reset(old, new, _SERVICE_DEFAULTS)
        if "DesiredCount" in new:
            # Every update sends the number that the template gives, whatever runs meanwhile.
            differences["DesiredCount"] = new["DesiredCount"]
        if "DeploymentConfiguration" in differences:
            was, now = (part.get("DeploymentConfiguration") or {} for part in (old, new))
            configuration = now | changed_or_reset(was, now, _CONFIGURATION_DEFAULTS)
            differences["DeploymentConfiguration"] = configuration
        forced = differences.pop("ForceNewDeployment", None) or {}
        request = request_for(
            "ecs", "UpdateService", differences, renamed=self._renamed, left_out=("Tags",)
        )
        if str(forced.get("EnableForceNewDeployment", False)).lower() == "true":
            request["forceNewDeployment"] = True
        request |= {"cluster": before["clusterArn"], "service": before["serviceArn"]}
        service = self._aws.call(scope, "ecs", "UpdateService", request)["service"]
        _retag(self._aws, scope, physical_id, old, new)
        wait_until_stable(self._aws, scope, service, known=known)
        return _service(service)

    def delete(self, scope: Scope, physical_id: str, properties: Properties) -> None:
        """DeleteService by force, then wait until it is INACTIVE."""
        request = {"cluster": properties.get("Cluster", "default"), "service": physical_id}
        if _unless_gone(self._aws, scope, "DeleteService", {**request, "force": True}):
            wait_until_gone(self._aws, scope, request["cluster"], physical_id)

    def _one(self, scope: Scope, physical_id: str, properties: Properties) -> dict[str, Any]:
        cluster = properties.get("Cluster", "default")
        request = {"cluster": cluster, "services": [physical_id]}
        found = self._aws.call(scope, "ecs", "DescribeServices", request)["services"]
        if not found:
            raise NotFound(f"Resource of type '{self.name}' was not found.", "NotFound")
        service: dict[str, Any] = found[0]
        return service


def _service(service: dict[str, Any]) -> Provisioned:
    arn = service["serviceArn"]
    return Provisioned(arn, {"Name": service["serviceName"], "ServiceArn": arn})


def _unless_gone(aws: Aws, scope: Scope, operation: str, request: dict[str, Any]) -> bool:
    try:
        aws.call(scope, "ecs", operation, request)
    except NotFound:
        return False
    return True


def _retag(aws: Aws, scope: Scope, arn: str, old: Properties, new: Properties) -> None:
    before = {t["Key"]: t["Value"] for t in old.get("Tags") or ()}
    after = {t["Key"]: t["Value"] for t in new.get("Tags") or ()}
    if gone := sorted(before.keys() - after.keys()):
        aws.call(scope, "ecs", "UntagResource", {"resourceArn": arn, "tagKeys": gone})
    if fresh := changed(before, after):
        tags = [{"key": key, "value": str(value)} for key, value in fresh.items()]
        aws.call(scope, "ecs", "TagResource", {"resourceArn": arn, "tags": tags})
