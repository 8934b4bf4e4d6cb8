"""Build and push: make an image of the app's source and give it to ECR. What serves stays.

The image goes to the repository that the live task definition names, under the commit's name. The
part that decides what is made (`survey`, `making`) serves the deploy as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from bgconsole.domain.amount_words import size
from bgconsole.domain.builds import Engine, Source
from bgconsole.domain.how_many import how_many
from bgconsole.domain.images import ImageReference, Repository, is_tag, named_digest
from bgconsole.domain.services import TaskDefinition
from bgconsole.domain.snapshot import Snapshot
from bgconsole.domain.versions import live_version
from bgconsole.gateway.aws.abreast import abreast
from bgconsole.gateway.port import Gateway
from bgconsole.operations.guards import unread
from bgconsole.operations.image_steps import Making, image_steps
from bgconsole.operations.lookup import Lookup, about_tag, not_ours
from bgconsole.operations.spec import (
    NO_EVIDENCE,
    Check,
    Evidence,
    Fact,
    No,
    Operation,
    Param,
    Params,
    Plan,
    Question,
    Risk,
    not_checked,
)
from bgconsole.operations.words import at

CONTEXT = "rails_app"
"""The folder that is built where nothing else is said."""
LATEST = "latest"

BUILD_PARAMS = (
    Param("context", "The folder to build, from where you are", CONTEXT),
    Param("dockerfile", "The Dockerfile, from the context", "Dockerfile"),
    Param("tag", "The image's tag", "the git commit, with -dirty where not all is committed"),
    Param("repository", "The ECR repository", "that of the service's image"),
    Param("container", "The container whose image names the repository, where several could"),
    Param("build-args", "Build arguments: NAME=VALUE,NAME=VALUE; not for secrets"),
    Param("latest", "Give the tag latest as well", flag=True),
)
"""What decides the image; the deploy takes the same."""

_DIRTY = "-dirty"
_MOST_DIRTY = 30
"""Images of one commit with changes, before a commit is asked for."""
_ARGUMENT = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)
_UNKNOWN = "…"
SOURCE = Question[Source]("source")
ENGINE = Question[Engine]("engine")
_BUILDX = Question[bool]("buildx")
_REPOSITORY = Question[Repository | None]("repository")


def survey(gateway: Gateway, snapshot: Snapshot, params: Params) -> Evidence:
    """Look up all that a build rests on: engine, source, repository, and what its tags mean now."""
    look = Lookup(gateway, snapshot)
    folder, dockerfile = params.get("context") or CONTEXT, params.get("dockerfile", "")
    where = _repository(snapshot, params)
    name = where.repository if isinstance(where, ImageReference) else ""
    asks: list[Callable[[], object]] = [
        lambda: look.ask(SOURCE, lambda: gateway.docker.source(folder, dockerfile), str),
        lambda: look.ask(ENGINE, gateway.docker.engine, str),
    ]
    if name:
        asks.append(lambda: look.ask(_REPOSITORY, lambda: gateway.images.repository(name)))
    abreast(lambda ask: ask(), asks, len(asks))
    source, repository = look.evidence.answer(SOURCE), look.evidence.answer(_REPOSITORY)
    if source is not None and source.buildkit:
        look.ask(_BUILDX, gateway.docker.buildx)
    if name:
        find = gateway.images.find
        for tag in _tags(params, source, None):
            found = look.ask(about_tag(tag), partial(find, name, tag=tag))
            # What is not committed has no name of its own: the next one that is free.
            for number in range(2, _MOST_DIRTY):
                if not (found and repository and repository.keeps(tag) and tag.endswith(_DIRTY)):
                    break
                other = f"{tag}-{number}"
                found = look.ask(about_tag(other), partial(find, name, tag=other))
    return look.evidence


def making(snapshot: Snapshot, params: Params, evidence: Evidence | None) -> Making | No:
    """The image to be made, as far as it is known; `…` where it is not yet."""
    where = _repository(snapshot, params)
    if isinstance(where, No):
        return where
    given = params.get("tag", "")
    if given and not is_tag(given):
        return No(f"{given!r} cannot be a tag: letters, digits, `_`, `.` and `-`, at most 128.")
    arguments = _arguments(params)
    if isinstance(arguments, No):
        return arguments
    known = evidence or NO_EVIDENCE
    source, repository = known.answer(SOURCE), known.answer(_REPOSITORY)
    buildx = known.answer(_BUILDX)
    tags = _tags(params, source, evidence)
    if source is not None and not tags:
        at = snapshot.service.fetched_at
        return No(
            f"{source.folder} is in no git commit to name the image after. Name it another way.",
            ((f"{at:%Y%m%d-%H%M%S}", "after the time, in UTC"),) if at else (),
            "tag",
        )
    context = params.get("context") or CONTEXT
    if source is not None and "REVISION" in source.arguments and tags:
        arguments = {"REVISION": tags[0], **arguments}
    uri = repository.uri if repository else ""
    return Making(
        repository=uri or "/".join(filter(None, (where.registry, where.repository))),
        tags=tags or (_UNKNOWN,),
        folder=source.folder if source else context,
        dockerfile=source.dockerfile if source else _UNKNOWN,
        shown=context,
        arguments=arguments,
        buildkit=bool(source and source.buildkit and buildx),
    )


def image_facts(made: Making, evidence: Evidence | None) -> tuple[Fact, ...]:
    """What is built, and what it will be called."""
    known = evidence or NO_EVIDENCE
    source, engine = known.answer(SOURCE), known.answer(ENGINE)
    facts = []
    if source is not None:
        state = source.revision or "no commit"
        state += ", with changes that are not committed" if source.dirty else ""
        sent = f"{how_many(source.files, 'file')}, {size(source.size)}"
        facts.append(Fact("source", f"{source.folder} at {state}", aside=sent))
    else:
        facts.append(Fact("source", made.folder))
    facts += [Fact("image", name) for name in made.names]
    if others := sorted(set(made.arguments) - {"REVISION"}):
        facts.append(Fact("arguments", ", ".join(others)))
    if engine is not None:
        builder = "docker buildx" if made.buildkit else f"Docker {engine.version}"
        facts.append(Fact("engine", f"{builder} at {engine.host}"))
    return tuple(facts)


def image_checks(snapshot: Snapshot, made: Making, evidence: Evidence | None) -> tuple[Check, ...]:
    """What was looked at before an image is made."""
    if evidence is None:
        return (Check("the Docker engine, the source, the repository and its tags", "checking"),)
    checks = [*_engine_checks(evidence), *_source_checks(evidence)]
    checks += _repository_checks(made, evidence)
    for tag in made.tags:
        checks += _tag_checks(snapshot, made, tag, evidence)
    return tuple(checks)


def _engine_checks(evidence: Evidence) -> list[Check]:
    if why := evidence.why_not(ENGINE):
        return [Check(why, "problem")]
    source = evidence.answer(SOURCE)
    if source is None or not source.buildkit:
        return []
    if evidence.answer(_BUILDX):
        return [Check(f"docker buildx builds it: {source.buildkit} needs BuildKit", "ok")]
    words = (
        f"The Dockerfile needs BuildKit ({source.buildkit}), and `docker buildx` is not on this "
        "machine: install it, or write the line without it."
    )
    return [Check(words, "problem")]


def _source_checks(evidence: Evidence) -> list[Check]:
    if why := evidence.why_not(SOURCE):
        return [Check(why, "problem")]
    source = evidence.answer(SOURCE)
    if source is not None and source.dirty:
        return [Check("changes that are not committed are built as well", "warning")]
    return []


def _repository_checks(made: Making, evidence: Evidence) -> list[Check]:
    if why := evidence.why_not(_REPOSITORY):
        return [not_checked(f"repository {made.name}", why)]
    if evidence.answer(_REPOSITORY) is None:
        words = (
            f"ECR has no repository {made.name}: make it with cfn/image-repository.yml, or "
            f"`aws ecr create-repository --repository-name {made.name}`."
        )
        return [Check(words, "problem")]
    return [Check(f"repository {made.name} is in ECR", "ok")]


def _tag_checks(snapshot: Snapshot, made: Making, tag: str, evidence: Evidence) -> list[Check]:
    if why := evidence.why_not(about_tag(tag)):
        return [not_checked(f"what the tag {tag} means now", why)]
    found, repository = evidence.answer(about_tag(tag)), evidence.answer(_REPOSITORY)
    checks = []
    if found is not None:
        pushed = f", pushed {at(found.pushed_at, snapshot)}" if found.pushed_at else ""
        means = f"{named_digest(found.digest)}{pushed}"
        if repository is not None and repository.keeps(tag):
            words = (
                f"{made.name}:{tag} is in ECR already ({means}), and its tags never move. "
                "Deploy it, or for another image commit, or give another --tag."
            )
            return [Check(words, "problem")]
        checks.append(Check(f"{tag} means {means}: it will move to the new image", "warning"))
    if f"{made.repository}:{tag}" in _written(snapshot):
        words = f"the service names {tag}: its next deployment will take the new image"
        checks.append(Check(words, "warning"))
    return checks


def _plan(snapshot: Snapshot, params: Params, evidence: Evidence | None) -> Plan | No:
    made = making(snapshot, params, evidence)
    if isinstance(made, No):
        return made
    return Plan(
        summary=f"Build {made.shown} and push it as {made.name}:{made.tags[0]}",
        facts=image_facts(made, evidence),
        checks=image_checks(snapshot, made, evidence),
        steps=image_steps(made, snapshot.place),
        notes=("What serves stays as it is until an image is deployed.",),
        before=_meant(made, evidence),
        after=f"{made.names[0]} in ECR",
    )


def _meant(made: Making, evidence: Evidence | None) -> str:
    """What the first tag meant before, in words; empty where it meant nothing."""
    found = (evidence or NO_EVIDENCE).answer(about_tag(made.tags[0]))
    return f"{made.name}:{made.tags[0]} was {found.digest}" if found else ""


def _repository(snapshot: Snapshot, params: Params) -> ImageReference | No:
    """The repository that the image goes to."""
    images = {
        name: ImageReference.parse(written) for name, written in _containers(snapshot).items()
    }
    ours = {name: image for name, image in images.items() if not not_ours(image, snapshot)}
    if wanted := params.get("repository"):
        given = ImageReference.parse(wanted)
        registry = given.registry or next((i.registry for i in ours.values()), "")
        return _pushable(ImageReference(registry, given.repository), snapshot, given.registry)
    if container := params.get("container"):
        if container not in images:
            return No(f"The service has no container {container}.", _choices(images), "container")
        return _pushable(images[container], snapshot, container)
    if len({(image.registry, image.repository) for image in ours.values()}) > 1:
        words = "Several containers have images in ECR: which one is built?"
        return No(words, _choices(ours), "container")
    named = ", ".join(sorted(image.repository for image in images.values())) or "none"
    none = No(f"No image of the service is in this account's ECR ({named}): name a --repository.")
    return next(iter(ours.values()), none)


def _pushable(image: ImageReference, snapshot: Snapshot, named: str) -> ImageReference | No:
    """An image's repository, where these credentials can push to its registry."""
    why = not_ours(image, snapshot) if named else ""
    return No(f"{image.repository} cannot be pushed to: {why}.") if why else image


def _choices(images: dict[str, ImageReference]) -> tuple[tuple[str, str], ...]:
    return tuple((name, image.repository) for name, image in sorted(images.items()))


def _containers(snapshot: Snapshot) -> dict[str, str]:
    """The images of the live task definition as it writes them, by container."""
    live = live_version(snapshot)
    if live is None:
        return {}
    definition = _definition(snapshot, live.task_definition)
    if definition is None:
        return {image.container: image.image for image in live.images}
    return {container.name: container.image for container in definition.containers}


def _definition(snapshot: Snapshot, arn: str) -> TaskDefinition | None:
    return snapshot.tasks.value.definitions.get(arn) if snapshot.tasks.value else None


def _written(snapshot: Snapshot) -> set[str]:
    return set(_containers(snapshot).values())


def _tags(params: Params, source: Source | None, evidence: Evidence | None) -> tuple[str, ...]:
    """The tags of the image; none where the commit is not known."""
    first = params.get("tag", "")
    if not first and source is not None and source.revision:
        first = _free(f"{source.revision}{_DIRTY}", evidence) if source.dirty else source.revision
    if not first:
        return ()
    also = (LATEST,) if params.get("latest") and first != LATEST else ()
    return (first, *also)


def _free(tag: str, evidence: Evidence | None) -> str:
    """The last of the names that were asked for: those before it are taken."""
    found = evidence.found if evidence else {}
    names = [f"{tag}-{number}" for number in range(2, _MOST_DIRTY)]
    return next((name for name in reversed(names) if about_tag(name).name in found), tag)


def _arguments(params: Params) -> dict[str, str] | No:
    given = params.get("build-args", "")
    parts = re.split(r",(?=[A-Za-z_]\w*=)", given) if given else []
    if wrong := [part for part in parts if not _ARGUMENT.fullmatch(part)]:
        return No(f"{wrong[0]!r} is no build argument: write NAME=VALUE.")
    pairs = (part.partition("=") for part in parts)
    return {name: value for name, _, value in pairs}


BUILD = Operation(
    id="image.build",
    title="Build and push",
    footer="build+push",
    key="B",
    help="Build an image of the app's source and push it to ECR; what serves stays as it is.",
    risk=Risk.DISRUPTIVE,
    allowed=unread,
    gather=survey,
    plan=_plan,
    shared=True,
    sources=("identity", "service", "deployments", "tasks"),
    params=BUILD_PARAMS,
)
