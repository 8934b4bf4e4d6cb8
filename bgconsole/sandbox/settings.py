"""What one sandbox is started with, as the command hands it to the server's process."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

PROVISIONER = "bgconsole-provision"
"""In the user agent of the calls that fill the account, answered while others are held."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The options of `bgconsole sandbox`."""

    port: int = 0
    """The loopback port of the endpoint; 0 takes a free one."""
    speed: float | None = None
    """What AWS's waits are divided by once everything is steady; `None` is the demo's pace."""
    scenario: str | None = None
    """What happens by itself after the start: `NAME` or `NAME=VALUE`, see `scenarios.py`."""
    remap_ports: bool = False
    """Bind a free port where a listener's own cannot be bound."""
    hold: bool = False
    """Count as started once connections are taken; answer nobody before everything is steady."""

    empty: bool = False
    """Begin with nothing but a default network: no stack, no image."""
    log_delay: float = 0.0
    """Seconds from a log line's writing until it can be read."""
    runtime: str = "process"
    """What runs a task: `process` (a local one), `simulated` (none, for thousands of tasks), or
    `docker` (containers on a real engine)."""
    docker_host: str = ""
    """With `docker`: the engine's address, as in DOCKER_HOST."""
    base_image: str = ""
    """With `docker`: what the app is built on; empty for the Dockerfile's own."""
    database_image: str = ""
    """With `docker`: PostgreSQL, as the official image is started."""

    @property
    def on_docker(self) -> bool:
        """Whether tasks are containers on a real engine."""
        return self.runtime == "docker"

    def to_json(self) -> str:
        """For the command line of the server's process."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Settings:
        """What `to_json` gave."""
        return cls(**json.loads(text))
