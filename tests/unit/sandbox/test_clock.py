"""The two clocks: order, cancelling, scaling, and the change of speed in the middle of a wait."""

from __future__ import annotations

import asyncio
from datetime import UTC

import pytest

from bgconsole.sandbox.clock import INSTANT, AsyncioClock, VirtualClock


def test_the_virtual_clock_runs_callbacks_in_order_at_their_times() -> None:
    clock = VirtualClock()
    begin = clock.now()
    told: list[tuple[str, float]] = []

    def tell(word: str) -> None:
        told.append((word, (clock.now() - begin).total_seconds()))

    clock.call_later(5, lambda: tell("late"))
    clock.call_later(1, lambda: tell("first"))
    clock.call_later(1, lambda: tell("second"))
    cancelled = clock.call_later(2, lambda: tell("never"))
    cancelled.cancel()
    clock.call_later(3, lambda: clock.call_later(1, lambda: tell("nested")))
    clock.advance(4.5)
    assert told == [("first", 1), ("second", 1), ("nested", 4)]
    clock.advance(0.5)
    assert told[-1] == ("late", 5)


def test_waiting_for_what_never_comes_ends() -> None:
    with pytest.raises(TimeoutError):
        VirtualClock().run_until(lambda: False, within=10)


async def test_waits_are_divided_by_the_speed() -> None:
    loop = asyncio.get_running_loop()
    clock = AsyncioClock(speed=100)
    rung = asyncio.Event()
    begin = loop.time()
    clock.call_later(5, rung.set)
    async with asyncio.timeout(2):
        await rung.wait()
    assert loop.time() - begin >= 0.05
    assert clock.now().tzinfo is UTC


async def test_a_new_speed_changes_the_waits_under_way() -> None:
    clock = AsyncioClock(speed=1)
    rung = asyncio.Event()
    clock.call_later(3600, rung.set)
    clock.set_speed(INSTANT)
    async with asyncio.timeout(2):
        await rung.wait()


async def test_a_floor_holds_at_every_speed() -> None:
    loop = asyncio.get_running_loop()
    clock = AsyncioClock(speed=INSTANT)
    rung = asyncio.Event()
    begin = loop.time()
    clock.call_later(3600, rung.set, floor=0.05)
    async with asyncio.timeout(2):
        await rung.wait()
    assert loop.time() - begin >= 0.045


async def test_a_closed_clock_rings_no_more() -> None:
    clock = AsyncioClock(speed=INSTANT)
    rung = asyncio.Event()
    clock.call_later(1, rung.set, floor=0.01)
    clock.close()
    clock.call_later(0, rung.set)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await rung.wait()
