"""The step that proves, by the running tasks, what somebody else than ECS deployed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from bgconsole.domain.services import ServiceRef
from bgconsole.operations.step import Bench, Step, Told
from bgconsole.watch.follow import Expected, follow


def until_proved(ref: ServiceRef, expected: Callable[[Mapping[str, str]], Expected]) -> Step:
    """Follow the service's deployment of then until ECS calls it complete, and read the tasks back.

    Args:
        ref: the service.
        expected: what the tasks are to run, given what earlier steps made.
    """

    def work(bench: Bench) -> Told:
        primary = bench.gateway.services.describe(ref).primary
        wanted = replace(
            expected(bench.made),
            deployment=primary.id if primary else "",
            # Whoever changed the service is through with it: only a later deployment replaces it.
            since=bench.clock(),
        )
        return follow(bench.gateway, ref, wanted, bench.onlooker)

    return Step(f"read back what the tasks of {ref.name} run then", work=work, effect="looks")
