"""The seam between a task and what runs it: images, containers, and the network they answer on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

from ..migrations import Migration

Address = tuple[str, int]
"""An IPv4 address and a port: of a target as the API shows it, or of the real loopback socket."""


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """What a registry tells of an image.

    The labels say what the stand-in for the app does: `bgconsole.heading` (the h1 of /posts),
    `bgconsole.revision`, `bgconsole.behaviour` ("", "crash" or "no-database"),
    `bgconsole.failing` (how many of a hundred requests for a page it answers with 500),
    `bgconsole.migration` ("", "fail", "hang" or "slow").
    """

    digest: str
    """`sha256:` and 64 hexadecimal digits."""
    labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    environment: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    migrations: tuple[Migration, ...] = ()
    """The files of `db/migrate`, in order."""


@dataclass(frozen=True, slots=True)
class ContainerSpec:
    """One container to start."""

    task_id: str
    name: str
    image: str
    info: ImageInfo
    environment: Mapping[str, str]
    address: Address | None
    """Where the API says it listens (the task's private address); `None` without a port."""
    stop_timeout: float
    """Seconds between SIGTERM and SIGKILL."""
    entry_point: tuple[str, ...] = ()
    """Of the task definition; empty for the image's own."""
    command: tuple[str, ...] = ()
    """Of the task definition or the override; empty for the image's own."""
    secrets: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Variables whose values are elsewhere: name to `valueFrom`."""
    memory: int | None = None
    """The hard limit in MiB."""

    @property
    def words(self) -> tuple[str, ...]:
        """Entry point and command in one."""
        return (*self.entry_point, *self.command)


class ContainerEvents(Protocol):
    """What a runtime tells about a container it started; on the event loop's thread only."""

    def output(self, line: str) -> None:
        """One line that the container wrote."""
        ...

    def exited(self, exit_code: int) -> None:
        """It is gone; told exactly once. A death by signal N is 128 + N, as containers say."""
        ...


class Container(Protocol):
    """A started container."""

    def stop(self) -> None:
        """Send SIGTERM now and SIGKILL when the stop timeout ends; `exited` follows."""
        ...

    def fall_ill(self) -> None:
        """Answer 503 at the health check's path from now on."""
        ...

    def fail(self, percent: float) -> None:
        """Answer so many of a hundred requests for a page with 500 from now on; 0 for none."""
        ...


class Runtime(Protocol):
    """Starts containers and knows where they really listen."""

    def start(self, spec: ContainerSpec, events: ContainerEvents) -> Container:
        """Begin to start a container; returns at once."""
        ...

    async def close(self) -> None:
        """Stop everything that still runs and wait for its end, bounded to about two seconds."""
        ...


class Network(Protocol):
    """The task network: which loopback socket stands behind a private address."""

    def resolve(self, address: Address) -> Address | None:
        """The socket to connect to; `None` when nothing has that address any more."""
        ...


class Images(Protocol):
    """Where image references are looked up."""

    def find(self, image: str, done: Callable[[ImageInfo | None], None]) -> None:
        """Tell `done` what the reference means now, `None` when there is no such image."""
        ...


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """The answer to one health check."""

    status: int | None
    """The HTTP status; `None` when there was none."""
    timed_out: bool = False


@dataclass(frozen=True, slots=True)
class Probe:
    """One health check to make."""

    address: Address
    protocol: str
    """HTTP, HTTPS or TCP, as the target group says."""
    path: str
    timeout: float
    """Seconds of AWS's time."""


class Prober(Protocol):
    """Makes the health checks of the load balancer."""

    def probe(self, probe: Probe, done: Callable[[ProbeResult], None]) -> None:
        """Ask once and tell `done` on the event loop's thread."""
        ...
