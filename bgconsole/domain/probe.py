"""What the probe saw: answers of the site itself, counted, and what they mean.

An answer is good when it came and is no error, or when it is the same client error (401, 404) that
the probe met at its first request: that was so before, and is nobody's failure now.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

ANSWERS_KEPT = 600
"""Newest answers of a record: the strip, and what percentiles are taken of."""
RUNS_KEPT = 200
VERSIONS_KEPT = 12
LATELY = timedelta(minutes=1)
"""How long after a failure another one still belongs to the same trouble."""
FEWEST_INTERVALS = 10
"""The same in intervals, for a probe that asks seldom."""
SEVERAL = 2
"""So many failures of late are a trouble, though the newest answer is good."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One request and what came of it."""

    at: datetime
    """When it was asked."""
    latency_ms: float
    """From asking to the last byte, or to giving up; each request has a connection of its own."""
    status: int = 0
    """HTTP's; 0 where no HTTP answer came."""
    error: str = ""
    """Why no HTTP answer came, in words: `connect timeout`, `connection refused`, …"""
    version: str = ""
    """Which version says that it answered; empty where nothing says so."""
    location: str = ""
    """Where a redirect points."""

    @property
    def ok(self) -> bool:
        """Whether it came, and is no error by itself."""
        return 200 <= self.status < 400

    @property
    def done(self) -> datetime:
        """When it had come, or was given up."""
        return self.at + timedelta(milliseconds=self.latency_ms)

    @property
    def words(self) -> str:
        """What it was, without its version: `HTTP 200`, `HTTP 302 → /login`, `connect timeout`."""
        if self.error:
            return self.error
        return f"HTTP {self.status}" + (f" → {self.location}" if self.location else "")

    def failed(self, baseline: Answer) -> bool:
        """Whether it is a failure, given the first answer."""
        as_before = 400 <= self.status < 500 and self.status == baseline.status
        return not self.ok and not as_before


@dataclass(frozen=True, slots=True)
class Tally:
    """Requests counted over some time, however long; made anew by `add`."""

    interval: float
    """Seconds between two requests, as meant."""
    asked: int = 0
    failed: int = 0
    changed: int = 0
    """Good answers whose status is another than the baseline's, where that was good."""
    slowest_ms: float = 0.0
    longest_gap_ms: float = 0.0
    """Longest time without a good answer, beyond the interval and the probe's own lateness."""
    baseline: Answer | None = None
    """The first answer."""
    latest: Answer | None = None
    latest_failure: Answer | None = None
    latest_change: Answer | None = None
    _good_since: datetime | None = None
    """When the newest good answer had come."""
    _late_ms: float = 0.0
    """How much later than meant the probe asked since then: a machine that slept, not the site."""

    @property
    def good(self) -> int:
        """How many were good."""
        return self.asked - self.failed

    def add(self, answer: Answer) -> Tally:
        """With one answer more. Answers come in the order in which they were asked."""
        baseline = self.baseline or answer
        failed = answer.failed(baseline)
        changed = not failed and not baseline.failed(baseline) and answer.status != baseline.status
        late = self._late_ms + self._lateness(answer)
        return replace(
            self,
            asked=self.asked + 1,
            failed=self.failed + failed,
            changed=self.changed + changed,
            slowest_ms=self.slowest_ms if failed else max(self.slowest_ms, answer.latency_ms),
            longest_gap_ms=max(self.longest_gap_ms, self._gap(answer, failed, late)),
            baseline=baseline,
            latest=answer,
            latest_failure=answer if failed else self.latest_failure,
            latest_change=answer if changed else self.latest_change,
            _good_since=self._good_since if failed else answer.done,
            _late_ms=late if failed else 0.0,
        )

    def _lateness(self, answer: Answer) -> float:
        if self.latest is None:
            return 0.0
        meant = max(self.interval * 1000, self.latest.latency_ms)
        return max(0.0, _ms(answer.at - self.latest.at) - meant)

    def _gap(self, answer: Answer, failed: bool, late: float) -> float:
        if self._good_since is not None:
            return _ms(answer.done - self._good_since) - self.interval * 1000 - late
        first = self.baseline or answer
        return _ms(answer.done - first.at) - late if failed or self.baseline else 0.0


@dataclass(frozen=True, slots=True)
class Run:
    """Answers in a row that were the same, but for their latency."""

    first: Answer
    last: Answer
    count: int
    failed: bool

    def takes(self, answer: Answer) -> bool:
        """Whether an answer goes on as this run does."""
        mine, other = self.first, answer
        return (mine.status, mine.error, mine.version) == (
            other.status,
            other.error,
            other.version,
        )


@dataclass(frozen=True, slots=True)
class Trouble:
    """Failures of late, not one after the other perhaps: a third of all requests, say."""

    first: Answer
    """The failure that it began with."""
    last: Answer
    """The newest failure."""
    failed: int
    asked: int
    """Requests since the first failure, that one among them."""
    in_a_row: tuple[Answer, ...] = ()
    """The newest answers, oldest first, where each of them is a failure."""
    older: bool = False
    """It may have begun earlier: older answers are not kept."""


@dataclass(frozen=True, slots=True)
class During:
    """What was asked during one deployment."""

    tally: Tally
    key: str = ""
    """The service deployment's ARN; empty while it is not known."""
    started: datetime | None = None
    """When AWS began, where that is known."""
    ended: bool = False


@dataclass(frozen=True, slots=True)
class ProbeRecord:
    """Everything that a probe knows at one moment; replaced whole."""

    url: str
    interval: float
    """Seconds."""
    tally: Tally
    answers: tuple[Answer, ...] = ()
    """The newest, oldest first."""
    runs: tuple[Run, ...] = ()
    """The newest, oldest first."""
    versions: tuple[str, ...] = ()
    """Those that answered, in the order of their first appearance."""
    during: During | None = None
    """The deployment that is under way, or the last one that was watched."""

    @classmethod
    def of(cls, url: str, interval: float) -> ProbeRecord:
        """Before the first request."""
        return cls(url, interval, Tally(interval))

    @property
    def latest(self) -> Answer | None:
        """The newest answer."""
        return self.answers[-1] if self.answers else None

    @property
    def failing(self) -> bool:
        """Whether the newest answer is a failure."""
        return bool(self.runs) and self.runs[-1].failed

    def failed(self, answer: Answer) -> bool:
        """Whether one of its answers is a failure."""
        return answer.failed(self.tally.baseline or answer)

    @property
    def trouble(self) -> Trouble | None:
        """What fails of late; None where nothing does, or a single request did and is over.

        A site that fails every third request is in trouble at each answer, also at a good one.
        """
        if self.latest is None or not self.tally.failed:
            return None
        lately = max(LATELY, timedelta(seconds=self.interval * FEWEST_INTERVALS))
        last = first = None
        before, failed, asked = self.latest.at, 0, 0
        for number, answer in enumerate(reversed(self.answers), 1):
            if before - answer.at > lately:
                break
            if self.failed(answer):
                last, first = last or answer, answer
                before, failed, asked = answer.at, failed + 1, number
        if first is None or last is None or (failed < SEVERAL and not self.failing):
            return None
        older = asked == len(self.answers) < self.tally.asked
        row = tuple(itertools.takewhile(self.failed, reversed(self.answers)))[::-1]
        return Trouble(first, last, failed, asked, row, older)

    def percentile(self, percent: float) -> float | None:
        """Latency in ms of the kept good answers, by nearest rank; None without any."""
        ordered = sorted(a.latency_ms for a in self.answers if not self.failed(a))
        return ordered[max(1, math.ceil(len(ordered) * percent / 100)) - 1] if ordered else None

    def add(self, answer: Answer) -> ProbeRecord:
        """With one answer more."""
        tally = self.tally.add(answer)
        during = self.during
        if during and not during.ended:
            during = replace(during, tally=during.tally.add(answer))
        versions = self.versions
        if answer.version and answer.version not in versions:
            versions = (*versions, answer.version)[-VERSIONS_KEPT:]
        runs = self.runs
        if runs and runs[-1].takes(answer):
            runs = (*runs[:-1], replace(runs[-1], last=answer, count=runs[-1].count + 1))
        else:
            failed = answer.failed(tally.baseline or answer)
            runs = (*runs, Run(answer, answer, 1, failed))[-RUNS_KEPT:]
        answers = (*self.answers, answer)[-ANSWERS_KEPT:]
        return replace(
            self, tally=tally, answers=answers, runs=runs, versions=versions, during=during
        )

    def deploying(self, key: str, started: datetime | None, noticed: datetime) -> ProbeRecord:
        """While a deployment is under way; one that is known already goes on.

        Args:
            key: the service deployment's ARN, empty while it is not known.
            started: when AWS began it.
            noticed: now; what was asked since `started`, a minute back at most, counts already.
        """
        during = self.during
        if during is not None and not during.ended and (not key or key == during.key):
            return self
        if during is not None and not during.ended and not during.key:
            return replace(self, during=replace(during, key=key, started=started))
        if during is not None and key and key == during.key:
            return self  # an old picture of a deployment that has ended
        since = max(started or noticed, noticed - timedelta(minutes=1))
        tally = _tally((a for a in self.answers if a.at >= since), self.interval)
        return replace(self, during=During(tally, key, started))

    def steady(self) -> ProbeRecord:
        """No deployment is under way any more."""
        if self.during is None or self.during.ended:
            return self
        return replace(self, during=replace(self.during, ended=True))


def letters(versions: Iterable[str]) -> dict[str, str]:
    """One character a version, each another: its first letter, a number's last digit."""
    given: dict[str, str] = {}
    for version in versions:
        given[version] = next(c for c in _candidates(version) if c not in given.values())
    return given


def _candidates(version: str) -> Iterator[str]:
    own = [c for c in version if c.isascii() and c.isalnum()]
    digits = all(c.isdigit() for c in own)
    yield from (c.upper() for c in (reversed(own) if digits else own))
    yield from map(chr, range(ord("A"), ord("Z") + 1))


def _tally(answers: Iterable[Answer], interval: float) -> Tally:
    tally = Tally(interval)
    for answer in answers:
        tally = tally.add(answer)
    return tally


def _ms(span: timedelta) -> float:
    return span.total_seconds() * 1000
