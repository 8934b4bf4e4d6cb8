"""The worlds of this process, one for each account and region, made on first use."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Generic, Protocol, TypeVar

from .api import Handlers, Request, Response
from .scope import Scope


class WorldLike(Protocol):
    """What the wire needs of a world."""

    @property
    def ecs(self) -> Handlers:
        """Amazon ECS."""
        ...

    @property
    def elbv2(self) -> Handlers:
        """Elastic Load Balancing v2."""
        ...

    def set_speed(self, speed: float) -> None:
        """Divide every wait by `speed`."""
        ...

    async def close(self) -> None:
        """Stop all that it started, within 2 s."""
        ...


World_co = TypeVar("World_co", bound=WorldLike, covariant=True)


class Worlds(Generic[World_co]):
    """Opens worlds when they are first asked for, and closes them together."""

    def __init__(
        self, open_one: Callable[[Scope, float], Awaitable[World_co]], speed: float
    ) -> None:
        self._open_one = open_one
        self._speed = speed
        self._opening: dict[Scope, asyncio.Future[World_co]] = {}
        self._loop = asyncio.get_running_loop()

    async def at(self, scope: Scope) -> World_co:
        """The world of this account and region."""
        opening = self._opening.get(scope)
        if opening is None:
            opening = asyncio.ensure_future(self._open_one(scope, self._speed))
            self._opening[scope] = opening
        return await asyncio.shield(opening)

    async def handle(
        self, scope: Scope, service: str, operation: str, request: Request
    ) -> Response:
        """Ask `ecs` or `elbv2` of one world; on the loop's thread."""
        world = await self.at(scope)
        handlers = world.ecs if service == "ecs" else world.elbv2
        return handlers.handle(operation, request)

    def handle_from_thread(
        self, scope: Scope, service: str, operation: str, request: dict[str, Any]
    ) -> Response:
        """The same from a worker thread, which waits for the answer."""
        asked = self.handle(scope, service, operation, request)
        return asyncio.run_coroutine_threadsafe(asked, self._loop).result()

    def set_speed(self, speed: float) -> None:
        """The speed of every world from now on."""
        self._speed = speed
        for opening in self._opening.values():
            if opening.done():
                opening.result().set_speed(speed)

    async def close(self) -> None:
        """Close every world."""
        opened = await asyncio.gather(*self._opening.values(), return_exceptions=True)
        await asyncio.gather(*(w.close() for w in opened if not isinstance(w, BaseException)))
