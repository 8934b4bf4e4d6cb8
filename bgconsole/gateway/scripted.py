"""The same ports over a world held in memory, for tests; `scripted_world` is what they show."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bgconsole.domain.activity import Activity
from bgconsole.domain.builds import (
    BuildTold,
    Engine,
    Order,
    Pushed,
    PushTold,
    RegistryLogin,
    Source,
)
from bgconsole.domain.change_set import ChangeSet
from bgconsole.domain.codedeploy import CodeDeployment
from bgconsole.domain.errors import NotThere
from bgconsole.domain.identity import Identity
from bgconsole.domain.images import Image, ImageReference, Repository
from bgconsole.domain.logs import LiveUpdate, LogLine, LogPage
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
from bgconsole.gateway.definition_document import masked_document
from bgconsole.gateway.port import Gateway, LiveSession, Logs, Submitted
from bgconsole.gateway.scripted_artifacts import ScriptedArtifacts
from bgconsole.gateway.scripted_stack_changes import ScriptedStackChanges, find_stack
from bgconsole.gateway.scripted_world import EVERY, Call, Effect, Held, ScriptedWorld

__all__ = ["EVERY", "Call", "Effect", "Held", "ScriptedWorld", "scripted_gateway"]


def scripted_gateway(world: ScriptedWorld) -> Gateway:
    """Every port over one scripted world."""
    return Gateway(
        place=world.place,
        identities=_Identities(world),
        services=_Services(world),
        changes=_Changes(world),
        codedeploy=_CodeDeploy(world),
        targets=_Targets(world),
        stacks=_Stacks(world),
        stack_changes=ScriptedStackChanges(world),
        artifacts=ScriptedArtifacts(world),
        pipelines=_Pipelines(world),
        images=_Images(world),
        logs=_Logs(world),
        secrets=_Secrets(world),
        metrics=_MetricData(world),
        activity=_Activity(world),
        docker=_Docker(world),
        meter=_Meter(world),
    )


@dataclass(frozen=True, slots=True)
class _Port:
    world: ScriptedWorld


class _Identities(_Port):
    def whoami(self) -> Identity:
        self.world.enter("identities.whoami")
        return self.world.identity


class _Services(_Port):
    def clusters(self) -> tuple[str, ...]:
        self.world.enter("services.clusters")
        return tuple(sorted(self._clusters()))

    def services(self, cluster: str) -> tuple[ServiceRef, ...]:
        self.world.enter("services.services", cluster=cluster)
        with self.world.lock:
            self._need_cluster(cluster)
            return tuple(sorted(ref for ref in self.world.services if ref.cluster == cluster))

    def describe(self, ref: ServiceRef) -> Service:
        self.world.enter("services.describe", ref=ref)
        with self.world.lock:
            self._need(ref)
            return self.world.services[ref]

    def describe_all(self, cluster: str, names: Sequence[str] | None = None) -> tuple[Service, ...]:
        if names is None:
            names = [ref.name for ref in self.services(cluster)]
        wanted = sorted(set(names))
        for start in range(0, len(wanted), 10):  # counted as AWS takes them: ten a call
            ten = tuple(wanted[start : start + 10])
            self.world.enter("services.describe_all", cluster=cluster, names=ten)
        if not wanted:
            return ()
        with self.world.lock:
            self._need_cluster(cluster)
            refs = [ServiceRef(cluster, name) for name in wanted]
            return tuple(self.world.services[ref] for ref in refs if ref in self.world.services)

    def deployments(self, arns: Sequence[str]) -> tuple[ServiceDeployment, ...]:
        self.world.enter("services.deployments", arns=tuple(arns))
        with self.world.lock:
            known = {sd.arn: sd for history in self.world.history.values() for sd in history}
        return tuple(known[arn] for arn in dict.fromkeys(arns) if arn in known)

    def service_deployments(
        self, ref: ServiceRef, since: datetime | None = None
    ) -> tuple[ServiceDeployment, ...]:
        self.world.enter("services.service_deployments", ref=ref, since=since)
        with self.world.lock:
            self._need(ref)
            history = self.world.history.get(ref, ())
        return tuple(sd for sd in history if since is None or sd.created_at > since)

    def revisions(self, arns: Sequence[str]) -> tuple[ServiceRevision, ...]:
        self.world.enter("services.revisions", arns=tuple(arns))
        with self.world.lock:
            known = self.world.revisions
            return tuple(known[arn] for arn in dict.fromkeys(arns) if arn in known)

    def tasks(self, ref: ServiceRef) -> tuple[Task, ...]:
        self.world.enter("services.tasks", ref=ref)
        with self.world.lock:
            self._need(ref)
            return self.world.tasks.get(ref, ())

    def autoscaling(self, ref: ServiceRef) -> Bounds | None:
        self.world.enter("services.autoscaling", ref=ref)
        with self.world.lock:
            return self.world.autoscaling.get(ref)

    def task(self, cluster: str, arn: str) -> Task:
        self.world.enter("services.task", cluster=cluster, arn=arn)
        with self.world.lock:
            everyone = (*self.world.runs, *(t for some in self.world.tasks.values() for t in some))
        found = next((task for task in everyone if task.arn == arn), None)
        if found is None:
            raise NotThere("No such task", arn)
        return found

    def runs(self, cluster: str, family: str) -> tuple[Task, ...]:
        self.world.enter("services.runs", cluster=cluster, family=family)
        with self.world.lock:
            return tuple(
                task
                for task in self.world.runs
                if task.task_definition.rpartition("/")[2].rpartition(":")[0] == family
            )

    def task_definition(self, arn: str, *, anew: bool = False) -> TaskDefinition:
        del anew  # nothing is kept here
        self.world.enter("services.task_definition", arn=arn)
        return _definition(self.world, arn)

    def definition_document(self, arn: str) -> Mapping[str, object]:
        self.world.enter("services.definition_document", arn=arn)
        found = _definition(self.world, arn)
        with self.world.lock:
            said = self.world.documents.get(found.arn, {})
        return masked_document({**_said(found), **said}, b"scripted")

    def _clusters(self) -> set[str]:
        with self.world.lock:
            return self.world.clusters | {ref.cluster for ref in self.world.services}

    def _need_cluster(self, cluster: str) -> None:
        if cluster not in self._clusters():
            raise NotThere("No such cluster", f"{cluster} in {self.world.place.region}")

    def _need(self, ref: ServiceRef) -> None:
        self._need_cluster(ref.cluster)
        if ref not in self.world.services:
            raise NotThere("No such service", f"{ref.name} in cluster {ref.cluster}")


class _Changes(_Port):
    def update(
        self, ref: ServiceRef, *, task_definition: str = "", force: bool = False
    ) -> Submitted:
        call = self.world.enter(
            "changes.update", ref=ref, task_definition=task_definition, force=force
        )
        return self._take_effect(call)

    def stop_deployment(self, service_deployment: str) -> Submitted:
        call = self.world.enter("changes.stop_deployment", service_deployment=service_deployment)
        return self._take_effect(call)

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
        call = self.world.enter(
            "changes.run_task",
            ref=ref,
            task_definition=task_definition,
            container=container,
            command=tuple(command),
            started_by=started_by,
            token=token,
        )
        return self._take_effect(call)

    def answer_hook(self, service_deployment: str, hook: str, *, go_on: bool) -> Submitted:
        call = self.world.enter(
            "changes.answer_hook", service_deployment=service_deployment, hook=hook, go_on=go_on
        )
        return self._take_effect(call)

    def scale(self, ref: ServiceRef, count: int) -> Submitted:
        return self._take_effect(self.world.enter("changes.scale", ref=ref, count=count))

    def stop_task(self, cluster: str, task: str, reason: str) -> Submitted:
        call = self.world.enter("changes.stop_task", cluster=cluster, task=task, reason=reason)
        return self._take_effect(call)

    def register_pinned(
        self,
        task_definition: str,
        images: Mapping[str, str],
        *,
        cpu: str = "",
        memory: str = "",
    ) -> Submitted:
        size = {name: value for name, value in (("cpu", cpu), ("memory", memory)) if value}
        call = self.world.enter(
            "changes.register_pinned", task_definition=task_definition, images=dict(images), **size
        )
        if call.name in self.world.effects:
            return self._take_effect(call)
        with self.world.lock:
            copy = _pinned(self.world, task_definition, images)
            self.world.definitions[copy.arn] = copy
            said = self.world.documents.get(_definition(self.world, task_definition).arn, {})
            self.world.documents[copy.arn] = {**_renamed(said, images), **size}
            return Submitted(_request_id(self.world), created=copy.arn)

    def _take_effect(self, call: Call) -> Submitted:
        with self.world.lock:
            effect = self.world.effects.get(call.name)
            answer = effect(self.world, call) if effect else None
            return answer or Submitted(_request_id(self.world))


class _CodeDeploy(_Port):
    def deployment(self, deployment: str) -> CodeDeployment:
        self.world.enter("codedeploy.deployment", deployment=deployment)
        with self.world.lock:
            found = self.world.codedeployments.get(deployment)
        if found is None:
            raise NotThere("No such CodeDeploy deployment", deployment)
        return found

    def stop(self, deployment: str) -> Submitted:
        call = self.world.enter("codedeploy.stop", deployment=deployment)
        with self.world.lock:
            effect = self.world.effects.get(call.name)
            answer = effect(self.world, call) if effect else None
            return answer or Submitted(_request_id(self.world), deployment=deployment)


class _Targets(_Port):
    def balancing(self, service: Service) -> Balancing:
        self.world.enter("targets.balancing", ref=service.ref)
        with self.world.lock:
            return self.world.balancing.get(service.ref, Balancing(groups=()))


class _Stacks(_Port):
    def stacks(self) -> tuple[Stack, ...]:
        self.world.enter("stacks.stacks")
        with self.world.lock:
            return tuple(stack for _, stack in sorted(self.world.stacks.items()))

    def stack(self, name: str) -> Stack:
        self.world.enter("stacks.stack", stack=name)
        with self.world.lock:
            return find_stack(self.world, name)

    def resources(self, name: str) -> tuple[StackResource, ...]:
        self.world.enter("stacks.resources", stack=name)
        with self.world.lock:
            return self.world.stack_resources.get(find_stack(self.world, name).name, ())

    def events(self, name: str, since: datetime | None = None) -> tuple[StackEvent, ...]:
        self.world.enter("stacks.events", stack=name, since=since)
        with self.world.lock:
            found = self.world.stack_events.get(find_stack(self.world, name).name, ())
        return tuple(event for event in found if since is None or event.at > since)

    def change_set(self, stack: str, name: str) -> ChangeSet:
        self.world.enter("stacks.change_set", stack=stack, change_set=name)
        with self.world.lock:
            found = self.world.change_sets.get((find_stack(self.world, stack).name, name))
        if found is None:
            raise NotThere("No such change set", f"{name} of stack {stack}")
        return found

    def change_sets(self, stack: str) -> tuple[str, ...]:
        self.world.enter("stacks.change_sets", stack=stack)
        with self.world.lock:
            name = find_stack(self.world, stack).name
            return tuple(made for of, made in self.world.change_sets if of == name)

    def drift_check(self, check: str) -> str:
        self.world.enter("stacks.drift_check", check=check)
        return "DETECTION_COMPLETE"


class _Pipelines(_Port):
    def last(self, pipeline: str) -> PipelineRun:
        self.world.enter("pipelines.last", pipeline=pipeline)
        return self.world.pipelines.get(pipeline, PipelineRun(pipeline))


class _Images(_Port):
    def images(self, repository: str) -> tuple[Image, ...]:
        self.world.enter("images.images", repository=repository)
        return self._repository(repository)

    def find(self, repository: str, *, tag: str = "", digest: str = "") -> Image | None:
        self.world.enter("images.find", repository=repository, tag=tag, digest=digest)
        return next(
            (
                image
                for image in self._repository(repository)
                if (not tag or tag in image.tags) and (not digest or digest == image.digest)
            ),
            None,
        )

    def repository(self, name: str) -> Repository | None:
        self.world.enter("images.repository", repository=name)
        if name not in self.world.images:
            return None
        uri = f"{self.world.registry}/{name}"
        return Repository(name, uri, name in self.world.immutable, moving=("latest",))

    def login(self) -> RegistryLogin:
        self.world.enter("images.login")
        return RegistryLogin("AWS", f"password {self.world.count('images.login')}")

    def _repository(self, name: str) -> tuple[Image, ...]:
        with self.world.lock:
            if name not in self.world.images:
                raise NotThere("No such repository", f"{name} in {self.world.place.region}")
            oldest = datetime.min.replace(tzinfo=UTC)
            return tuple(
                sorted(self.world.images[name], key=lambda i: i.pushed_at or oldest, reverse=True)
            )


class _Docker(_Port):
    def engine(self) -> Engine:
        self.world.enter("docker.engine")
        return self.world.engine

    def buildx(self) -> bool:
        self.world.enter("docker.buildx")
        return self.world.buildx

    def source(self, folder: str, dockerfile: str) -> Source:
        self.world.enter("docker.source", folder=folder, dockerfile=dockerfile)
        return self.world.source

    def build(self, order: Order, stop: threading.Event) -> Iterator[BuildTold]:
        self.world.enter("docker.build", order=order)
        for told in self.world.build_story:
            if stop.is_set():
                return
            yield told

    def push(self, name: str, login: RegistryLogin, stop: threading.Event) -> Iterator[PushTold]:
        self.world.enter("docker.push", image=name, login=login)
        for told in self.world.push_story:
            if stop.is_set():
                return
            if isinstance(told, Pushed):
                self._arrived(name, told.digest)
            yield told

    def _arrived(self, name: str, digest: str) -> None:
        reference = ImageReference.parse(name)
        world = self.world
        with world.lock:
            others = [
                replace(image, tags=tuple(t for t in image.tags if t != reference.tag))
                for image in world.images.get(reference.repository, ())
                if image.digest != digest
            ]
            tags = {
                tag: None
                for image in world.images.get(reference.repository, ())
                for tag in image.tags
                if image.digest == digest
            }
            made = Image(reference.repository, digest, (*tags, reference.tag), pushed_at=world.now)
            world.images[reference.repository] = (made, *others)


@dataclass(frozen=True, slots=True)
class _Logs(_Port):
    region: str = ""

    def groups(self, prefix: str = "") -> tuple[str, ...]:
        self.world.enter("logs.groups", prefix=prefix)
        with self.world.lock:
            return tuple(sorted(name for name in self._kept() if name.startswith(prefix)))

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
        self.world.enter(
            "logs.page",
            group=group,
            start=start,
            end=end,
            token=token,
            newest_first=newest_first,
            streams=streams,
            pattern=pattern,
            region=self.region,
            paced=paced,
        )
        with self.world.lock:
            self._need(group)
            newest_first = newest_first and self.world.newest_first
            lines = sorted(
                (
                    line
                    for line in self._kept()[group]
                    if start <= line.timestamp
                    and (end is None or line.timestamp <= end)
                    and line.stream.startswith(streams)
                    and pattern.strip('"') in line.message
                ),
                key=lambda line: line.order,
                reverse=newest_first,
            )
        empty, _, first_token = (token or "").partition(" ")
        passed = int(empty or 0) if not first_token else self.world.empty_pages
        if passed < self.world.empty_pages:
            return LogPage((), f"{passed + 1}", newest_first)
        first = int(first_token or 0)
        last = first + min(limit, self.world.page_size)
        token = f"0 {last}" if last < len(lines) else None
        return LogPage(tuple(lines[first:last]), token, newest_first)

    def live(self, groups: Sequence[str], pattern: str = "") -> LiveSession:
        self.world.enter("logs.live", groups=tuple(groups), pattern=pattern)
        for group in groups:
            self._need(group)
        return _Live(self.world)

    def elsewhere(self, region: str) -> Logs:
        return self if region in ("", self.world.place.region) else _Logs(self.world, region)

    def _need(self, group: str) -> None:
        if group not in self._kept():
            region = self.region or self.world.place.region
            raise NotThere("No such log group", f"{group} in {region}")

    def _kept(self) -> dict[str, list[LogLine]]:
        return self.world.logs_elsewhere.get(self.region, {}) if self.region else self.world.logs


class _Live(_Port):
    def updates(self) -> Iterator[LiveUpdate]:
        """Those of the script; then the session ends."""
        while True:
            with self.world.lock:
                if not self.world.live:
                    return
                update = self.world.live.pop(0)
            yield update

    def close(self) -> None:
        with self.world.lock:
            self.world.live.clear()


class _Secrets(_Port):
    def changes(self, references: Sequence[str]) -> tuple[SecretChange, ...]:
        self.world.enter("secrets.changes", references=tuple(references))
        return tuple(
            self.world.secrets.get(reference, SecretChange(reference, reference, None))
            for reference in dict.fromkeys(references)
        )


class _Activity(_Port):
    def recent(self, ref: ServiceRef, alarms: Sequence[str]) -> Activity:
        self.world.enter("activity.recent", ref=ref, alarms=tuple(alarms))
        return self.world.activity


class _MetricData(_Port):
    def read(
        self,
        ref: ServiceRef,
        groups: Sequence[TargetGroup],
        tasks: Mapping[str, Sequence[str]],
        now: datetime,
    ) -> Metrics:
        self.world.enter("metrics.read", ref=ref, groups=tuple(groups), tasks=tasks, now=now)
        return self.world.metrics


class _Meter(_Port):
    def per_minute(self) -> int:
        return self.world.calls_per_minute


def _request_id(world: ScriptedWorld) -> str:
    return f"00000000-0000-4000-8000-{len(world.writes):012d}"


def _definition(world: ScriptedWorld, name: str) -> TaskDefinition:
    """By ARN, by `family:revision`, or the newest ACTIVE one of a family."""
    with world.lock:
        newest_first = sorted(world.definitions.values(), key=lambda d: -d.revision)
    found = next(
        (
            d
            for d in newest_first
            if name in (d.arn, d.name) or (name == d.family and d.status == "ACTIVE")
        ),
        None,
    )
    if found is None:
        raise NotThere("No such task definition", name)
    return found


def _said(definition: TaskDefinition) -> Mapping[str, object]:
    """What the value itself says, in AWS's names."""
    containers = [
        {"name": c.name, "image": c.image, "essential": c.essential}
        | ({"command": list(c.command)} if c.command else {})
        for c in definition.containers
    ]
    return {"family": definition.family, "containerDefinitions": containers}


def _renamed(said: Mapping[str, object], images: Mapping[str, str]) -> Mapping[str, object]:
    """What a task definition says, with some images replaced."""
    containers = said.get("containerDefinitions")
    if not isinstance(containers, list):
        return said
    renamed = [{**c, "image": images.get(c["name"], c.get("image"))} for c in containers]
    return {**said, "containerDefinitions": renamed}


def _pinned(world: ScriptedWorld, name: str, images: Mapping[str, str]) -> TaskDefinition:
    """The next revision of its family, with some images replaced."""
    old = _definition(world, name)
    revision = 1 + max(d.revision for d in world.definitions.values() if d.family == old.family)
    containers = tuple(replace(c, image=images.get(c.name, c.image)) for c in old.containers)
    return replace(
        old,
        arn=f"{old.arn.rpartition(':')[0]}:{revision}",
        revision=revision,
        status="ACTIVE",
        containers=containers,
        registered_at=world.now,
    )
