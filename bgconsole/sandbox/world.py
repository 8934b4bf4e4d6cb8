"""One AWS account in one region: our ECS and load balancers over one clock and one runtime."""

from __future__ import annotations

import asyncio
import inspect
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from .clock import INSTANT, AsyncioClock, Clock
from .ecs.alarms import AlarmStates, AlarmTable
from .ecs.handlers import Ecs
from .ecs.lives import GRACE_FLOOR, LogSink
from .elbv2.handlers import Elbv2
from .elbv2.routing import DataPlane
from .elbv2.state import HEALTHY
from .minutes import CloudWatch, Minutes
from .names import Names
from .request_meter import RequestMeter, balancer_dimension
from .runtime.port import ImageInfo, Images, Network, Prober, Runtime
from .shipping import PutLogs

if TYPE_CHECKING:
    from .runtime.docker import DockerSettings, Secret

BOOTING_GRACE_FLOOR = 90.0
"""Real seconds of grace for an app that really boots, some of them at once."""
BOOTING_PROBE_FLOOR = 5.0
"""Real seconds for its answer to a health check, as the template says."""

ImageLookup = Callable[[str], ImageInfo | Awaitable[ImageInfo | None] | None]
"""What an image reference means now; `None` for no such image. May be async."""


class FirstLook:
    """Knows when somebody first looked at the services after it was armed."""

    def __init__(self) -> None:
        self._armed = False
        self._waiting: list[Callable[[], None]] = []

    @property
    def armed(self) -> bool:
        """Whether the account is filled."""
        return self._armed

    def arm(self) -> None:
        """From now on a DescribeServices is somebody's look, no more our own provisioning's."""
        self._armed = True

    def then(self, callback: Callable[[], None]) -> None:
        """Call this once at the first look."""
        self._waiting.append(callback)

    def observe(self, operation: str) -> None:
        """An operation came in."""
        if self._armed and operation == "DescribeServices":
            waiting, self._waiting = self._waiting, []
            for callback in waiting:
                callback()


class Closing(Protocol):
    """Something of the world that has to be closed at its end."""

    async def close(self) -> None:
        """Free everything it holds."""
        ...


class World:
    """The two services of the sandbox's own, wired to each other."""

    def __init__(
        self,
        *,
        account: str,
        region: str,
        clock: Clock,
        runtime: Runtime,
        prober: Prober,
        images: Images,
        data_plane: DataPlane,
        logs: LogSink,
        rng: random.Random,
        alarms: AlarmStates | None = None,
        grace_floor: float = GRACE_FLOOR,
    ) -> None:
        self.account = account
        self.region = region
        self.clock = clock
        self.runtime = runtime
        self.first_look = FirstLook()
        self.remapped_ports: Mapping[int, int] = {}
        """Listener ports that could not be bound, to the free ones bound instead."""
        names = Names(account, region, rng)
        self.elbv2 = Elbv2(names=names, clock=clock, prober=prober, data_plane=data_plane)
        self.ecs = Ecs(
            names=names,
            clock=clock,
            runtime=runtime,
            images=images,
            targets=self.elbv2.targets,
            rules=self.elbv2.weights,
            prober=prober,
            alarms=alarms or AlarmTable(),
            logs=logs,
            observe=self.first_look.observe,
            grace_floor=grace_floor,
        )
        self.elbv2.targets.changed = self.ecs.scheduler.targets_changed
        self._closing: list[Closing] = []

    def set_speed(self, speed: float) -> None:
        """Divide every wait by `speed` from now on; `clock.INSTANT` waits for nothing."""
        self.clock.set_speed(speed)
        self.ecs.scheduler.steady.speed_changed(self.ecs.state.all_services())

    def serving_port(self) -> int | None:
        """The port of the first HTTP listener, once some target behind it is healthy."""
        state = self.elbv2.state
        for listener in state.listeners.values():
            if any(
                target.state == HEALTHY
                for group in state.target_groups.values()
                if listener.load_balancer_arn in state.users_of(group.arn)
                for target in group.targets.values()
            ):
                return listener.port
        return None

    def has_balancer(self, dimension: str) -> bool:
        """Whether a load balancer has this value of CloudWatch's dimension LoadBalancer."""
        return dimension in map(balancer_dimension, self.elbv2.state.load_balancers)

    def closes(self, *parts: Closing) -> None:
        """Close these, in this order, with the world."""
        self._closing.extend(parts)

    async def close(self) -> None:
        """Stop listeners, checks and every task process; bounded to about two seconds."""
        if isinstance(self.clock, AsyncioClock):
            self.clock.close()
        for part in self._closing:
            await part.close()
        self._closing.clear()


@dataclass(frozen=True, slots=True)
class Containers:
    """What a world needs whose tasks are real containers."""

    settings: DockerSettings
    secret: Secret


class LookedUpImages:
    """Images by a callable that may be async."""

    def __init__(self, lookup: ImageLookup) -> None:
        self._lookup = lookup
        self._tasks: set[asyncio.Task[None]] = set()

    def find(self, image: str, done: Callable[[ImageInfo | None], None]) -> None:
        """Look the reference up and tell `done`."""
        found = self._lookup(image)
        if not inspect.isawaitable(found):
            done(found)
            return

        async def wait() -> None:
            done(await found)

        task = asyncio.get_running_loop().create_task(wait())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def open_world(
    *,
    account: str,
    region: str,
    put_logs: PutLogs,
    image_lookup: ImageLookup,
    speed: float = INSTANT,
    remap_ports: bool = False,
    traffic: bool = True,
    rng: random.Random | None = None,
    alarms: CloudWatch | None = None,
    simulated: bool = False,
    containers: Containers | None = None,
) -> World:
    """The real thing: wall clock, child processes, listeners on loopback, light traffic.

    With `simulated`, tasks are only remembered: they pass their health checks, write no logs, and
    a load balancer answers 502 in their place; there are no visitors. For thousands of tasks.
    With `containers`, tasks are containers of their images on a Docker engine.
    Begin with `speed=INSTANT` to provision; `set_speed` when it is steady.
    """
    from .balancer import HttpProber, LoopbackDataPlane
    from .runtime.docker import DockerRuntime
    from .runtime.process import ProcessRuntime
    from .runtime.simulated import SimulatedRuntime
    from .runtime.unreachable import Unreachable
    from .shipping import LogShipper
    from .traffic import Traffic

    rng = rng or random.Random()  # noqa: S311 - ids and weights, no secrets
    clock = AsyncioClock(speed)
    runtime: ProcessRuntime | SimulatedRuntime | DockerRuntime
    network: Network
    prober: HttpProber | SimulatedRuntime
    grace_floor = GRACE_FLOOR
    if simulated:
        runtime = prober = SimulatedRuntime(clock)
        network = Unreachable()
    elif containers is not None:
        runtime = network = DockerRuntime(containers.settings, containers.secret)
        prober = HttpProber(runtime, clock, floor=BOOTING_PROBE_FLOOR)
        grace_floor = BOOTING_GRACE_FLOOR
    else:
        runtime = network = ProcessRuntime(clock)
        prober = HttpProber(runtime, clock)
    meter = RequestMeter()
    data_plane = LoopbackDataPlane(network, meter, remap_ports=remap_ports)
    shipper = LogShipper(put_logs, clock)
    world = World(
        account=account,
        region=region,
        clock=clock,
        runtime=runtime,
        prober=prober,
        images=LookedUpImages(image_lookup),
        data_plane=data_plane,
        logs=shipper,
        rng=rng,
        alarms=alarms,
        grace_floor=grace_floor,
    )
    world.remapped_ports = data_plane.mapped
    if alarms is not None:
        Minutes(clock, meter, alarms, world.has_balancer).start()

    def port() -> int | None:
        # Nobody visits a real app whose database is not migrated yet.
        waits = containers is not None and not world.first_look.armed
        return None if waits else world.serving_port()

    visitors = Traffic(port, rng)
    if traffic and not simulated:
        visitors.start()
    world.closes(visitors, prober, data_plane, runtime, shipper)
    return world
