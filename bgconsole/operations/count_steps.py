"""The step that follows a service until as many tasks run as are wanted."""

from __future__ import annotations

from collections.abc import Iterator

from bgconsole.domain.services import ServiceRef
from bgconsole.gateway.port import Submitted
from bgconsole.operations.step import Bench, Note, Step
from bgconsole.watch.follow import End
from bgconsole.watch.task_count import follow_count


def until_run(ref: ServiceRef, wanted: int, *, gone: str = "") -> Step:
    """Look until that many tasks run, and a task that is to go has stopped."""

    def work(bench: Bench) -> Iterator[Note | Submitted | End]:
        for seen in follow_count(
            bench.gateway, ref, wanted, bench.clock, bench.wait, gone=gone, until=bench.until
        ):
            if seen.end is not None:
                yield seen.end
            elif seen.kind != "end":
                yield Note(seen.text, seen.kind)

    words = "until no task runs" if not wanted else f"until {wanted}/{wanted} run"
    return Step(f"follow {words}", work=work, effect="looks")
