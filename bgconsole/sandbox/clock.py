"""Time for the world: the wall clock with a speed, or a virtual clock that a test moves by hand."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

DEFAULT_SPEED = 5.0
"""How much faster than AWS the demo runs: a rolling deployment of four tasks takes 20 to 40 s."""

CONTAINER_SPEED = 2.0
"""The same with real containers: an app that really boots is to answer before it counts as ill."""

INSTANT = float("inf")
"""The speed of provisioning: every wait is zero, save the floors that keep real I/O sane."""


class Timer(Protocol):
    """A callback that will run once, unless cancelled."""

    def cancel(self) -> None:
        """Do not run it any more; harmless when it already ran."""
        ...


class Clock(Protocol):
    """What the world knows of time."""

    def now(self) -> datetime:
        """The current time, aware, in UTC."""
        ...

    def call_later(
        self, seconds: float, callback: Callable[[], object], *, floor: float = 0.0
    ) -> Timer:
        """Run `callback` after `seconds` of AWS's time, but not before `floor` real seconds."""
        ...

    def set_speed(self, speed: float) -> None:
        """Divide every wait by `speed`, the remainder of those already running included."""
        ...

    def real(self, seconds: float) -> float:
        """How many real seconds so much of AWS's time takes now."""
        ...


class _VirtualTimer:
    __slots__ = ("callback",)

    def __init__(self, callback: Callable[[], object]) -> None:
        self.callback: Callable[[], object] | None = callback

    def cancel(self) -> None:
        self.callback = None


class VirtualClock:
    """A clock that stands still until `advance`; callbacks run in the order of their times."""

    def __init__(self, start: datetime = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)) -> None:
        self._now = start
        self._heap: list[tuple[datetime, int, _VirtualTimer]] = []
        self._sequence = itertools.count()

    def now(self) -> datetime:
        """The virtual time."""
        return self._now

    def call_later(
        self, seconds: float, callback: Callable[[], object], *, floor: float = 0.0
    ) -> Timer:
        """Run `callback` when the clock has been moved `seconds` (or `floor`) further."""
        timer = _VirtualTimer(callback)
        due = self._now + timedelta(seconds=max(seconds, floor, 0.0))
        heapq.heappush(self._heap, (due, next(self._sequence), timer))
        return timer

    def set_speed(self, speed: float) -> None:
        """Do nothing: a test moves the clock as fast as it likes."""

    def real(self, seconds: float) -> float:
        """Nothing takes real time here."""
        return 0.0 * seconds

    def advance(self, seconds: float) -> None:
        """Move the clock on by `seconds` and run all that falls due on the way."""
        end = self._now + timedelta(seconds=seconds)
        while self._heap and self._heap[0][0] <= end:
            self._run_next()
        self._now = end

    def run_until(self, reached: Callable[[], bool], *, within: float) -> float:
        """Move the clock until `reached()`, one callback at a time.

        Returns:
            The seconds that passed.

        Raises:
            TimeoutError: it was not reached within that many seconds.
        """
        begin = self._now
        end = begin + timedelta(seconds=within)
        while not reached():
            if not self._heap or self._heap[0][0] > end:
                raise TimeoutError(f"not reached within {within:g} virtual seconds")
            self._run_next()
        return (self._now - begin).total_seconds()

    def _run_next(self) -> None:
        due, _, timer = heapq.heappop(self._heap)
        if timer.callback is not None:
            self._now = due
            timer.callback()


class _LoopTimer:
    """A wait on the event loop that can be stretched or cut when the speed changes."""

    __slots__ = ("_clock", "callback", "handle", "scaled_until")

    def __init__(self, clock: AsyncioClock, callback: Callable[[], object]) -> None:
        self._clock = clock
        self.callback = callback
        self.scaled_until = 0.0
        self.handle: asyncio.TimerHandle | None = None

    def run(self) -> None:
        self._clock.forget(self)
        self.callback()

    def cancel(self) -> None:
        if self.handle is not None:
            self.handle.cancel()
        self._clock.forget(self)


class AsyncioClock:
    """The wall clock; waits are divided by the speed and run on the given event loop."""

    def __init__(
        self, speed: float = DEFAULT_SPEED, loop: asyncio.AbstractEventLoop | None = None
    ) -> None:
        if speed <= 0:
            raise ValueError("speed must be above zero")
        self.speed = speed
        self._loop = loop or asyncio.get_running_loop()
        self._timers: set[_LoopTimer] = set()
        self._closed = False

    def now(self) -> datetime:
        """The wall clock's time: what the API shows is never scaled."""
        return datetime.now(UTC)

    def call_later(
        self, seconds: float, callback: Callable[[], object], *, floor: float = 0.0
    ) -> Timer:
        """Run `callback` on the loop after `seconds / speed`, at least `floor`, real seconds."""
        timer = _LoopTimer(self, callback)
        if self._closed:
            return timer
        wait = max(seconds, 0.0) / self.speed
        timer.scaled_until = self._loop.time() + wait
        timer.handle = self._loop.call_later(max(wait, floor), timer.run)
        self._timers.add(timer)
        return timer

    def set_speed(self, speed: float) -> None:
        """Change the speed; what is left of each running wait changes with it."""
        if speed <= 0:
            raise ValueError("speed must be above zero")
        old, self.speed = self.speed, speed
        if old == INSTANT:
            return  # nothing of a wait is left to stretch; floors stand
        now = self._loop.time()
        for timer in self._timers:
            left = timer.scaled_until - now
            if left > 0 and timer.handle is not None:
                timer.handle.cancel()
                wait = left * old / speed
                timer.scaled_until = now + wait
                timer.handle = self._loop.call_later(wait, timer.run)

    def real(self, seconds: float) -> float:
        """`seconds` divided by the speed of this moment."""
        return seconds / self.speed

    def forget(self, timer: _LoopTimer) -> None:
        """Drop a timer that ran or was cancelled."""
        self._timers.discard(timer)

    def close(self) -> None:
        """Cancel every wait and take no new one: the world has ended."""
        self._closed = True
        for timer in list(self._timers):
            timer.cancel()
