"""What a service ran or runs: a task definition together with the digests of its images.

Two versions are told apart by content, not by number: a force redeploy of the same image makes a
new service revision but no new version, and one task definition that names a mutable tag may have
run as several versions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bgconsole.domain.images import ImageReference, named_digest, short_digest
from bgconsole.domain.services import (
    ContainerImage,
    ServiceDeployment,
    TaskDefinition,
    TaskSet,
    revision_of,
)
from bgconsole.domain.snapshot import Snapshot

Definitions = Mapping[str, TaskDefinition]
"""Task definitions by ARN."""
NO_DEFINITIONS: Definitions = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Version:
    """A task definition and what its images really were, as far as that is known."""

    task_definition: str
    images: tuple[ContainerImage, ...] = ()
    service_revision: str = ""
    """ARN of the service revision that it was read from; empty where there is no record."""

    @property
    def revision(self) -> str:
        """The task definition's revision number, as it is shown and typed."""
        return revision_of(self.task_definition)

    @property
    def digests(self) -> Mapping[str, str]:
        """By container; only those that are known."""
        return {image.container: image.digest for image in self.images if image.digest}

    @property
    def words(self) -> str:
        """`revision 43 · 8be01c9 · sha256:77ab10c2`; tags and digests as far as known."""
        return " · ".join((f"revision {self.revision}", *map(image_words, self.images)))


def named(version: Version, other: Version) -> str:
    """`revision 43`, or `revision 43 (sha256 77ab10c2)` where the other is another image of it."""
    mine, theirs = version.digests, other.digests
    digest = next((mine[name] for name in mine if mine[name] != theirs.get(name)), "")
    if version.revision != other.revision or not digest:
        return f"revision {version.revision}"
    return f"revision {version.revision} (sha256 {short_digest(digest)})"


def image_words(image: ContainerImage) -> str:
    """`8be01c9 · sha256:77ab10c2`: the tag as written and the digest it was resolved to."""
    reference = ImageReference.parse(image.image)
    digest = image.digest or reference.digest
    return " · ".join(filter(None, (reference.tag, named_digest(digest) if digest else "")))


def alike(one: Version, other: Version, definitions: Definitions = NO_DEFINITIONS) -> bool | None:
    """Whether two versions are the same content; None where that cannot be told.

    A digest that differs decides. Otherwise the same task definition is the same content, and two
    task definitions are compared by what they say apart from their images.
    """
    left, right = one.digests, other.digests
    shared = left.keys() & right.keys()
    if any(left[name] != right[name] for name in shared):
        return False
    if one.task_definition == other.task_definition:
        return True
    first, second = (definitions.get(v.task_definition) for v in (one, other))
    if first is None or second is None or not first.content or not second.content:
        return None
    if first.content != second.content:
        return False
    written = [{c.name: c.image for c in definition.containers} for definition in (first, second)]
    return all(
        name in shared or written[0].get(name) == written[1].get(name)
        for name in written[0].keys() | written[1].keys()
    )


def version_of(snapshot: Snapshot, service_revision: str) -> Version | None:
    """A service revision's version: as recorded, else as its deployment and tasks show it."""
    deployments = snapshot.deployments.value
    if deployments and (recorded := deployments.revisions.get(service_revision)):
        return Version(recorded.task_definition, recorded.images, recorded.arn)
    number = service_revision.rpartition("/")[2]
    service = snapshot.service.value
    if service is None:
        return None
    deployment = next((d for d in service.deployments if d.number == number), None)
    if deployment is None:
        return None
    return Version(deployment.task_definition, _running(snapshot, deployment.id), service_revision)


def live_version(snapshot: Snapshot) -> Version | None:
    """What the service runs by ECS's account: the PRIMARY deployment's version.

    While a service deployment is under way that is what ECS works towards; what it came from is
    among that deployment's sources.
    """
    service, deployments = snapshot.service.value, snapshot.deployments.value
    if service is None:
        return None
    primary = service.primary
    if primary is None:
        return Version(service.task_definition)
    known = deployments.revisions.values() if deployments else ()
    arn = next((r.arn for r in known if r.number == primary.number), "")
    return (version_of(snapshot, arn) if arn else None) or Version(
        primary.task_definition, _running(snapshot, primary.id)
    )


def task_set_version(snapshot: Snapshot, task_set: TaskSet) -> Version:
    """What a task set of CodeDeploy's runs, as its tasks tell."""
    return Version(task_set.task_definition, _running(snapshot, task_set.id))


def outcome(deployment: ServiceDeployment) -> str:
    """The ARN of the service revision that a deployment left running; empty where it is not told.

    SUCCESSFUL leaves its target, ROLLBACK_SUCCESSFUL what it went back to.
    """
    if deployment.status == "SUCCESSFUL":
        return deployment.target.arn
    if deployment.status == "ROLLBACK_SUCCESSFUL":
        return deployment.rollback_revision or source_of(deployment)
    return ""


def source_of(deployment: ServiceDeployment) -> str:
    """The ARN of the only source revision of a deployment, else empty."""
    return deployment.sources[0].arn if len(deployment.sources) == 1 else ""


def _running(snapshot: Snapshot, started_by: str) -> tuple[ContainerImage, ...]:
    """The images of a deployment's running tasks, by container; a digest only where all agree."""
    seen: dict[str, tuple[str, set[str]]] = {}
    for task in snapshot.tasks.value.tasks if snapshot.tasks.value else ():
        if task.started_by == started_by and not task.stopped:
            for container in task.containers:
                digests = seen.setdefault(container.name, (container.image, set()))[1]
                digests.update(filter(None, (container.digest,)))
    return tuple(
        ContainerImage(name, image, next(iter(digests)) if len(digests) == 1 else "")
        for name, (image, digests) in seen.items()
    )
