"""What scenarios act on: the demo's world, the API's faults, and the secrets of the engine."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from .ecs.state import Service, Task
    from .faults import Faults
    from .world import World


class BadScenario(ValueError):
    """No such scenario, or a value that it cannot take; the text is for its user."""


class Secrets(Protocol):
    """Where the values of secrets are."""

    def change(self, reference: str) -> None:
        """Give a secret another value, in the background; `reference` is a `valueFrom`."""
        ...

    def restore(self) -> None:
        """Give every secret that was changed its first value again."""
        ...


class NoSecrets:
    """For a world without Secrets Manager."""

    def change(self, reference: str) -> None:
        """Refuse."""
        raise BadScenario(f"there is no Secrets Manager for {reference}")

    def restore(self) -> None:
        """Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What a scenario acts on."""

    world: World
    faults: Faults
    broken_image: str
    """Where the image that crashes is, for the bad deploy of the demo."""
    secrets: Secrets = field(default_factory=NoSecrets)
    standin: bool = True
    """Whether tasks are the stand-in, which misbehaves when it is told to."""

    def services(self) -> list[Service]:
        """The services that are there."""
        found = self.world.ecs.state.all_services()
        return [service for service in found if service.status == "ACTIVE"]

    def running(self) -> list[Task]:
        """The services' running tasks that nobody told to stop, of the newest deployments."""
        return [
            task
            for service in self.services()
            for task in service.tasks_of(service.primary)
            if task.running and task.live
        ]

    def redeploy(
        self, service: Service | None = None, configuration: Mapping[str, Any] | None = None
    ) -> None:
        """Force a new deployment of a service, with more of a configuration; of all for `None`."""
        for each in [service] if service is not None else self.services():
            request: dict[str, Any] = {"cluster": each.cluster.name, "service": each.name}
            if configuration:
                request["deploymentConfiguration"] = dict(configuration)
            self.world.ecs.handle("UpdateService", {**request, "forceNewDeployment": True})


def number(value: str, least: float = 0.0) -> float:
    """A scenario's value as a number.

    Raises:
        BadScenario: it is none, or less than `least`.
    """
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise BadScenario(f"{value!r} is not a number")
    if number < least:
        raise BadScenario(f"{value} is less than {least:g}")
    return number
