"""The steps that make an image: build it, push it, read it back from ECR. Others may follow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from shlex import quote
from types import MappingProxyType

from bgconsole.domain.amount_words import size
from bgconsole.domain.builds import BuildLine, Built, Layer, Order, Pushed, RegistryLogin, Sent
from bgconsole.domain.errors import ExpiredCredentials, GatewayError, Unreachable
from bgconsole.domain.identity import Place
from bgconsole.domain.images import ImageReference, named_digest
from bgconsole.gateway.port import Submitted
from bgconsole.operations.step import Bench, Step, Told
from bgconsole.operations.words import command
from bgconsole.watch.telling import Amount, End, Note

PUSHED = "the pushed image"
"""Under this name later steps find the image, `repository@sha256:…`."""
ATTEMPTS = 3
"""Pushes until one that is interrupted is given up."""
PAUSE = 2.0
"""Seconds before the second push; the third waits twice as long."""
_EXISTS = "Layer already exists"


@dataclass(frozen=True, slots=True)
class Making:
    """One image to be made."""

    repository: str
    """With its registry: `127.0.0.1:4566/demorepo`."""
    tags: tuple[str, ...]
    """The first names what was built, such as a commit; others are given as well."""
    folder: str
    dockerfile: str
    shown: str
    """The folder as it was named."""
    arguments: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    buildkit: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the image."""
        return tuple(f"{self.repository}:{tag}" for tag in self.tags)

    @property
    def name(self) -> str:
        """The repository's name, without its registry."""
        return ImageReference.parse(self.repository).repository


def image_steps(making: Making, place: Place) -> tuple[Step, ...]:
    """Build, push, read back; `PUSHED` is made for those that follow."""
    tags = " and ".join(making.tags)
    return (
        Step(
            f"build {making.shown} as {making.name}:{making.tags[0]}",
            _build_command(making),
            work=lambda bench: _build(making, bench),
            effect="prepares",
        ),
        Step(
            f"push it to {making.repository} as {tags}",
            _push_command(making, place),
            work=lambda bench: _push(making, bench),
            makes=PUSHED,
            effect="prepares",
        ),
        Step(
            "read its digest back from ECR",
            command(
                f"ecr describe-images --repository-name {making.name} "
                f"--image-ids imageTag={making.tags[0]}",
                place,
            ),
            work=lambda bench: _read_back(making, bench),
            effect="looks",
        ),
    )


def _build_command(making: Making) -> str:
    words = ["docker buildx build --load" if making.buildkit else "docker build"]
    # Only what is derived is written out; the value of another argument is not for every eye.
    for name, value in making.arguments.items():
        words.append(f"--build-arg {name}={quote(value)}" if name == "REVISION" else
                     f"--build-arg {name}=…")  # fmt: skip
    words += [f"-f {quote(making.dockerfile)}"]
    words += [f"-t {name}" for name in making.names]
    return " ".join((*words, quote(making.folder)))


def _push_command(making: Making, place: Place) -> str:
    # Of a repository that is still to be made nothing is known yet.
    registry = ImageReference.parse(making.repository).registry or "REGISTRY"
    login = command("ecr get-login-password", place)
    pushes = " && ".join(f"docker push {name}" for name in making.names)
    return f"{login} | docker login -u AWS --password-stdin {registry} && {pushes}"


def _build(making: Making, bench: Bench) -> Told:
    order = Order(
        folder=making.folder,
        dockerfile=making.dockerfile,
        names=making.names,
        arguments=making.arguments,
        buildkit=making.buildkit,
    )
    for told in bench.gateway.docker.build(order, bench.cancelled):
        match told:
            case BuildLine(text):
                yield Note(text, "output")
            case Sent(done, total):
                yield Note("", amount=Amount("build context", done, total))
            case Layer(layer, _, done, total) if total:
                yield Note("", amount=Amount(f"base layer {layer}", done, total))
            case Built():
                return
    yield End("stopped", "The build was stopped; nothing was pushed.", bench.clock())


def _push(making: Making, bench: Bench) -> Told:
    digest, login = "", bench.gateway.images.login()
    for name in making.names:
        pushing = _Pushing(name)
        yield from pushing.work(bench, login)
        if not pushing.done:
            words = "The push was stopped; layers that arrived stay there for the next one."
            yield End("stopped", words, bench.clock())
            return
        digest, login = pushing.digest or digest, pushing.login or login
    if not digest:  # an engine that does not tell
        found = bench.gateway.images.find(making.name, tag=making.tags[0])
        digest = found.digest if found else ""
    yield Submitted("", created=f"{making.repository}@{digest}" if digest else making.names[0])


class _Pushing:
    """The push of one name: again where it was interrupted, with a new login where one ran out."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._layers: dict[str, tuple[int, int]] = {}
        self.done = False
        self.digest = ""
        self.login: RegistryLogin | None = None
        """The one that was taken, where it had to be renewed."""

    def work(self, bench: Bench, login: RegistryLogin) -> Iterator[Note]:
        """Push until it is done, stopped or given up."""
        attempt = 1
        while True:
            try:
                yield from self._once(bench, login)
                return
            except ExpiredCredentials:
                if self.login is not None:
                    raise
                yield Note("the registry does not take the login any more: asking for another")
                login = self.login = bench.gateway.images.login()
            except Unreachable as error:
                if attempt == ATTEMPTS:
                    raise
                yield Note(
                    f"interrupted ({error.detail or error.title}): pushing again, without what "
                    "is there already"
                )
                if bench.wait(PAUSE * attempt):
                    return
                attempt += 1

    def _once(self, bench: Bench, login: RegistryLogin) -> Iterator[Note]:
        self._layers.clear()
        statuses: dict[str, str] = {}
        for told in bench.gateway.docker.push(self._name, login, bench.cancelled):
            if isinstance(told, Pushed):
                self.done, self.digest = True, told.digest
                return
            before = statuses.get(told.id)
            statuses[told.id] = told.status
            if told.status in ("Pushed", _EXISTS) and before != told.status:
                yield Note(self._settled(told), "output")
            if told.total or told.id in self._layers:
                yield from self._amounts(told)

    def _settled(self, layer: Layer) -> str:
        total = self._layers.get(layer.id, (0, 0))[1]
        of = f" {size(total)}" if total and layer.status == "Pushed" else ""
        return f"layer {layer.id}: {layer.status.lower()}{of}"

    def _amounts(self, layer: Layer) -> Iterator[Note]:
        done, total = layer.done, layer.total
        if not total:
            total = self._layers[layer.id][1]
            done = total
        self._layers[layer.id] = (done, total)
        yield Note("", amount=Amount(f"layer {layer.id}", done, total))
        if len(self._layers) > 1:
            sent = sum(done for done, _ in self._layers.values())
            whole = sum(total for _, total in self._layers.values())
            yield Note("", amount=Amount("layers begun", sent, whole))


def _read_back(making: Making, bench: Bench) -> Told:
    pushed = ImageReference.parse(bench.made[PUSHED]).digest
    named = f"{making.name}:{making.tags[0]}"
    try:
        found = bench.gateway.images.find(making.name, tag=making.tags[0])
    except GatewayError as error:
        words = f"Pushed {named} ({pushed}); it could not be read back: {error}"
        code = error.exit_code
        yield End("left", words, bench.clock(), unread=error.brief, exit_code=code)
        return
    if found is None or (pushed and found.digest != pushed):
        shown = named_digest(found.digest) if found else "no such image"
        words = f"ECR shows {shown} for {named}, not what was pushed: another push came between."
        yield End("different", words, bench.clock(), now=f"{named} is {shown}")
        return
    yield Note(f"{named} is {found.digest}", "milestone")
    yield End(
        "reached",
        f"Pushed {named}, {found.digest}.",
        bench.clock(),
        now=f"{named} is {found.digest}, as read back from ECR",
    )
