"""The same question about many things, a few at once, on threads that never keep the process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


def abreast(
    ask: Callable[[Item], Answer], items: Sequence[Item], at_once: int
) -> tuple[Answer, ...]:
    """The answers in the order of the items; the first error, once nothing is under way.

    A pool of `concurrent.futures` would be waited for when the program ends: a call that hangs
    would hold up leaving the console.
    """
    if len(items) < 2:
        return tuple(map(ask, items))
    waiting: SimpleQueue[int] = SimpleQueue()
    for number in range(len(items)):
        waiting.put(number)
    answers: dict[int, Answer] = {}
    errors: list[Exception] = []

    def work() -> None:
        while not errors:
            try:
                number = waiting.get_nowait()
            except Empty:
                return
            try:
                answers[number] = ask(items[number])
            except Exception as error:  # noqa: BLE001 - raised again on the asking thread
                errors.append(error)

    threads = [
        Thread(target=work, name="ask abreast", daemon=True)
        for _ in range(min(at_once, len(items)))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return tuple(answers[number] for number in range(len(items)))
