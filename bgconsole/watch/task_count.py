"""Follow a service until as many tasks run as are wanted, where nothing is deployed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from bgconsole.domain.how_many import how_many
from bgconsole.domain.services import Service, ServiceRef, Task
from bgconsole.gateway.port import Gateway
from bgconsole.watch.follow import End, Seen, look_on, running_versions


def follow_count(
    gateway: Gateway,
    ref: ServiceRef,
    wanted: int,
    clock: Callable[[], datetime],
    wait: Callable[[float], bool],
    *,
    gone: str = "",
    until: datetime | None = None,
) -> Iterator[Seen]:
    """Tell what happens until it has ended; the last thing told carries the end.

    Args:
        gateway: only read.
        ref: the service.
        wanted: how many tasks are to run.
        clock: now, in UTC.
        wait: waits some seconds; true where nobody wants to know any more.
        gone: a task (ARN) that is to have stopped too; empty for none.
        until: when to give up looking; None looks for as long as it takes.

    Raises:
        CredentialsProblem: the credentials ended.
        AccessDenied: the service or its tasks may not be read.
        NotThere: the service is gone.
    """
    told = ""

    def look() -> tuple[Service, tuple[Task, ...]]:
        return gateway.services.describe(ref), gateway.services.tasks(ref)

    def tell(found: tuple[Service, tuple[Task, ...]]) -> Iterator[Seen]:
        nonlocal told
        service, tasks = found
        if end := _end(service, tasks, wanted, gone, clock):
            yield Seen("end", end.sentence, end)
            return
        words = f"{service.running} of {wanted} tasks run"
        if service.pending:
            words += f" · {service.pending} pending"
        if words != told:
            told = words
            yield Seen("note", words)

    yield from look_on(look, tell, clock, wait, until)


def _end(
    service: Service,
    tasks: tuple[Task, ...],
    wanted: int,
    gone: str,
    clock: Callable[[], datetime],
) -> End | None:
    """The end, once it is there: as many run as wanted, or somebody else wants another number."""
    live = [t for t in tasks if t.last_status == "RUNNING" and t.desired_status == "RUNNING"]
    running = running_versions(live)
    if service.desired != wanted:
        words = (
            f"SUPERSEDED: the service wants {service.desired} tasks now, not {wanted}: "
            "autoscaling or somebody else set it."
        )
        return End("superseded", words, clock(), running)
    leaving = any(t.arn == gone and not t.stopped for t in tasks)
    going = [t for t in tasks if not t.stopped]
    if leaving or len(live) != wanted or len(going) != wanted:
        return None
    what = how_many(wanted, "task runs", "tasks run") if wanted else "No task runs"
    return End("reached", f"{what}.", clock(), running)
