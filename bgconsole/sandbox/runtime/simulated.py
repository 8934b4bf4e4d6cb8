"""A runtime without processes: containers that behave as a test or a long story says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..clock import Clock, Timer
from .port import Address, ContainerEvents, ContainerSpec, ImageInfo, Probe, ProbeResult

CRASH_AFTER = 3.0
"""Seconds from the start of a crashing container to its exit."""


class SimulatedContainer:
    """A container that is only remembered."""

    def __init__(self, runtime: SimulatedRuntime, spec: ContainerSpec, told: ContainerEvents):
        self.spec = spec
        self.status = int(spec.info.labels.get("bgconsole.status", "200"))
        self.ready = True
        self._runtime = runtime
        self._events = told
        self._timer: Timer | None = None
        if spec.info.labels.get("bgconsole.behaviour") == "crash":
            self._timer = runtime.clock.call_later(CRASH_AFTER, lambda: self.exit(1))

    def stop(self) -> None:
        """Exit with 0 a second after SIGTERM."""
        self._runtime.clock.call_later(1.0, lambda: self.exit(0))

    def exit(self, code: int) -> None:
        """End now with this exit code; later ends are ignored."""
        if self._runtime.running.pop((self.spec.task_id, self.spec.name), None) is not None:
            if self._timer is not None:
                self._timer.cancel()
            self._events.exited(code)


@dataclass
class SimulatedRuntime:
    """Starts simulated containers; `running` holds those that have not exited."""

    clock: Clock

    def __post_init__(self) -> None:
        self.running: dict[tuple[str, str], SimulatedContainer] = {}

    def start(self, spec: ContainerSpec, events: ContainerEvents) -> SimulatedContainer:
        """Remember the container; it is up at once and answers 200 unless its labels say else."""
        container = SimulatedContainer(self, spec, events)
        self.running[(spec.task_id, spec.name)] = container
        return container

    async def close(self) -> None:
        """Forget every container."""
        self.running.clear()

    def resolve(self, address: Address) -> Address | None:
        """The address itself while a container has it."""
        return address if self._at(address) else None

    def probe(self, probe: Probe, done: Callable[[ProbeResult], None]) -> None:
        """Answer as the container at the address would; nobody there times out."""
        container = self._at(probe.address)
        if container is None or not container.ready:
            self.clock.call_later(probe.timeout, lambda: done(ProbeResult(None, timed_out=True)))
        else:
            status = container.status
            self.clock.call_later(0.01, lambda: done(ProbeResult(status)))

    def _at(self, address: Address) -> SimulatedContainer | None:
        found = (c for c in self.running.values() if c.spec.address == address)
        return next(found, None)


class ImageTable:
    """Images from a dictionary that a test may change: reference to what it means now."""

    def __init__(self, images: dict[str, ImageInfo]) -> None:
        self.images = images

    def find(self, image: str, done: Callable[[ImageInfo | None], None]) -> None:
        """Answer at once; a reference by digest finds any image with that digest."""
        info = self.images.get(image)
        if info is None and "@" in image:
            digest = image.partition("@")[2]
            info = next((i for i in self.images.values() if i.digest == digest), None)
        done(info)
