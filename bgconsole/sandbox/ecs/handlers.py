"""Amazon ECS: every operation the sandbox answers, by its API name."""

from __future__ import annotations

from collections.abc import Callable

from ..api import Request, Response
from ..clock import Clock
from ..dispatch import Operation, answer
from ..elbv2.targets import TargetRegistry
from ..elbv2.weights import TrafficRules
from ..names import Names
from ..runtime.port import Images, Prober, Runtime
from .alarms import AlarmStates
from .clusters import ClusterOperations
from .events import EventBook
from .lives import GRACE_FLOOR, LogSink, TaskLives
from .running import RunTaskOperations
from .scheduler import Scheduler
from .service_deployments import ServiceDeploymentOperations
from .services import ServiceOperations
from .state import EcsState
from .task_definitions import TaskDefinitionOperations
from .tasks import TaskOperations
from .trouble import Trouble


class Ecs:
    """The service: handlers for the wire over one scheduler."""

    def __init__(
        self,
        *,
        names: Names,
        clock: Clock,
        runtime: Runtime,
        images: Images,
        targets: TargetRegistry,
        rules: TrafficRules,
        prober: Prober,
        alarms: AlarmStates,
        logs: LogSink,
        observe: Callable[[str], None] = lambda _operation: None,
        grace_floor: float = GRACE_FLOOR,
    ) -> None:
        """`grace_floor`: real seconds of grace that a task has at least."""
        self._observe = observe
        self.state = EcsState()
        self.trouble = Trouble()
        events = EventBook(clock, names)
        lives = TaskLives(
            clock=clock,
            names=names,
            runtime=runtime,
            images=images,
            targets=targets,
            logs=logs,
            events=events,
            prober=prober,
            trouble=self.trouble,
            grace_floor=grace_floor,
        )
        self.lives = lives
        self.scheduler = Scheduler(
            clock=clock,
            names=names,
            state=self.state,
            lives=lives,
            events=events,
            rules=rules,
            trouble=self.trouble,
            alarms=alarms,
        )
        clusters = ClusterOperations(self.state, names)
        definitions = TaskDefinitionOperations(self.state, names, clock)
        services = ServiceOperations(
            state=self.state,
            names=names,
            clock=clock,
            scheduler=self.scheduler,
            targets=targets,
            rules=rules,
        )
        tasks = TaskOperations(state=self.state, names=names, lives=lives, scheduler=self.scheduler)
        running = RunTaskOperations(
            state=self.state, names=names, clock=clock, lives=lives, trouble=self.trouble
        )
        deployments = ServiceDeploymentOperations(self.state, self.scheduler)
        self.operations: dict[str, Operation] = {
            "CreateCluster": clusters.create_cluster,
            "DescribeClusters": clusters.describe_clusters,
            "ListClusters": clusters.list_clusters,
            "UpdateCluster": clusters.update_cluster,
            "UpdateClusterSettings": clusters.update_cluster,
            "PutClusterCapacityProviders": clusters.put_cluster_capacity_providers,
            "DeleteCluster": clusters.delete_cluster,
            "ListTagsForResource": clusters.list_tags_for_resource,
            "TagResource": clusters.tag_resource,
            "UntagResource": clusters.untag_resource,
            "RegisterTaskDefinition": definitions.register_task_definition,
            "DescribeTaskDefinition": definitions.describe_task_definition,
            "ListTaskDefinitions": definitions.list_task_definitions,
            "ListTaskDefinitionFamilies": definitions.list_task_definition_families,
            "DeregisterTaskDefinition": definitions.deregister_task_definition,
            "CreateService": services.create_service,
            "UpdateService": services.update_service,
            "DescribeServices": services.describe_services,
            "ListServices": services.list_services,
            "DeleteService": services.delete_service,
            "ListTasks": tasks.list_tasks,
            "DescribeTasks": tasks.describe_tasks,
            "StopTask": tasks.stop_task,
            "RunTask": running.run_task,
            "ExecuteCommand": tasks.execute_command,
            "ListServiceDeployments": deployments.list_service_deployments,
            "DescribeServiceDeployments": deployments.describe_service_deployments,
            "DescribeServiceRevisions": deployments.describe_service_revisions,
            "StopServiceDeployment": deployments.stop_service_deployment,
            "ContinueServiceDeployment": deployments.continue_service_deployment,
        }

    def handle(self, operation: str, request: Request) -> Response:
        """Answer one operation; unknown ones get UnsupportedOperationException."""
        self._observe(operation)
        return answer(self.operations, "UnsupportedOperationException", operation, request)
