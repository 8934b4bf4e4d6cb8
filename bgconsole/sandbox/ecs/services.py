"""Operations on services: create, update, scale, delete; each refused as AWS refuses it."""

from __future__ import annotations

from typing import Any

from ..api import ApiError, Request, Response
from ..clock import Clock
from ..elbv2.targets import TargetRegistry
from ..elbv2.weights import TrafficRules
from ..names import Names
from ..paging import page
from . import render
from .configuration import configuration
from .networking import refuse_what_cannot_shift
from .render_deployments import PLATFORM_FAMILY
from .scheduler import Scheduler
from .state import EcsState, Revision, Service, TaskDefinition

_KEPT = (
    "loadBalancers",
    "serviceRegistries",
    "placementConstraints",
    "placementStrategy",
    "networkConfiguration",
    "healthCheckGracePeriodSeconds",
    "enableECSManagedTags",
    "propagateTags",
    "enableExecuteCommand",
    "availabilityZoneRebalancing",
)
"""Members that a service repeats as they were given."""

_DEFAULTS: dict[str, Any] = {
    "loadBalancers": [],
    "serviceRegistries": [],
    "placementConstraints": [],
    "placementStrategy": [],
    "enableECSManagedTags": False,
    "propagateTags": "NONE",
    "enableExecuteCommand": False,
    "availabilityZoneRebalancing": "ENABLED",
}

_DEPLOYS = ("networkConfiguration", "loadBalancers", "serviceRegistries")
"""Members whose change begins a new deployment."""


class ServiceOperations:
    """CreateService to DeleteService."""

    def __init__(
        self,
        *,
        state: EcsState,
        names: Names,
        clock: Clock,
        scheduler: Scheduler,
        targets: TargetRegistry,
        rules: TrafficRules,
    ) -> None:
        self._state = state
        self._names = names
        self._clock = clock
        self._scheduler = scheduler
        self._targets = targets
        self._rules = rules

    def create_service(self, request: Request) -> Response:
        """Create a service and begin its first deployment."""
        cluster = self._state.cluster(request.get("cluster"))
        name = request["serviceName"]
        known = cluster.services.get(name)
        if known is not None and known.status == "DRAINING":
            raise _invalid("Unable to Start a service that is still Draining.")
        if known is not None and known.status == "ACTIVE":
            raise _invalid("Creation of service was not idempotent.")
        _refuse_what_is_missing(request)
        controller = (request.get("deploymentController") or {}).get("type", "ECS")
        if not request.get("taskDefinition"):
            raise _invalid("TaskDefinition can not be blank.")
        definition = self._state.usable_task_definition(request["taskDefinition"])
        settings: dict[str, Any] = {
            **_DEFAULTS,
            **{key: request[key] for key in _KEPT if request.get(key) is not None},
            "launchType": request.get("launchType", "FARGATE"),
            "platformVersion": request.get("platformVersion", "LATEST"),
            "platformFamily": PLATFORM_FAMILY,
            "schedulingStrategy": request.get("schedulingStrategy", "REPLICA"),
            "deploymentController": {"type": controller},
            "deploymentConfiguration": configuration({}, request),
            "taskDefinition": definition.arn,
        }
        self._check(settings, definition)
        service = Service(
            self._names.ecs(f"service/{cluster.name}/{name}"),
            name,
            cluster,
            int(request.get("desiredCount", 0)),
            settings,
            self._clock.now(),
            render.tag_dict(request.get("tags")),
        )
        cluster.services[name] = service
        self._scheduler.deploy(service, self._revision(service, definition))
        return {"service": self._shown(service, tags=True)}

    def update_service(self, request: Request) -> Response:
        """Change a service; a new deployment only where AWS begins one."""
        cluster = self._state.cluster(request.get("cluster"))
        service = self._state.active_service(cluster, request["service"])
        _refuse_what_is_missing(request)
        if service.by_code_deploy:
            _refuse_what_code_deploy_does(request)
        old = service.settings
        definition = self._state.task_definition(old["taskDefinition"])
        if reference := request.get("taskDefinition"):
            definition = self._state.usable_task_definition(reference)
        settings = {
            **old,
            **{key: request[key] for key in _KEPT if request.get(key) is not None},
            "deploymentConfiguration": configuration(old["deploymentConfiguration"], request),
            "taskDefinition": definition.arn,
        }
        self._check(settings, definition)
        service.settings = settings
        deploys = (
            bool(request.get("forceNewDeployment"))
            or definition.arn != old["taskDefinition"]
            or any(settings.get(key) != old.get(key) for key in _DEPLOYS)
        )
        desired = request.get("desiredCount")
        if desired is not None:
            self._scheduler.scale(service, int(desired))
        if deploys:
            self._scheduler.deploy(service, self._revision(service, definition))
        self._scheduler.wake(service)
        return {"service": self._shown(service, tags=True)}

    def describe_services(self, request: Request) -> Response:
        """Up to ten services; unknown ones are failures."""
        cluster = self._state.cluster(request.get("cluster"))
        references = request["services"]
        if not references:
            raise _invalid("Services cannot be empty.")
        if len(references) > 10:
            raise _invalid("Services cannot be more than 10.")
        tags = "TAGS" in (request.get("include") or [])
        found, failures = [], []
        for reference in references:
            service = self._state.find_service(cluster, reference)
            if service is None:
                name = reference.rpartition("/")[2]
                arn = self._names.ecs(f"service/{cluster.name}/{name}")
                failures.append({"arn": arn, "reason": "MISSING"})
            else:
                found.append(self._shown(service, tags=tags))
        return {"services": found, "failures": failures}

    def list_services(self, request: Request) -> Response:
        """The ARNs of a cluster's services, ten a page unless asked otherwise."""
        cluster = self._state.cluster(request.get("cluster"))
        arns = sorted(
            service.arn
            for service in cluster.services.values()
            if service.status != "INACTIVE"
            and request.get("launchType") in (None, service.settings["launchType"])
            and request.get("schedulingStrategy") in (None, service.settings["schedulingStrategy"])
        )
        shown, following = page(
            arns,
            token=request.get("nextToken"),
            size=request.get("maxResults", 10),
            error="InvalidParameterException",
        )
        return {"serviceArns": shown, "nextToken": following}

    def delete_service(self, request: Request) -> Response:
        """Drain a service; refused above zero unless forced."""
        cluster = self._state.cluster(request.get("cluster"))
        service = self._state.active_service(cluster, request["service"])
        if service.desired > 0 and not request.get("force"):
            raise _invalid("The service cannot be stopped while it is scaled above 0.")
        self._scheduler.drain(service)
        return {"service": self._shown(service, tags=True)}

    def _revision(self, service: Service, definition: TaskDefinition) -> Revision:
        number = self._names.deployment_number()
        path = f"{service.cluster.name}/{service.name}/{number}"
        members = ("launchType", "loadBalancers", "networkConfiguration", "serviceRegistries")
        return Revision(
            self._names.ecs(f"service-revision/{path}"),
            number,
            definition,
            {key: service.settings[key] for key in members if key in service.settings},
            self._clock.now(),
            balancers=list(service.settings.get("loadBalancers") or []),
        )

    def _check(self, settings: dict[str, Any], definition: TaskDefinition) -> None:
        """Refuse a load balancer, network or launch type that cannot work."""
        mode = definition.request.get("networkMode")
        network = (settings.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}
        if mode == "awsvpc" and not network.get("subnets"):
            raise _invalid(
                "Network Configuration must be provided when networkMode 'awsvpc' is specified."
            )
        containers = {container["name"]: container for container in definition.containers}
        balancers = settings.get("loadBalancers") or []
        for balancer in balancers:
            self._check_balancer(balancer, containers)
        strategy = settings["deploymentConfiguration"]["strategy"]
        refuse_what_cannot_shift(strategy, balancers, self._rules)

    def _check_balancer(
        self, balancer: dict[str, Any], containers: dict[str, dict[str, Any]]
    ) -> None:
        arn, name = balancer.get("targetGroupArn"), balancer.get("containerName")
        port = balancer.get("containerPort")
        if not arn:
            raise _invalid("The sandbox reproduces load balancers with a targetGroupArn only.")
        alternate = (balancer.get("advancedConfiguration") or {}).get("alternateTargetGroupArn")
        for group in (arn, alternate) if alternate else (arn,):
            if not self._targets.exists(group):
                raise _invalid(f"The specified target group {group} does not exist.")
            if not self._targets.in_use(group):
                raise _invalid(
                    f"The target group with targetGroupArn {group} does not have an associated "
                    "load balancer."
                )
        if name not in containers:
            raise _invalid(f"The container {name} does not exist in the task definition.")
        mappings = containers[name].get("portMappings") or []
        if port not in [mapping.get("containerPort") for mapping in mappings]:
            raise _invalid(f"The container {name} did not have a container port {port} defined.")

    def _shown(self, service: Service, *, tags: bool) -> Response:
        return render.service(service, tags=tags, caller=self._names.caller)


def _refuse_what_is_missing(request: Request) -> None:
    """Say plainly what is not reproduced; a plausible lie would be worse."""
    controller = (request.get("deploymentController") or {}).get("type", "ECS")
    if controller not in ("ECS", "CODE_DEPLOY"):
        raise _invalid(f"The sandbox does not reproduce the {controller} controller yet.")
    if request.get("schedulingStrategy", "REPLICA") != "REPLICA":
        raise _invalid("The sandbox reproduces the scheduling strategy REPLICA only.")
    if request.get("launchType") not in (None, "FARGATE"):
        raise _invalid("The sandbox reproduces the launch type FARGATE only.")
    for member in (
        "capacityProviderStrategy",
        "serviceConnectConfiguration",
        "volumeConfigurations",
        "vpcLatticeConfigurations",
    ):
        if request.get(member):
            raise _invalid(f"The sandbox does not reproduce {member} yet.")


_CODE_DEPLOYS = {
    "taskDefinition": "Unable to update task definition on",
    "networkConfiguration": "Unable to update network parameters on",
    "platformVersion": "Unable to update platform version on",
    "loadBalancers": "Unable to update load balancers on",
    "forceNewDeployment": "Cannot force a new deployment on",
}


def _refuse_what_code_deploy_does(request: Request) -> None:
    """A service under CodeDeploy lets itself be scaled here, and little else."""
    for member, words in _CODE_DEPLOYS.items():
        if request.get(member):
            raise _invalid(
                f"{words} services with a CODE_DEPLOY deployment controller. "
                "Use AWS CodeDeploy to trigger a new deployment."
            )


def _invalid(message: str) -> ApiError:
    return ApiError("InvalidParameterException", message)
