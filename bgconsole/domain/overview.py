"""Every service of several clusters, a line each, worst first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from bgconsole.domain.duration import spell
from bgconsole.domain.glance import before, glance, moving, stage_words
from bgconsole.domain.identity import Identity, Place
from bgconsole.domain.images import ImageReference, short_digest
from bgconsole.domain.join import image_of, main_container
from bgconsole.domain.services import (
    Service,
    ServiceDeployment,
    ServiceRef,
    ServiceRevision,
    revision_of,
)
from bgconsole.domain.severity import GLYPHS, Severity
from bgconsole.domain.snapshot import Part

STALE_AFTER = 3.0
"""Intervals without an answer and without a failure after which a call counts as hanging."""
GRACE = 10.0
"""Seconds on top of it: connecting, time-outs."""
OUTCOMES: Mapping[str, str] = MappingProxyType(
    {
        "SUCCESSFUL": "ok",
        "ROLLBACK_SUCCESSFUL": "rolled back",
        "ROLLBACK_FAILED": "roll back failed",
        "STOPPED": "stopped",
    }
)
"""How a deployment ended, in words."""


@dataclass(frozen=True, slots=True, order=True)
class Area:
    """One cluster of one region: polled by itself, fails by itself."""

    region: str
    cluster: str

    def __str__(self) -> str:
        return f"{self.region}/{self.cluster}"


@dataclass(frozen=True, slots=True)
class Known:
    """What an area's poll brought."""

    services: tuple[Service, ...] = ()
    deployments: Mapping[str, ServiceDeployment] = field(
        default_factory=lambda: MappingProxyType({})
    )
    """The newest of each service, by the service's ARN, as far as they could be read."""
    revisions: Mapping[str, ServiceRevision] = field(default_factory=lambda: MappingProxyType({}))
    """By ARN, those that have tasks."""
    unread: str = ""
    """Why deployments or revisions could not be read, where that is so."""


@dataclass(frozen=True, slots=True)
class Overview:
    """One frame of it. `generation` only grows; it holds no "now"."""

    place: Place
    """The home region's."""
    areas: Mapping[Area, Part[Known]]
    generation: int = 0
    identity: Part[Identity] = field(default_factory=Part)
    calls_per_minute: int = 0
    interval: float = 0.0
    """Seconds between two polls of a service at rest, as scheduled now."""


@dataclass(frozen=True, slots=True)
class Line:
    """One service; or an area that could not be read, with no service in its `ref`."""

    area: Area
    ref: ServiceRef
    severity: Severity
    word: str
    sentence: str
    arn: str = ""
    revision: str = ""
    """The task definition's revision that ECS works towards or runs."""
    before: str = ""
    """The one that still runs beside it."""
    tag: str = ""
    """Its image's tag, or the beginning of its digest."""
    stage: str = ""
    running: int = 0
    """Tasks that run: of the new revision while a deployment is under way."""
    desired: int = 0
    deploying: bool = False
    outcome: str = ""
    """How the last deployment ended: a key of `OUTCOMES`, or AWS's word."""
    deployed_at: datetime | None = None
    """When the last deployment ended; when it began, while it is under way."""
    owner: str = ""
    stale: bool = False
    """Whether these are the last known facts of an area that does not answer."""

    @property
    def key(self) -> str:
        """`region/cluster/service`: what its ARN holds, and unlike it never the same twice."""
        return f"{self.area}/{self.ref.name}" if self.ref.name else str(self.area)

    @property
    def glyph(self) -> str:
        """The verdict's; hollow where only the counts are known to be well."""
        return "○" if self.word in ("RUNNING", "SCALED TO 0") else GLYPHS[self.severity]

    @property
    def wrong(self) -> bool:
        """Whether somebody should look: not what is well, and not what is merely under way."""
        return self.severity not in (Severity.GOOD, Severity.BUSY)


def lines(overview: Overview, now: datetime) -> tuple[Line, ...]:
    """Every service and every area that could not be read, worst first, then by name."""
    found = (
        line
        for area, part in overview.areas.items()
        for line in _of_area(area, part, overview.interval, now)
    )
    return tuple(sorted(found, key=lambda line: (-line.severity, line.area, line.ref)))


def doubt(part: Part[Known], interval: float, now: datetime) -> str:
    """Why what an area last said may not be so any more; empty where it may be trusted."""
    if part.failure is not None:
        since = part.failure.since.astimezone(now.tzinfo).strftime("%H:%M:%S")
        error = part.failure.error
        return f"{error.title}{f': {error.detail}' if error.detail else ''}, since {since}"
    if part.fetched_at is not None and interval:
        silent = (now - part.fetched_at).total_seconds()
        if silent > STALE_AFTER * interval + GRACE:
            return f"last read {spell(silent)} ago"
    return ""


def _of_area(area: Area, part: Part[Known], interval: float, now: datetime) -> Iterator[Line]:
    why = doubt(part, interval, now)
    if part.value is None:
        if why or part.absent:
            word = "CANNOT TELL" if why else "NOT THERE"
            yield Line(
                area,
                ServiceRef(area.cluster, ""),
                Severity.UNKNOWN,
                word,
                why or part.absent,
            )
        return
    for service in part.value.services:
        yield _line(area, service, part.value, why, now)


def _line(area: Area, service: Service, known: Known, why: str, now: datetime) -> Line:
    newest = known.deployments.get(service.arn)
    found = glance(service, newest, now)
    severity, word, sentence = found.severity, found.word, found.sentence
    if why and severity in (Severity.GOOD, Severity.BUSY):
        severity, word = Severity.UNKNOWN, "CANNOT TELL"
        sentence = f"{why}; last seen: {found.word}, {found.sentence}"
    if known.unread and not newest:
        sentence += f" ({known.unread})"
    primary, old = service.primary, before(service)
    deploying = moving(service) or (newest is not None and newest.ongoing)
    counted = primary if deploying and primary is not None else service
    wanted = f"/{primary.number}" if primary else ""
    arn = next((one for one in service.current_revisions if wanted and one.endswith(wanted)), "")
    return Line(
        area=area,
        ref=service.ref,
        severity=severity,
        word=word,
        sentence=sentence,
        arn=service.arn,
        revision=revision_of(primary.task_definition if primary else service.task_definition),
        before=revision_of(old.task_definition) if old else "",
        tag=_tag(known.revisions.get(arn), service),
        stage=stage_words(newest),
        running=counted.running,
        desired=counted.desired or service.desired,
        deploying=deploying,
        outcome=newest.status if newest and not newest.ongoing else "",
        deployed_at=_deployed_at(service, newest),
        owner=service.owner,
        stale=bool(why),
    )


def _tag(revision: ServiceRevision | None, service: Service) -> str:
    image = image_of(revision.images, main_container(service)) if revision else None
    if image is None:
        return ""
    reference = ImageReference.parse(image.image)
    return reference.tag or short_digest(image.digest or reference.digest)


def _deployed_at(service: Service, newest: ServiceDeployment | None) -> datetime | None:
    if newest is None:
        return service.primary.created_at if service.primary else None
    if newest.ongoing:
        return newest.created_at
    return newest.finished_at or newest.stopped_at or newest.updated_at or newest.created_at


def tally(listed: Iterable[Line]) -> Mapping[Severity, int]:
    """How many lines of each severity, the worst first; those that are none are left out."""
    counts = dict.fromkeys(sorted(Severity, reverse=True), 0)
    for line in listed:
        counts[line.severity] += 1
    return {severity: count for severity, count in counts.items() if count}
