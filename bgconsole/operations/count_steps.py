"""The step that follows a service until as many tasks run as are wanted."""

from __future__ import annotations

from bgconsole.domain.services import ServiceRef
from bgconsole.operations.step import Bench, Step, Told
from bgconsole.watch.task_count import follow_count


def until_run(ref: ServiceRef, wanted: int, *, gone: str = "") -> Step:
    """Look until that many tasks run, and a task that is to go has stopped."""

    def work(bench: Bench) -> Told:
        return follow_count(bench.gateway, ref, wanted, bench.onlooker, gone=gone)

    words = "until no task runs" if not wanted else f"until {wanted}/{wanted} run"
    return Step(f"follow {words}", work=work, effect="looks")
