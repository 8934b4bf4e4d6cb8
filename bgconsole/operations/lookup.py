"""What operations look up about images and task definitions, and the checks that tell of it.

A look-up that failed leaves its words in `Evidence.missing`, under the name of its question.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from bgconsole.domain.errors import AccessDenied, GatewayError
from bgconsole.domain.images import Image, ImageReference, named_digest
from bgconsole.domain.services import Bounds, ContainerImage, Task, TaskDefinition, short_name
from bgconsole.domain.snapshot import Snapshot
from bgconsole.domain.stacks import StackEvent
from bgconsole.gateway.port import Gateway
from bgconsole.operations.spec import NO_EVIDENCE, Check, Evidence, Found, No, Question, not_checked

_ECR = re.compile(r"(?P<account>\d{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.")
_LOOPBACK = re.compile(r"(?:localhost|127\.\d+\.\d+\.\d+)(?::\d+)?$")
AUTOSCALING = Question[Bounds | None]("autoscaling")
"""Between how many tasks the service is held; None where nothing holds it."""
EVENTS = Question[tuple[StackEvent, ...]]("events")
"""Those of the stack that an operation is about, newest first."""


def about_tag(written: str) -> Question[Image | None]:
    """The image that a reference's tag means now; None where the registry has none."""
    return Question(f"tag {written}")


def about_digest(repository: str, digest: str) -> Question[Image | None]:
    """The image of a digest; None where the registry has none."""
    return Question(f"digest {repository}@{digest}")


def about_definition(name: str) -> Question[TaskDefinition]:
    """A task definition by its ARN, or the newest of a family."""
    return Question(f"definition {name}")


def about_runs(family: str) -> Question[tuple[Task, ...]]:
    """The tasks of a task definition family that no service started."""
    return Question(f"runs {family}")


class Lookup:
    """Collects evidence: asks each thing once and keeps why it could not be answered."""

    def __init__(self, gateway: Gateway, snapshot: Snapshot) -> None:
        self._gateway = gateway
        self._snapshot = snapshot
        self._found: dict[str, object] = {}
        self._missing: dict[str, str] = {}

    @property
    def evidence(self) -> Evidence:
        """All that was found so far."""
        return Evidence(dict(self._found), dict(self._missing))

    def definition(self, arn: str, *, anew: bool = False) -> TaskDefinition | None:
        """A task definition, be it INACTIVE; None where it could not be read.

        Asked `anew` its status is that of now.
        """
        services = self._gateway.services
        return self.ask(about_definition(arn), lambda: services.task_definition(arn, anew=anew))

    def definitions(self, arns: Iterable[str]) -> bool:
        """Read some more task definitions; false where all were asked for before."""
        evidence = self.evidence
        new = [arn for arn in arns if not evidence.asked(about_definition(arn))]
        for arn in new:
            self.definition(arn)
        return bool(new)

    def runs(self, family: str) -> None:
        """The tasks of a task definition family that no service started."""
        cluster = self._snapshot.ref.cluster
        self.ask(about_runs(family), lambda: self._gateway.services.runs(cluster, family))

    def tag(self, written: str) -> None:
        """What digest an image's tag means now."""
        reference = ImageReference.parse(written)
        if reference.digest:
            return
        find, name = self._gateway.images.find, reference.repository
        self._ask_registry(about_tag(written), reference, lambda: find(name, tag=reference.tag))

    def digest(self, image: ContainerImage) -> None:
        """Whether the registry still has an image."""
        reference = ImageReference.parse(image.image)
        digest = image.digest or reference.digest
        if not digest:
            return
        find, name = self._gateway.images.find, reference.repository
        self._ask_registry(about_digest(name, digest), reference, lambda: find(name, digest=digest))

    def ask(
        self,
        question: Question[Found],
        find: Callable[[], Found],
        words: Callable[[GatewayError], str] = lambda error: error.title,
    ) -> Found | None:
        """Keep the answer, or `words` of why there is none; None without one."""
        try:
            answer = find()
        except AccessDenied as error:
            self._missing[question.name] = f"AccessDenied: {error.action or error.detail}"
        except GatewayError as error:
            self._missing[question.name] = words(error)
        else:
            self._found[question.name] = answer
            return answer
        return None

    def _ask_registry(
        self,
        question: Question[Image | None],
        reference: ImageReference,
        find: Callable[[], Image | None],
    ) -> None:
        if why := not_ours(reference, self._snapshot):
            self._missing[question.name] = why
        else:
            self.ask(question, find)


def not_ours(reference: ImageReference, snapshot: Snapshot) -> str:
    """Why a registry cannot be asked with these credentials; empty where it can.

    ECR of this account and region can; so can one on this machine, which answers as ECR where the
    endpoint does.
    """
    if _LOOPBACK.match(reference.registry):
        return ""
    match = _ECR.match(reference.registry)
    if match is None:
        return f"{reference.registry or 'Docker Hub'} is not ECR"
    identity = snapshot.identity.value
    if identity is not None and match["account"] != identity.account:
        return f"it is in account {match['account']}"
    if match["region"] != snapshot.place.region:
        return f"it is in {match['region']}"
    return ""


def definitions_in(evidence: Evidence | None) -> Mapping[str, TaskDefinition]:
    """The task definitions that were found, by ARN."""
    found = evidence.found.values() if evidence else ()
    return {value.arn: value for value in found if isinstance(value, TaskDefinition)}


def definition_of(
    snapshot: Snapshot, evidence: Evidence | None, name: str
) -> TaskDefinition | None:
    """A task definition, by its ARN or family, as looked up; else as it was read with the tasks."""
    found = evidence.answer(about_definition(name)) if evidence else None
    known = snapshot.tasks.value.definitions if snapshot.tasks.value else {}
    return found or definitions_in(evidence).get(name) or known.get(name)


def unread_definition(name: str, evidence: Evidence | None) -> No:
    """Why nothing can be done without a task definition, by its ARN or family."""
    why = (evidence or NO_EVIDENCE).why_not(about_definition(name)) or "not asked"
    return No(f"The task definition {short_name(name)} could not be read ({why}).")


def means_now(
    written: str, snapshot: Snapshot, evidence: Evidence | None, runs: str = ""
) -> str | None:
    """The digest that an image's tag means now: empty where the tag is gone, None if not known.

    Where `runs` is a part of that image, or the other way round, it is `runs`: the same image.
    Before evidence is there, what the console saw of the repository counts.
    """
    question = about_tag(written)
    if evidence is not None and evidence.asked(question):
        if evidence.why_not(question):
            return None
        found = evidence.answer(question)
        if found is None:
            return ""
        same, known = bool(runs) and found.is_(runs), not (runs and found.unread)
        return runs if same else found.digest if known else None
    reference = ImageReference.parse(written)
    seen = snapshot.images.value
    if seen is None or not_ours(reference, snapshot):
        return None
    images = [image for image in seen if image.repository == reference.repository]
    if not images:
        return None
    return next((image.digest for image in images if reference.tag in image.tags), "")


def parts_in(evidence: Evidence | None) -> Mapping[str, tuple[str, ...] | None]:
    """By the digest of an index: the digests of its platforms' manifests, None if not known."""
    found = evidence.found.values() if evidence else ()
    return {
        value.digest: None if value.unread else value.parts
        for value in found
        if isinstance(value, Image)
    }


def why_not_known(evidence: Evidence, image: Question[Image | None]) -> str:
    """Why a look-up says less than it should, in a few words; empty where it says all."""
    found = evidence.answer(image)
    if found is not None:
        return found.unread and f"its platforms: {found.unread}"
    return evidence.why_not(image)


def image_check(image: ContainerImage, evidence: Evidence | None, *, must: bool) -> Check | None:
    """Whether an image can be pulled; None where there is nothing to look up.

    Args:
        image: as it ran.
        evidence: what was looked up.
        must: whether tasks will have to pull it, so that its absence is a problem.
    """
    reference = ImageReference.parse(image.image)
    digest = image.digest or reference.digest
    if not digest:
        return None
    named = f"{reference.repository} {named_digest(digest)}"
    if evidence is None:
        return Check(f"image {named} in the registry", "checking")
    question = about_digest(reference.repository, digest)
    if why := evidence.why_not(question):
        return not_checked(f"image {named}", why)
    if evidence.answer(question) is None:
        if must:
            words = f"The image {named} is gone from the registry: no task could pull it."
            return Check(words, "problem")
        return Check(f"image {named} is gone from the registry; running tasks keep it", "warning")
    why = why_not_known(evidence, question)
    told = f"image {named} is in the registry{f'; not checked ({why})' if why else ''}"
    return Check(told, "not checked" if why else "ok")
