"""A runtime without processes: containers that behave as a test or a long story says."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from ..clock import Clock, Timer
from ..migrations import Database
from .port import Address, ContainerEvents, ContainerSpec, ImageInfo, Probe, ProbeResult
from .programs import TERMINATED, Run, program

CRASH_AFTER = 3.0
"""Seconds from the start of a crashing container to its exit."""


class SimulatedContainer:
    """A container that is only remembered."""

    def __init__(self, runtime: SimulatedRuntime, spec: ContainerSpec, told: ContainerEvents):
        self.spec = spec
        self.status = int(spec.info.labels.get("bgconsole.status", "200"))
        self.failing = float(spec.info.labels.get("bgconsole.failing", "0"))
        self.ready = False
        self._unlucky = 0.0
        self._runtime = runtime
        self._events = told
        self._timers: list[Timer] = []
        info, database = spec.info, runtime.database_of(spec)
        self._steps = deque(program(spec.words, info.labels, database, info.migrations))
        self._running: Run | None = None

    def begin(self) -> None:
        """Do the next step of its program."""
        self._finish(self._running)
        self._running = None
        if not self._steps:
            self.exit(0)
            return
        step = self._steps.popleft()
        if isinstance(step, Run):
            self._run(step)
            return
        boot = float(self.spec.info.labels.get("bgconsole.boot_seconds", "0"))
        if boot:
            self._later(boot, self._up)
        else:
            self._up()
        if self.spec.info.labels.get("bgconsole.behaviour"):
            self._later(CRASH_AFTER, lambda: self.exit(1))

    def stop(self) -> None:
        """Exit a second after SIGTERM; one that hangs is killed when its stop timeout ends."""
        if self._running is not None and self._running.seconds is None:
            self._runtime.clock.call_later(self.spec.stop_timeout, lambda: self.exit(137))
            return
        code = TERMINATED if self._running is not None else 0
        self._runtime.clock.call_later(1.0, lambda: self.exit(code))

    def fall_ill(self) -> None:
        """Answer 503 from now on."""
        self.status = 503

    def fail(self, percent: float) -> None:
        """Answer so many of a hundred requests for a page with 500 from now on."""
        self.failing = percent

    def answer(self) -> int:
        """The status of the next request for a page."""
        self._unlucky += self.failing
        if self._unlucky < 100:
            return 200
        self._unlucky -= 100
        return 500

    def exit(self, code: int) -> None:
        """End now with this exit code; later ends are ignored."""
        if self._runtime.running.pop((self.spec.task_id, self.spec.name), None) is not None:
            self._runtime.forget(self)
            for timer in self._timers:
                timer.cancel()
            self._finish(self._running, failed=True)
            self._events.exited(code)

    def _up(self) -> None:
        self.ready = True

    def _run(self, step: Run) -> None:
        self._running = step
        self._runtime.database_of(self.spec).migrating |= step.migrates
        for line in step.lines:
            self._events.output(line)
        if step.seconds is None:
            return
        ended = self.begin if step.exit_code == 0 else partial(self.exit, step.exit_code)
        self._later(step.seconds, ended)

    def _finish(self, step: Run | None, *, failed: bool = False) -> None:
        if step is not None and step.migrates:
            database = self._runtime.database_of(self.spec)
            database.migrating = False
            if not failed and step.version:
                database.record(step.version)

    def _later(self, seconds: float, callback: Callable[[], object]) -> None:
        self._timers.append(self._runtime.clock.call_later(seconds, callback))


@dataclass
class SimulatedRuntime:
    """Starts simulated containers; `running` holds those that have not exited."""

    clock: Clock

    def __post_init__(self) -> None:
        self.running: dict[tuple[str, str], SimulatedContainer] = {}
        self._listening: dict[Address, SimulatedContainer] = {}
        self._databases: defaultdict[str, Database] = defaultdict(Database)

    def start(self, spec: ContainerSpec, events: ContainerEvents) -> SimulatedContainer:
        """Remember the container; it is up at once and answers 200 unless its labels say else."""
        container = SimulatedContainer(self, spec, events)
        self.running[(spec.task_id, spec.name)] = container
        if spec.address is not None:
            self._listening[spec.address] = container
        container.begin()
        return container

    def database_of(self, spec: ContainerSpec) -> Database:
        """The database that the container's DATABASE_URL names."""
        return self._databases[spec.environment.get("DATABASE_URL", "")]

    def forget(self, container: SimulatedContainer) -> None:
        """Its address is free again."""
        address = container.spec.address
        if address is not None and self._listening.get(address) is container:
            del self._listening[address]

    async def close(self) -> None:
        """Forget every container."""
        self.running.clear()
        self._listening.clear()

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
        return self._listening.get(address)


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
