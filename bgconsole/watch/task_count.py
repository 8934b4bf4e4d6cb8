"""Follow a service until as many tasks run as are wanted, where nothing is deployed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from bgconsole.domain.how_many import how_many
from bgconsole.domain.services import Service, ServiceRef, Task
from bgconsole.gateway.port import Gateway
from bgconsole.watch.follow import running_versions
from bgconsole.watch.onlooker import Onlooker, Teller
from bgconsole.watch.telling import End, Story


def follow_count(
    gateway: Gateway,
    ref: ServiceRef,
    wanted: int,
    onlooker: Onlooker,
    *,
    gone: str = "",
) -> Story:
    """Tell what happens until it has ended; the last thing told is the end.

    Args:
        gateway: only read.
        ref: the service.
        wanted: how many tasks are to run.
        onlooker: who wants to know, and for how long.
        gone: a task (ARN) that is to have stopped too; empty for none.

    Raises:
        CredentialsProblem: the credentials ended.
        AccessDenied: the service or its tasks may not be read.
        NotThere: the service is gone.
    """
    teller = Teller()

    def look() -> tuple[Service, tuple[Task, ...]]:
        return gateway.services.describe(ref), gateway.services.tasks(ref)

    def tell(found: tuple[Service, tuple[Task, ...]]) -> Story:
        service, tasks = found
        if end := _end(service, tasks, wanted, gone, onlooker.clock):
            yield end
            return
        words = f"{service.running} of {wanted} tasks run"
        if service.pending:
            words += f" · {service.pending} pending"
        yield from teller.tell((), words)

    return onlooker.look_on(look, tell)


def _end(
    service: Service,
    tasks: tuple[Task, ...],
    wanted: int,
    gone: str,
    clock: Callable[[], datetime],
) -> End | None:
    """The end, once it is there: as many run as wanted, or somebody else wants another number."""
    live = [task for task in tasks if task.runs]
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
