"""The parts of a sandbox put together: the engine, our worlds, and the front before both."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from .alarms import EngineAlarms
from .clock import INSTANT, AsyncioClock
from .control import Control
from .docker.api import DockerEngine
from .engine import open_engine
from .faults import Faults, Faulty
from .formation import resource_types
from .formation.api import Aws
from .formation.recorded import Records, recorded_types
from .front import Front
from .iam.enforcement import Enforced
from .images import BROKEN
from .logs.groups import engine_groups
from .logs.service import Logs
from .recorded_reads import RecordedReads
from .registry import Registry
from .request_meter import NAMESPACE
from .scenarios import Stage
from .scope import DEMO_SCOPE
from .secret_values import EngineSecrets
from .world import Containers, World, open_world
from .worlds import Worlds

if TYPE_CHECKING:
    from .asgi import App
    from .runtime.docker import DockerSettings
    from .scope import Scope


@dataclass(frozen=True, slots=True)
class Assembly:
    """What the server serves and later closes."""

    app: App
    """Every request comes in here: controls and faults before the front."""
    docker: App
    """The built-in Docker Engine."""
    front: Front
    stage: Callable[[], Awaitable[Stage]]
    """What scenarios act on: the demo's account."""
    worlds: Worlds[World]
    logs: Logs

    def set_speed(self, speed: float) -> None:
        """Divide every wait by `speed` from now on."""
        self.worlds.set_speed(speed)
        self.logs.set_speed(speed)


def assemble(
    address: str,
    *,
    remap_ports: bool,
    first: str = "",
    log_delay: float = 0.0,
    simulated: bool = False,
    containers: DockerSettings | None = None,
) -> Assembly:
    """Load the engine and wire everything for the endpoint at `address` (`127.0.0.1:port`).

    On the event loop that will serve it; once per process. `first` is explained by `Front`,
    `log_delay` (seconds) by `Logs`, `simulated` by `open_world`. With `containers`
    the tasks are containers on that engine.
    """
    engine = open_engine(int(address.rpartition(":")[2]))
    registry = Registry(engine.app, address, reads_files=containers is None)
    rng = random.Random()  # noqa: S311 - chances, no secrets
    logs = Logs(engine_groups(engine.app), AsyncioClock(INSTANT), delay=log_delay)

    async def open_one(scope: Scope, speed: float) -> World:
        secret = EngineSecrets(engine.app, scope, rng).value
        return await open_world(
            account=scope.account,
            region=scope.region,
            speed=speed,
            remap_ports=remap_ports,
            simulated=simulated,
            containers=Containers(containers, secret) if containers is not None else None,
            put_logs=partial(logs.put, scope),
            image_lookup=partial(registry.find, scope),
            alarms=EngineAlarms(engine.app, scope),
        )

    def here(attributes: dict[str, Any]) -> dict[str, Any]:
        name = str(attributes["RepositoryUri"]).partition("/")[2]
        return {**attributes, "RepositoryUri": f"{address}/{name}"}

    worlds = Worlds(open_one, INSTANT)
    engine.adopt(resource_types(Aws(worlds.handle_from_thread, cancelled=engine.cancelled)))
    records = Records(partial(datetime.now, UTC))
    engine.adopt(recorded_types(records))
    engine.amend("AWS::ECR::Repository", here)
    engine.leave_alarms(NAMESPACE)
    front = Front(
        engine.app, worlds, address, logs=logs, recorded=RecordedReads(records), first=first
    )
    faults = Faults()
    faulty = Faulty(Enforced(front, engine.policies()), faults, rng)
    secrets = EngineSecrets(engine.app, DEMO_SCOPE, rng)

    async def stage() -> Stage:
        world = await worlds.at(DEMO_SCOPE)
        image = f"{address}/demorepo:{BROKEN.tag}"
        return Stage(world, faults, image, secrets, standin=containers is None)

    docker = DockerEngine(front, address)
    return Assembly(Control(faulty, stage), docker, front, stage, worlds, logs)
