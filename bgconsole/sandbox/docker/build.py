"""A build: the steps of a Dockerfile on an uploaded context, told as the classic builder does.

Nothing is run and no base image is fetched: COPY and what describes the image are real, and so are
digests and the cache. Of a RUN only `echo`, `sleep N`, `exit N` and `false` have an effect.
"""

from __future__ import annotations

import asyncio
import json
import posixpath
import secrets
import shlex
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from .dockerfile import BadDockerfile, Instruction, expanded, pairs, parse
from .files import File, Files, NoSuchFile, copied, fingerprint, layer_of
from .store import LocalImage, Store, with_tag

Event = dict[str, Any]

_PIECE = 64
"""Characters of a RUN's output in one event: an event is not a line, neither here nor there."""
_SHELL = ["/bin/sh", "-c"]


class BuildFailed(Exception):
    """A step failed; `code` is the exit code of a RUN."""

    def __init__(self, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a build is asked for."""

    tags: tuple[str, ...] = ()
    arguments: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    target: str = ""
    use_cache: bool = True


@dataclass(slots=True)
class _Stage:
    image: LocalImage
    arguments: dict[str, str] = field(default_factory=dict)

    @property
    def variables(self) -> dict[str, str]:
        """ARG and ENV, which wins."""
        entries = (entry.partition("=") for entry in self.image.settings.get("Env") or ())
        return {**self.arguments, **{name: value for name, _, value in entries}}


class Build:
    """One build, made for one Dockerfile."""

    def __init__(
        self,
        store: Store,
        files: Files,
        dockerfile: str,
        wanted: Wanted,
        now: Callable[[], datetime],
    ) -> None:
        """Read the Dockerfile.

        Raises:
            BadDockerfile: it cannot be read.
        """
        self._store = store
        self._files = files
        self._wanted = wanted
        self._now = now
        self._instructions = _up_to(parse(dockerfile), wanted.target)
        self._before: dict[str, str] = {}
        self._stages: list[tuple[str, _Stage]] = []

    async def events(self) -> AsyncIterator[Event]:
        """Do it, telling every step; a failure is the last event."""
        try:
            async for event in self._events():
                yield event
        except (BuildFailed, BadDockerfile) as failure:
            detail: Event = {"message": str(failure)}
            if getattr(failure, "code", None) is not None:
                detail = {"code": failure.code, **detail}  # type: ignore[union-attr]
            yield {"errorDetail": detail, "error": str(failure)}

    async def _events(self) -> AsyncIterator[Event]:
        steps = list(self._instructions)
        if self._wanted.labels:
            words = " ".join(f"{n}={shlex.quote(v)}" for n, v in self._wanted.labels.items())
            steps.append(Instruction("LABEL", {}, words, f"LABEL {words}"))
        for number, step in enumerate(steps, 1):
            yield {"stream": f"Step {number}/{len(steps)} : {step.text}"}
            yield {"stream": "\n"}
            async for text in self._step(step):
                yield {"stream": text}
        image = self._stages[-1][1].image
        yield {"aux": {"ID": image.id}}
        yield {"stream": f"Successfully built {image.short_id}\n"}
        for tag in self._wanted.tags:
            self._store.names[with_tag(tag)] = image.id
            yield {"stream": f"Successfully tagged {with_tag(tag)}\n"}

    async def _step(self, step: Instruction) -> AsyncIterator[str]:
        if step.word == "FROM":
            for text in self._from(step):
                yield text
        elif not self._stages:
            name, sign, default = step.rest.partition("=")
            given = self._wanted.arguments.get(name)
            if given is not None or sign:
                self._before[name] = default.strip("\"'") if given is None else given
        else:
            async for text in self._change(step, self._stages[-1][1]):
                yield text

    def _from(self, step: Instruction) -> list[str]:
        words = step.rest.split()
        base = expanded(words[0], self._before)
        if not base:
            raise BuildFailed(f"base name ({words[0]}) should not be blank")
        name = words[2] if len(words) == 3 and words[1].upper() == "AS" else str(len(self._stages))
        earlier = dict(self._stages).get(base)
        told = []
        if earlier is not None:
            image = earlier.image
        elif base == "scratch":
            image = _empty(None)
            told.append(" ---> \n")
        else:
            found = self._store.find(base)
            image = found or _empty(base)
            if found is None:
                told.append(f"(sandbox) {base} is not fetched: an empty image stands in for it\n")
        self._stages.append((name, _Stage(self._store.keep(image))))
        if base != "scratch":
            told.append(f" ---> {image.short_id}\n")
        return told

    async def _change(self, step: Instruction, stage: _Stage) -> AsyncIterator[str]:
        """One step of a stage: from the cache, or done."""
        filled = step if step.word == "RUN" else _filled(step, stage.variables)
        copying = step.word in ("COPY", "ADD")
        added = await asyncio.to_thread(self._copied, filled, stage) if copying else {}
        if step.word == "ARG":
            self._argument(filled, stage)
        key = json.dumps(
            [stage.image.id, filled.text, step.word == "RUN" and sorted(stage.arguments.items()),
             copying and fingerprint(added)]
        )  # fmt: skip
        known = self._store.images.get(self._store.cache.get(key, ""))
        if known is not None and self._wanted.use_cache:
            stage.image = known
            yield " ---> Using cache\n"
            yield f" ---> {known.short_id}\n"
            return
        if not copying:
            container = secrets.token_hex(6)
            yield f" ---> Running in {container}\n"
            if step.word == "RUN":
                async for text in _run(step):
                    yield text
            yield f"Removing intermediate container {container}\n"
        made = await asyncio.to_thread(self._made, filled, stage.image, added)
        stage.image = self._store.keep(made)
        self._store.cache[key] = stage.image.id
        yield f" ---> {stage.image.short_id}\n"

    def _argument(self, step: Instruction, stage: _Stage) -> None:
        name, sign, default = step.rest.partition("=")
        given = self._wanted.arguments.get(name, self._before.get(name))
        if given is not None:
            stage.arguments[name] = given
        elif sign:
            stage.arguments[name] = default.strip("\"'")

    def _copied(self, step: Instruction, stage: _Stage) -> dict[str, File]:
        *sources, target = step.words if len(step.words) > 1 else ["", step.rest]
        if not sources or not sources[0]:
            raise BuildFailed(f"{step.word} requires at least two arguments")
        origin = step.flags.get("from", "")
        files = self._files
        if origin:
            known = dict(self._stages).get(origin)
            if known is None:
                raise BuildFailed(f"invalid from flag value {origin}: no such stage")
            files = known.image.files
        if any("://" in source for source in sources):
            raise BuildFailed("the sandbox's Docker Engine fetches nothing: ADD takes files only")
        folder = str(stage.image.settings.get("WorkingDir") or "/")
        try:
            return copied(files, sources, target, folder)
        except NoSuchFile as missing:
            if origin:  # it would have been made by a RUN
                return {}
            raise BuildFailed(
                f"{step.word} failed: file not found in build context or excluded by "
                f".dockerignore: stat {missing}: file does not exist"
            ) from None

    def _made(self, step: Instruction, parent: LocalImage, added: Files) -> LocalImage:
        document: dict[str, Any] = json.loads(parent.document)
        _describe(document["config"], step)
        created = self._now().isoformat().replace("+00:00", "Z")
        document["created"] = created
        history: dict[str, Any] = {"created": created, "created_by": step.text}
        layers = parent.layers
        if added:
            layers = (*layers, layer_of(added))
            document["rootfs"]["diff_ids"] = [layer.diff_id for layer in layers]
        else:
            history["empty_layer"] = True
        document["history"].append(history)
        files = {**parent.files, **added} if added else parent.files
        return LocalImage(_json(document), layers, files)


def _up_to(steps: Sequence[Instruction], target: str) -> Sequence[Instruction]:
    """The steps up to the end of the stage that is wanted.

    Raises:
        BadDockerfile: there is no such stage.
    """
    if not target:
        return steps
    starts = [number for number, step in enumerate(steps) if step.word == "FROM"]
    for start, end in zip(starts, [*starts[1:], len(steps)], strict=True):
        if steps[start].rest.lower().endswith(f" as {target.lower()}"):
            return steps[:end]
    raise BadDockerfile(f"failed to reach build target {target} in Dockerfile")


def _empty(base: str | None) -> LocalImage:
    """What stands in for a base image: one layer that names it; of `scratch` none."""
    files = {} if base is None else {"etc/sandbox-base-image": File(f"{base}\n".encode())}
    layers = (layer_of(files),) if files else ()
    document = {
        "architecture": "amd64",
        "os": "linux",
        "created": "2026-01-01T00:00:00Z",
        "config": {"Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]},
        "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]},
        "history": [{"created": "2026-01-01T00:00:00Z", "created_by": f"FROM {base}"}],
    }
    return LocalImage(_json(document), layers, files)


def _filled(step: Instruction, variables: Mapping[str, str]) -> Instruction:
    rest = expanded(step.rest, variables)
    return replace(step, rest=rest, text=step.text.replace(step.rest, rest))


def _describe(config: dict[str, Any], step: Instruction) -> None:
    """What an instruction changes of how a container is started."""
    rest = step.rest
    command = step.array if step.array is not None else [*_SHELL, rest]
    if step.word == "ENV":
        kept = [e for e in config.get("Env") or () if e.partition("=")[0] not in pairs(rest)]
        config["Env"] = [*kept, *(f"{name}={value}" for name, value in pairs(rest).items())]
    elif step.word == "LABEL":
        config["Labels"] = {**(config.get("Labels") or {}), **pairs(rest)}
    elif step.word == "CMD":
        config["Cmd"] = command
    elif step.word == "ENTRYPOINT":
        config["Entrypoint"] = command
        config.pop("Cmd", None)
    elif step.word == "WORKDIR":
        config["WorkingDir"] = posixpath.join(config.get("WorkingDir") or "/", rest)
    elif step.word == "USER":
        config["User"] = rest
    elif step.word == "EXPOSE":
        ports: dict[str, Any] = {
            port if "/" in port else f"{port}/tcp": {} for port in rest.split()
        }
        config["ExposedPorts"] = {**(config.get("ExposedPorts") or {}), **ports}
    elif step.word == "STOPSIGNAL":
        config["StopSignal"] = rest
    elif step.word == "HEALTHCHECK":
        kind, _, behind = rest.partition(" ")
        test = ["NONE"] if kind.upper() == "NONE" else ["CMD-SHELL", behind]
        config["Healthcheck"] = {"Test": test}


async def _run(step: Instruction) -> AsyncIterator[str]:
    """What a RUN does here: see the module.

    Raises:
        BuildFailed: it says `exit N` or `false`.
    """
    if "mount" in step.flags:
        raise BuildFailed(
            "the --mount option requires BuildKit. Refer to https://docs.docker.com/go/buildkit/ "
            "to learn how to build images with BuildKit enabled"
        )
    shown = step.array or [*_SHELL, step.rest]
    text = " ".join(step.array or [step.rest])
    for part in text.replace(";", "&&").split("&&"):
        try:
            words = shlex.split(part)
        except ValueError:
            continue
        code = 0
        match words:
            case ["echo", *said]:
                line = " ".join(said) + "\n"
                for start in range(0, len(line), _PIECE):
                    yield line[start : start + _PIECE]
            case ["sleep", seconds] if seconds.isdecimal():
                await asyncio.sleep(int(seconds))
            case ["exit", number] if number.isdecimal():
                code = int(number)
            case ["false"]:
                code = 1
        if code:
            raise BuildFailed(
                f"The command '{' '.join(shown)}' returned a non-zero code: {code}", code
            )


def _json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":"), sort_keys=True).encode()
