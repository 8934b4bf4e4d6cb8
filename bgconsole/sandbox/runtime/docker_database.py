"""A PostgreSQL container behind the address that the account's RDS instance answers with."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import unquote, urlsplit

from .docker_api import DockerApi, DockerRefused

_RDS = ".rds.amazonaws.com"
_READY_SECONDS = 60.0
_LOOK_SECONDS = 0.2
_CERTIFICATE = "/etc/ssl/certs/ssl-cert-snakeoil.pem"
_KEY = "/etc/ssl/private/ssl-cert-snakeoil.key"
"""Of the package ssl-cert, which Debian's PostgreSQL and the official image bring along."""


class DockerDatabases:
    """Starts the database of an RDS address when the first container names it in DATABASE_URL.

    User, password and database are those of that first URL, as the stack gave them to RDS: who
    comes with another password later is refused.
    """

    def __init__(self, api: DockerApi, image: str, label: tuple[str, str]) -> None:
        self._api = api
        self._image = image
        self._label = label
        self._starting: dict[str, asyncio.Task[str]] = {}

    async def hosts(self, url: str) -> list[str]:
        """`name:address` for a container that is given this DATABASE_URL; for none without RDS.

        Raises:
            DockerRefused: the database cannot be started.
        """
        host = urlsplit(url).hostname or ""
        if not host.endswith(_RDS):
            return []
        if host not in self._starting:
            self._starting[host] = asyncio.get_running_loop().create_task(self._start(url))
        return [f"{host}:{await asyncio.shield(self._starting[host])}"]

    async def close(self) -> None:
        """Give up what is only starting; the containers are the runtime's to remove."""
        for task in self._starting.values():
            task.cancel()
        await asyncio.gather(*self._starting.values(), return_exceptions=True)

    async def _start(self, url: str) -> str:
        if not await self._api.has_image(self._image):
            await self._api.pull(self._image)
        parts = urlsplit(url)
        port = parts.port or 5432
        made = await self._api.create(
            f"bgconsole-{(parts.hostname or '').partition('.')[0]}",
            {
                "Image": self._image,
                "Labels": dict([self._label]),
                "Env": [
                    f"POSTGRES_USER={unquote(parts.username or 'postgres')}",
                    f"POSTGRES_PASSWORD={unquote(parts.password or '')}",
                    f"POSTGRES_DB={unquote(parts.path.strip('/')) or 'postgres'}",
                ],
                "Cmd": _command(port),
            },
        )
        await self._api.start(made)
        await self._until_ready(made, port)
        known = await self._api.inspect(made)
        return _address(known)

    async def _until_ready(self, container: str, port: int) -> None:
        # By TCP: while it is being set up it answers on its socket only.
        asked = ["pg_isready", "--quiet", "--host", "127.0.0.1", "--port", str(port)]
        try:
            async with asyncio.timeout(_READY_SECONDS):
                while not await self._api.succeeds_inside(container, asked):  # noqa: ASYNC110
                    await asyncio.sleep(_LOOK_SECONDS)
        except TimeoutError:
            words = f"{self._image} took over {_READY_SECONDS:g} s to accept connections"
            raise DockerRefused(words) from None


def _command(port: int) -> list[str]:
    settings = {
        "port": str(port),
        # The stack's URL says sslmode=require, as RDS is used.
        "ssl": "on",
        "ssl_cert_file": _CERTIFICATE,
        "ssl_key_file": _KEY,
        # It is thrown away in the end.
        "fsync": "off",
    }
    return ["postgres", *(word for pair in settings.items() for word in ("-c", "=".join(pair)))]


def _address(known: dict[str, Any]) -> str:
    networks: dict[str, dict[str, Any]] = known["NetworkSettings"]["Networks"]
    return next(str(network["IPAddress"]) for network in networks.values())
