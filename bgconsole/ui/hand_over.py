"""Hands the terminal to another program, and takes it back when that ends."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from textual.app import App, SuspendNotSupported


async def hand_over(app: App[Any], run: Callable[[], str]) -> str:
    """Run what blocks on the bare terminal; gives what went wrong, empty where nothing did.

    Meanwhile nothing is painted, and everything else goes on. Await it in a worker.
    """
    problem = ""
    try:
        with app.suspend():
            # An exception that left this block would leave the terminal as it is.
            try:
                with _interrupts_are_the_childs():
                    problem = await asyncio.to_thread(run)
            except Exception as error:  # noqa: BLE001
                problem = f"{type(error).__name__}: {error}"
    except SuspendNotSupported:
        return "this terminal cannot be handed over: run it in another one"
    return problem


@contextmanager
def _interrupts_are_the_childs() -> Iterator[None]:
    """Let ctrl+c end the program in front and not this one.

    A handler of our own, not SIG_IGN: that would be inherited, and the child could not be ended.
    """
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
