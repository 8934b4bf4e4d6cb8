"""What a line of the overview says, in words that the screen and the command line share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from bgconsole.domain.duration import age
from bgconsole.domain.overview import OUTCOMES, Area, Line
from bgconsole.domain.severity import Severity

SUMS: Mapping[Severity, str] = {
    Severity.BAD: "wrong",
    Severity.WAITING: "waiting for you",
    Severity.UNKNOWN: "cannot tell",
    Severity.BUSY: "deploying",
    Severity.GOOD: "running as asked",
}
"""What so many lines of a severity are."""


def count_words(line: Line) -> str:
    """`4/4 run`, or `2/4 new` while a deployment is under way."""
    return f"{line.running}/{line.desired} {'new' if line.deploying else 'run'}"


def area_words(areas: Iterable[Area]) -> Mapping[Area, str]:
    """What tells clusters apart: nothing where there is one, the region only where two are."""
    listed = tuple(areas)
    if len(listed) < 2:
        return {}
    several = len({area.region for area in listed}) > 1
    return {a: f"{a.cluster} {a.region}" if several else a.cluster for a in listed}


def revision_words(line: Line) -> str:
    """`2 → 3 · bad0c0d`, or `2 · 8be01c9`."""
    revisions = f"{line.before} → {line.revision}" if line.before else line.revision
    return f"{revisions} · {line.tag}" if line.tag else revisions


def last_words(line: Line, now: datetime) -> str:
    """How the last deployment ended and how long ago; since when one is under way."""
    if line.deployed_at is None:
        return ""
    if line.deploying:
        return f"for {age(line.deployed_at, now)}"
    # Two days or two days and three hours: no difference at a glance.
    ago = " ".join(age(line.deployed_at, now).split()[:2])
    outcome = OUTCOMES.get(line.outcome, line.outcome.replace("_", " ").lower())
    return f"{outcome} {ago}" if outcome else f"since {ago}"
