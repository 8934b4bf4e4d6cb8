"""Containers as what they are: of the image in the registry, on a real Docker engine."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from .docker_api import DockerApi, DockerRefused
from .docker_database import DockerDatabases
from .port import Address, ContainerEvents, ContainerSpec
from .process import LONGEST_LINE
from .programs import TERMINATED

log = logging.getLogger(__name__)

LABEL = "bgconsole.sandbox"
"""On every container; its value is the lock file that its sandbox holds while it lives."""
_CANNOT_START = 128
_CRASH = "the scenario lets this container crash"
_MEBIBYTE = 1024 * 1024

Secret = Callable[[str], Awaitable[str | None]]
"""The value behind a `valueFrom`; `None` when there is none."""


@dataclass(frozen=True, slots=True)
class DockerSettings:
    """Which engine, and what is needed to run containers on it."""

    host: str
    """As in DOCKER_HOST."""
    database_image: str
    """Takes the variables of the official `postgres` image."""
    registry_token: str
    """Of the registry that tasks' images are pulled from, as ECR gives it."""
    locks: Path
    """The folder of the lock files, the same for every sandbox of this user."""


class DockerRuntime:
    """Starts each container on the engine; each publishes its port on a free loopback one.

    Published, because a container's own address can be reached on Linux only.
    """

    def __init__(self, settings: DockerSettings, secret: Secret) -> None:
        """Sweep what earlier sandboxes left, before the first container is started.

        Raises:
            DockerRefused: the engine's address cannot be used.
            OSError: the lock file cannot be made.
        """
        self.api = DockerApi(settings.host)
        self.secret = secret
        self._settings = settings
        self._lock = Lock.take(settings.locks)
        self.label = (LABEL, str(self._lock.path))
        self.databases = DockerDatabases(self.api, settings.database_image, self.label)
        self._containers: set[DockerContainer] = set()
        self._addresses: dict[Address, Address] = {}
        self._pulls: dict[str, asyncio.Task[None]] = {}
        self._work: set[asyncio.Task[None]] = set()
        self._swept = asyncio.get_running_loop().create_task(self._sweep())

    def start(self, spec: ContainerSpec, events: ContainerEvents) -> DockerContainer:
        """Begin to pull the image and to start the container."""
        container = DockerContainer(self, spec, events)
        self._containers.add(container)
        container.task = self.soon(container.run())
        return container

    def resolve(self, address: Address) -> Address | None:
        """The loopback socket behind a task's private address, once it is published."""
        return self._addresses.get(address)

    def publish(self, address: Address, endpoint: Address) -> None:
        """A container listens."""
        self._addresses[address] = endpoint

    def forget(self, container: DockerContainer) -> None:
        """A container ended: nothing answers at its address any more."""
        self._containers.discard(container)
        if container.spec.address is not None:
            self._addresses.pop(container.spec.address, None)

    async def pulled(self, spec: ContainerSpec) -> str:
        """The image by its digest, pulled once however many containers want it.

        Raises:
            DockerRefused: it could not be pulled.
        """
        await self._swept
        repository = spec.image.partition("@")[0]
        if ":" in repository.rpartition("/")[2]:
            repository = repository.rpartition(":")[0]
        image = f"{repository}@{spec.info.digest}"
        if image not in self._pulls:
            pull = self.api.pull(image, self._settings.registry_token)
            self._pulls[image] = asyncio.get_running_loop().create_task(pull)
        await asyncio.shield(self._pulls[image])
        return image

    def soon(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Do this on the event loop; it is given up when the runtime is closed."""
        task = asyncio.get_running_loop().create_task(work)
        self._work.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._work.discard(task)
        if not task.cancelled() and (failure := task.exception()) is not None:
            log.error("the Docker engine failed: %s", failure)

    async def close(self) -> None:
        """Remove every container, the database among them, running or not."""
        await self.databases.close()
        for task in (*self._work, *self._pulls.values(), self._swept):
            task.cancel()
        await asyncio.gather(
            *self._work, *self._pulls.values(), self._swept, return_exceptions=True
        )
        try:
            await self._remove(await self.api.labelled("=".join(self.label)))
        except DockerRefused as refusal:
            log.warning("containers were left, the next start removes them: %s", refusal)
        else:
            self._lock.give_up()
        await self.api.close()

    async def _sweep(self) -> None:
        left = [
            known
            for known in await self.api.labelled(LABEL)
            if not Lock.is_held(Path(known["Labels"][LABEL]))
        ]
        await self._remove(left)

    async def _remove(self, containers: list[dict[str, Any]]) -> None:
        await asyncio.gather(*(self.api.remove(known["Id"]) for known in containers))


class DockerContainer:
    """One container and the news of it."""

    def __init__(
        self, runtime: DockerRuntime, spec: ContainerSpec, events: ContainerEvents
    ) -> None:
        self.spec = spec
        self.task: asyncio.Task[None] | None = None
        self._runtime = runtime
        self._events = events
        self._id = ""
        self._started = False
        self._stopping = False

    def stop(self) -> None:
        """SIGTERM now, SIGKILL when the stop timeout ends: real seconds, for it is a real app."""
        if self._stopping:
            return
        self._stopping = True
        if self._started:
            self._runtime.soon(self._end())

    def fall_ill(self) -> None:
        """Freeze it, so that health checks time out."""
        if self._started:
            self._runtime.soon(self._runtime.api.pause(self._id))

    def fail(self, percent: float) -> None:
        """Nothing: a real app answers what it answers."""

    async def run(self) -> None:
        """Run it to its end and tell of it."""
        try:
            code = await self._live()
        except DockerRefused as refusal:
            self._events.output(f"the Docker engine could not run the container: {refusal}")
            code = _CANNOT_START
        except Exception:  # its task must end whatever else went wrong
            log.exception("%s of task %s was lost", self.spec.name, self.spec.task_id)
            code = _CANNOT_START
        self._runtime.forget(self)
        if self._id:
            await self._runtime.api.remove(self._id)
        self._events.exited(code)

    async def _live(self) -> int:
        api = self._runtime.api
        image = await self._runtime.pulled(self.spec)
        environment = await self._environment()
        hosts = await self._runtime.databases.hosts(environment.get("DATABASE_URL", ""))
        if self._ends():
            return TERMINATED
        self._id = await api.create(
            f"bgconsole-{self.spec.name}-{self.spec.task_id}",
            self._settings(image, environment, hosts),
        )
        await api.start(self._id)
        self._started = True
        if self._ends():
            self._runtime.soon(self._end())
        await self._publish()
        await self._pass_on()
        return await api.wait(self._id)

    def _ends(self) -> bool:
        """Whether it was told to stop meanwhile."""
        return self._stopping

    async def _environment(self) -> Mapping[str, str]:
        secrets = {}
        for name, reference in self.spec.secrets.items():
            value = await self._runtime.secret(reference)
            if value is None:
                raise DockerRefused(f"the secret {reference} cannot be read")
            secrets[name] = value
        told = {"IMAGE_DIGEST": self.spec.info.digest, "TASK_ID": self.spec.task_id}
        return {**told, **self.spec.environment, **secrets}

    def _settings(
        self, image: str, environment: Mapping[str, str], hosts: list[str]
    ) -> dict[str, Any]:
        spec = self.spec
        host: dict[str, Any] = {"ExtraHosts": hosts}
        settings: dict[str, Any] = {
            "Image": image,
            "Labels": dict([self._runtime.label]),
            "Env": [f"{name}={value}" for name, value in environment.items()],
            "HostConfig": host,
        }
        if spec.entry_point:
            settings["Entrypoint"] = list(spec.entry_point)
        if spec.command:
            settings["Cmd"] = list(spec.command)
        if spec.info.labels.get("bgconsole.behaviour") == "crash":
            settings["Entrypoint"] = ["/bin/sh", "-c", f"echo '{_CRASH}' >&2; exit 1"]
        if spec.memory is not None:
            host["Memory"] = host["MemorySwap"] = spec.memory * _MEBIBYTE
        if spec.address is not None:
            port = f"{spec.address[1]}/tcp"
            settings["ExposedPorts"] = {port: {}}
            host["PortBindings"] = {port: [{"HostIp": "127.0.0.1", "HostPort": ""}]}
        return settings

    async def _publish(self) -> None:
        if self.spec.address is None:
            return
        known = await self._runtime.api.inspect(self._id)
        bound = known["NetworkSettings"]["Ports"].get(f"{self.spec.address[1]}/tcp")
        if bound:  # not when it has ended already
            endpoint = (str(bound[0]["HostIp"]), int(bound[0]["HostPort"]))
            self._runtime.publish(self.spec.address, endpoint)

    async def _pass_on(self) -> None:
        rest = b""
        async with contextlib.aclosing(self._runtime.api.output(self._id)) as pieces:
            async for piece in pieces:
                *lines, rest = (rest + piece).split(b"\n")
                if len(rest) > LONGEST_LINE:
                    lines.append(rest)
                    rest = b""
                for line in lines:
                    self._events.output(line.decode("utf-8", "replace"))
        if rest:
            self._events.output(rest.decode("utf-8", "replace"))

    async def _end(self) -> None:
        await self._runtime.api.kill(self._id, "SIGTERM")
        await asyncio.sleep(self.spec.stop_timeout)
        await self._runtime.api.kill(self._id, "SIGKILL")


class Lock:
    """A file that is locked as long as a sandbox lives, however that ends."""

    def __init__(self, path: Path, held: IO[str]) -> None:
        self.path = path
        self._held = held

    @classmethod
    def take(cls, folder: Path) -> Lock:
        """Make and lock a file of this process.

        Raises:
            OSError: it cannot be made.
        """
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / f"docker-{os.getpid()}.lock"
        held = path.open("w")
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return cls(path, held)

    def give_up(self) -> None:
        """Remove it."""
        self.path.unlink(missing_ok=True)
        self._held.close()

    @staticmethod
    def is_held(path: Path) -> bool:
        """Whether the sandbox of this lock file still lives."""
        try:
            with path.open() as known:
                fcntl.flock(known, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False
