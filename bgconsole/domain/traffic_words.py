"""Who answers now, in words: from weights and health, never from ECS's own word for it."""

from __future__ import annotations

from bgconsole.domain.how_many import how_many
from bgconsole.domain.join import Sides, SideView
from bgconsole.domain.services import Service
from bgconsole.domain.snapshot import Snapshot
from bgconsole.domain.traffic import traffic


def served_by(snapshot: Snapshot, service: Service, both: Sides) -> str:
    """Who answers now, from weights and health; "run" instead of "serve" without a balancer."""
    routes = traffic(snapshot)
    listed = [side for side in (both.old, both.new) if side]
    if not (routes.balanced and routes.known):
        parts = [(side, side.healthy) for side in listed if side.healthy]
        if not parts:
            return "No task is healthy" if routes.known else "Who serves is not known"
        return _who("run", "", parts, service)
    if not routes.healthy:
        return "Nothing serves: 0 healthy targets behind the listener"
    parts = [(side, count) for side in listed if (count := routes.serving.get(side.side, 0))]
    if not parts:
        return "Who serves is not known: the healthy targets are no known tasks"
    if len(parts) > 1 and routes.weighted:
        told = [f"{side.revision} {routes.production.get(side.side, 0):.0f} %" for side, _ in parts]
        return f"Both serve: revision {' and '.join(told)}"
    return _who("serve", " 100 %", parts, service)


def _who(verb: str, share: str, parts: list[tuple[SideView, int]], service: Service) -> str:
    side, count = parts[0]
    if len(parts) == 1:
        of = max(count, service.desired)
        return f"Revision {side.revision} {verb}s{share}: {count}/{of} healthy"
    new, new_count = parts[1]
    if side.revision == new.revision:
        return f"Both {verb}: {count} old and {new_count} new tasks"
    tasks = how_many(count, "task")
    return f"Both {verb}: revision {side.revision} ({tasks}) and {new.revision} ({new_count})"
