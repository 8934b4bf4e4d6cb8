"""What the rest of the product may ask of AWS: small Protocols, in the words of the domain.

Every method blocks, may be called from any thread, pages its lists to the end, and raises only the
`GatewayError` branch of `domain.errors`. Reading ports never write.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from bgconsole.domain.activity import Activity
    from bgconsole.domain.artifacts import Bucket, Held
    from bgconsole.domain.builds import (
        BuildTold,
        Engine,
        Order,
        PushTold,
        RegistryLogin,
        Source,
    )
    from bgconsole.domain.change_set import ChangeSet
    from bgconsole.domain.codedeploy import CodeDeployment
    from bgconsole.domain.identity import Identity, Place
    from bgconsole.domain.images import Image, Repository
    from bgconsole.domain.logs import LiveUpdate, LogPage
    from bgconsole.domain.metrics import Metrics
    from bgconsole.domain.pipelines import PipelineRun
    from bgconsole.domain.secrets import SecretChange
    from bgconsole.domain.services import (
        Bounds,
        Service,
        ServiceDeployment,
        ServiceRef,
        ServiceRevision,
        Task,
        TaskDefinition,
    )
    from bgconsole.domain.stacks import Stack, StackEvent, StackResource
    from bgconsole.domain.targets import Balancing, TargetGroup

NO_TAGS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Submitted:
    """What AWS answered to a write: enough to prove it and to follow it."""

    request_id: str
    deployment: str = ""
    """The id of the PRIMARY deployment (`ecs-svc/…`) or the ARN that the call is about."""
    created: str = ""
    """The ARN of what was made, such as a task definition."""


class Identities(Protocol):
    """Who we are."""

    def whoami(self) -> Identity:
        """The caller; the alias is left empty where it cannot be read."""
        ...


class Services(Protocol):
    """ECS, read."""

    def clusters(self) -> tuple[str, ...]:
        """The short names of every cluster, sorted."""
        ...

    def services(self, cluster: str) -> tuple[ServiceRef, ...]:
        """Every service of a cluster, sorted.

        Raises:
            NotThere: no such cluster.
        """
        ...

    def describe(self, ref: ServiceRef) -> Service:
        """One service with its deployments and events.

        Raises:
            NotThere: no such cluster or service (an INACTIVE service is not there).
        """
        ...

    def describe_all(self, cluster: str, names: Sequence[str] | None = None) -> tuple[Service, ...]:
        """Every service of a cluster, sorted; or those of the named that are there.

        Ten services a call, a few calls at once.

        Raises:
            NotThere: no such cluster.
        """
        ...

    def deployments(self, arns: Sequence[str]) -> tuple[ServiceDeployment, ...]:
        """Those of the given service deployments, of any services, that AWS still knows."""
        ...

    def service_deployments(
        self, ref: ServiceRef, since: datetime | None = None
    ) -> tuple[ServiceDeployment, ...]:
        """Newest first: all that AWS keeps (90 days), or those created after `since`."""
        ...

    def revisions(self, arns: Sequence[str]) -> tuple[ServiceRevision, ...]:
        """Those of the given service revisions that AWS still knows."""
        ...

    def tasks(self, ref: ServiceRef) -> tuple[Task, ...]:
        """Every task of the service that is not stopped, and the stopped ones AWS still lists."""
        ...

    def autoscaling(self, ref: ServiceRef) -> Bounds | None:
        """Between what Application Auto Scaling holds the service; None where nothing does."""
        ...

    def task(self, cluster: str, arn: str) -> Task:
        """One task, a service's or not.

        Raises:
            NotThere: AWS does not know it; it forgets a stopped one after an hour or so.
        """
        ...

    def runs(self, cluster: str, family: str) -> tuple[Task, ...]:
        """The tasks of a task definition family that no service started, newest first.

        Those that are not stopped, and the stopped ones that AWS still lists.
        """
        ...

    def task_definition(self, arn: str, *, anew: bool = False) -> TaskDefinition:
        """One task definition, INACTIVE ones too; a family means its newest ACTIVE one.

        Asked `anew` it is none that was kept: its status is AWS's of this moment.
        """
        ...

    def definition_document(self, arn: str) -> Mapping[str, object]:
        """All that a task definition says of what it runs, in AWS's names, to be compared.

        Values that may be secret are masked here (`definition_document.masked_document`): equal
        ones look alike within one gateway, others differ.

        Raises:
            NotThere: no such task definition.
        """
        ...


class ServiceChanges(Protocol):
    """ECS, written. Each call is one request; none is repeated once it may have arrived."""

    def update(
        self, ref: ServiceRef, *, task_definition: str = "", force: bool = False
    ) -> Submitted:
        """UpdateService. Sends only what is given; never desiredCount."""
        ...

    def stop_deployment(self, service_deployment: str) -> Submitted:
        """StopServiceDeployment with stopType ROLLBACK."""
        ...

    def run_task(
        self,
        ref: ServiceRef,
        *,
        task_definition: str,
        container: str,
        command: Sequence[str],
        started_by: str,
        token: str,
    ) -> Submitted:
        """RunTask of one task, on the launch type and in the network of a service.

        `Submitted.created` is the task's ARN. With the same `token` it starts nothing twice, so it
        may be asked again after a lost answer.

        Raises:
            Rejected: ECS placed no task, and says why.
        """

    def answer_hook(self, service_deployment: str, hook: str, *, go_on: bool) -> Submitted:
        """ContinueServiceDeployment: let a paused hook go on, or roll the deployment back there."""
        ...

    def scale(self, ref: ServiceRef, count: int) -> Submitted:
        """UpdateService with desiredCount: the one call that sends it."""
        ...

    def stop_task(self, cluster: str, task: str, reason: str) -> Submitted:
        """StopTask; the service that started it starts another one."""
        ...

    def register_pinned(
        self,
        task_definition: str,
        images: Mapping[str, str],
        *,
        cpu: str = "",
        memory: str = "",
    ) -> Submitted:
        """Register a copy of a task definition with some containers' images replaced.

        Its CPU units and its memory in MiB are replaced where they are given. Every other field
        is kept, those this code does not know included. `images` maps a container's name to a
        reference; `Submitted.created` is the new revision's ARN.
        """
        ...


class CodeDeploy(Protocol):
    """CodeDeploy, which deploys some services in ECS's place."""

    def deployment(self, deployment: str) -> CodeDeployment:
        """One deployment by its id (`d-…`), with the one that takes it back where there is one.

        Raises:
            GatewayError: there is no such deployment, or it could not be read.
        """
        ...

    def stop(self, deployment: str) -> Submitted:
        """StopDeployment with roll back: CodeDeploy makes another deployment that goes back.

        Raises:
            Rejected: it has ended already.
        """
        ...


class Targets(Protocol):
    """Elastic Load Balancing, read."""

    def balancing(self, service: Service) -> Balancing:
        """The service's target groups with health and weights, and the URLs of its listeners."""
        ...


class Stacks(Protocol):
    """CloudFormation, read."""

    def stacks(self) -> tuple[Stack, ...]:
        """Every stack that is not DELETE_COMPLETE, sorted by name."""
        ...

    def stack(self, name: str) -> Stack:
        """One stack by name or ARN; by its ARN one that was deleted too.

        Raises:
            NotThere: no such stack.
        """
        ...

    def resources(self, name: str) -> tuple[StackResource, ...]:
        """Every resource of a stack, as CloudFormation lists them.

        Raises:
            NotThere: no such stack.
        """
        ...

    def events(self, name: str, since: datetime | None = None) -> tuple[StackEvent, ...]:
        """Newest first: all of a stack's events, or those after `since`.

        Raises:
            NotThere: no such stack.
        """
        ...

    def change_set(self, stack: str, name: str) -> ChangeSet:
        """A change set with every change.

        Raises:
            NotThere: no such stack or change set.
        """
        ...

    def change_sets(self, stack: str) -> tuple[str, ...]:
        """The names of a stack's change sets.

        Raises:
            NotThere: no such stack.
        """
        ...

    def drift_check(self, check: str) -> str:
        """How a drift check stands: DETECTION_IN_PROGRESS, _COMPLETE, or _FAILED and why."""
        ...


class StackChanges(Protocol):
    """CloudFormation, written. Each call is one request with a token where the API takes one."""

    def draft(
        self,
        stack: str,
        name: str,
        *,
        template: str,
        parameters: Mapping[str, str],
        keep: Sequence[str] = (),
        create: bool,
        nested: bool = False,
        tags: Mapping[str, str] = NO_TAGS,
    ) -> Submitted:
        """CreateChangeSet; what it would do is worked out by AWS afterwards.

        Args:
            stack: the stack's name; `create` makes an empty one in REVIEW_IN_PROGRESS.
            name: the change set's.
            template: its text; empty is the stack's present one.
            parameters: their values.
            keep: parameters that keep the value that the stack has.
            create: whether the stack is not there yet.
            nested: whether the stacks that it nests are drafted with it.
            tags: the stack's, which its resources get too; none leaves those that it has.
        """
        ...

    def execute(self, stack: str, name: str) -> Submitted:
        """ExecuteChangeSet, by its name, or by its ARN where it must be this very one."""
        ...

    def discard(self, stack: str, name: str) -> Submitted:
        """DeleteChangeSet; one that is not there is fine."""
        ...

    def delete(self, stack: str) -> Submitted:
        """DeleteStack, by ARN best: a name may mean another stack by now."""
        ...

    def cancel_update(self, stack: str) -> Submitted:
        """CancelUpdateStack."""
        ...

    def continue_rollback(self, stack: str, skip: Sequence[str] = ()) -> Submitted:
        """ContinueUpdateRollback; `skip` are logical ids that are left as they are."""
        ...

    def check_drift(self, stack: str) -> Submitted:
        """DetectStackDrift; `Submitted.created` is the check's id. It changes nothing."""
        ...

    def empty_repository(self, repository: str) -> Submitted:
        """BatchDeleteImage of every image of an ECR repository."""
        ...


class Artifacts(Protocol):
    """The S3 bucket that CloudFormation reads nested templates from.

    Each call but `url` is refused where the bucket is another account's.
    """

    def url(self, bucket: str, key: str) -> str:
        """Where an object is, as a TemplateURL; nothing is asked."""
        ...

    def look(self, bucket: Bucket, prefix: str) -> Held:
        """Whether the bucket is there, and what it holds below `prefix`."""
        ...

    def make(self, bucket: Bucket, *, create: bool) -> Submitted:
        """Make it private, encrypted, and known as ours; with `create`, the bucket first."""
        ...

    def put(self, bucket: Bucket, key: str, body: str) -> Submitted:
        """PutObject.

        Raises:
            NotThere: no such bucket.
        """
        ...

    def remove(self, bucket: Bucket, key: str) -> Submitted:
        """DeleteObject; one that is not there is fine."""
        ...

    def drop(self, bucket: Bucket) -> Submitted:
        """DeleteBucket.

        Raises:
            Rejected: it holds something (`BucketNotEmpty`).
        """
        ...


class Pipelines(Protocol):
    """CodePipeline, read."""

    def last(self, pipeline: str) -> PipelineRun:
        """The newest execution of a pipeline.

        Raises:
            GatewayError: there is no such pipeline, or it could not be read.
        """
        ...


class Images(Protocol):
    """ECR, read."""

    def images(self, repository: str) -> tuple[Image, ...]:
        """Every image of a repository, newest first.

        Raises:
            NotThere: no such repository.
        """
        ...

    def find(self, repository: str, *, tag: str = "", digest: str = "") -> Image | None:
        """One image by tag or digest; None where the repository has no such image."""
        ...

    def repository(self, name: str) -> Repository | None:
        """One repository; None where there is no such repository."""
        ...

    def login(self) -> RegistryLogin:
        """What a Docker client logs in with, for 12 hours; kept in memory only."""
        ...


class Docker(Protocol):
    """A Docker engine, which builds images and pushes them."""

    def engine(self) -> Engine:
        """The engine that answers.

        Raises:
            Unreachable: none does.
        """
        ...

    def buildx(self) -> bool:
        """Whether `docker buildx` is on this machine: it builds what needs BuildKit."""
        ...

    def source(self, folder: str, dockerfile: str) -> Source:
        """What a build of a folder would send; reads the disk and asks git.

        Args:
            folder: from where the program runs, if it is relative.
            dockerfile: from the folder, if it is relative; empty is its `Dockerfile`.

        Raises:
            NotThere: there is no such folder or Dockerfile, or it cannot be read.
        """
        ...

    def build(self, order: Order, stop: threading.Event) -> Iterator[BuildTold]:
        """Build an image, telling what happens; `Built` is the last thing.

        Once `stop` is set, or the iterator is closed, the engine ends the build; `Built` is not
        told then.
        """
        ...

    def push(self, name: str, login: RegistryLogin, stop: threading.Event) -> Iterator[PushTold]:
        """Push `repository:tag`; `Pushed` is the last thing, unless it is stopped as a build.

        Raises:
            ExpiredCredentials: the registry does not take the login (any more).
            NotThere: there is no such repository.
            Unreachable: it was interrupted; what arrived stays there.
        """
        ...


class LiveSession(Protocol):
    """StartLiveTail: what CloudWatch ingests, once a second, at most 500 lines of it."""

    def updates(self) -> Iterator[LiveUpdate]:
        """One a second, until AWS ends the session (three hours) or `close` is called.

        Raises:
            GatewayError: the connection broke, or AWS ended it otherwise.
        """
        ...

    def close(self) -> None:
        """End it, from any thread."""
        ...


class Logs(Protocol):
    """CloudWatch Logs, read, in one region."""

    def groups(self, prefix: str = "") -> tuple[str, ...]:
        """The names of the log groups that begin with `prefix`, sorted."""
        ...

    def page(
        self,
        group: str,
        *,
        start: int,
        end: int | None = None,
        token: str | None = None,
        newest_first: bool = False,
        limit: int = 10_000,
        streams: str = "",
        pattern: str = "",
        paced: bool = True,
    ) -> LogPage:
        """One page of FilterLogEvents; times in epoch milliseconds.

        Args:
            group: its name.
            start: the earliest timestamp, included.
            end: the latest, included.
            token: of the page before, of the same request.
            newest_first: begin at the newest; the page says whether it does.
            limit: the most lines of the page.
            streams: only those whose names begin with it; empty for the whole group.
            pattern: a CloudWatch Logs filter pattern; `"in quotation marks"` it is a text.
            paced: wait for our own budget of calls; without it only AWS slows us down.

        Raises:
            NotThere: no such group.
        """
        ...

    def live(self, groups: Sequence[str], pattern: str = "") -> LiveSession:
        """Start a Live Tail session of at most ten groups; it costs money by the minute.

        Raises:
            NotThere: no such group.
            GatewayError: AWS refuses: too many sessions, no permission.
        """
        ...

    def elsewhere(self, region: str) -> Logs:
        """The same port to another region; itself for its own or an empty one."""
        ...


class LogNames(Protocol):
    """What logs there are to choose from."""

    def groups(self, prefix: str = "") -> tuple[str, ...]:
        """The names of the log groups that begin with `prefix`, sorted."""
        ...

    def streams(self, group: str) -> tuple[str, ...]:
        """The names of the streams of a group, sorted.

        Raises:
            NotThere: no such group.
        """
        ...


class Secrets(Protocol):
    """Secrets Manager and Systems Manager, read: times, never values."""

    def changes(self, references: Sequence[str]) -> tuple[SecretChange, ...]:
        """When each of what task definitions name (`valueFrom`) was changed last."""
        ...


class ServiceActivity(Protocol):
    """What acts on a service beside its deployments, read."""

    def recent(self, ref: ServiceRef, alarms: Sequence[str]) -> Activity:
        """The newest activities of its autoscaling, and what these alarms went through."""
        ...


class MetricData(Protocol):
    """CloudWatch's metrics, read."""

    def read(
        self,
        ref: ServiceRef,
        groups: Sequence[TargetGroup],
        tasks: Mapping[str, Sequence[str]],
        now: datetime,
    ) -> Metrics:
        """The last quarter of an hour of a service and its target groups.

        Args:
            ref: the service.
            groups: its target groups, with their routes.
            tasks: ids of running tasks by side; Container Insights tells what they use.
            now: where the quarter ends.
        """
        ...


class Meter(Protocol):
    """Counts calls, for the status line."""

    def per_minute(self) -> int:
        """Requests sent in the last 60 s, retries included."""
        ...


@dataclass(frozen=True, slots=True)
class Gateway:
    """Every port to one account and region, as `main` wires them."""

    place: Place
    identities: Identities
    services: Services
    changes: ServiceChanges
    codedeploy: CodeDeploy
    targets: Targets
    stacks: Stacks
    stack_changes: StackChanges
    artifacts: Artifacts
    pipelines: Pipelines
    images: Images
    logs: Logs
    secrets: Secrets
    metrics: MetricData
    activity: ServiceActivity
    docker: Docker
    meter: Meter
