"""Follow whatever deployment is under way to its true end, whoever began it, and judge that end.

Two things must both be so before the end is good: ECS's own record says that the deployment
succeeded and its tasks run (`follow`), and the picture as a whole is green (`verdict`), which rests
on target health and weights too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from bgconsole.domain.doubts import MATTERS
from bgconsole.domain.errors import (
    AccessDenied,
    CredentialsProblem,
    GatewayError,
    NotThere,
)
from bgconsole.domain.masking import mask
from bgconsole.domain.moments import Kind
from bgconsole.domain.plain import plain
from bgconsole.domain.seen import Seen
from bgconsole.domain.services import ServiceRef, revision_of
from bgconsole.domain.severity import Severity
from bgconsole.domain.snapshot import Snapshot
from bgconsole.domain.verdict import Verdict, verdict
from bgconsole.gateway.port import Gateway
from bgconsole.watch.begun import under_way, which
from bgconsole.watch.codedeploy_follow import follow_brought
from bgconsole.watch.follow import Expected, follow
from bgconsole.watch.once import with_service
from bgconsole.watch.onlooker import Onlooker
from bgconsole.watch.rounds import Rounds
from bgconsole.watch.silence import POLL
from bgconsole.watch.telling import End, Story

STEADY_POLL = 5.0
"""Seconds between two looks while a deployment is waited for."""
PATIENCE = 15
"""Looks that a finished deployment has until all is green: health checks are slower than ECS."""

Result = Literal["good", "bad", "cannot tell", "gave up", "left"]
_BAD_ENDS = frozenset({"ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED", "STOPPED"})


@dataclass(frozen=True, slots=True)
class Told:
    """One thing worth a line."""

    at: datetime
    kind: Literal["verdict", "milestone", "note"] | Kind
    words: str
    severity: Severity = Severity.BUSY


@dataclass(frozen=True, slots=True)
class Finding:
    """How it ended: good only where the new revision serves and is stable."""

    result: Result
    sentence: str
    error: GatewayError | None = None
    """Why it cannot be told, where a source could not be read."""


@dataclass(slots=True)
class Witness:
    """Looks at one service and tells what changes.

    Args:
        gateway: only read.
        ref: the service.
        clock: now, in UTC.
        wait: waits some seconds; true where nobody wants to know any more.
        tell: takes each thing as soon as it is seen.
        until: when to give up; None looks for as long as it takes.
    """

    gateway: Gateway
    ref: ServiceRef
    clock: Callable[[], datetime]
    wait: Callable[[float], bool]
    tell: Callable[[Told], None]
    until: datetime | None = None
    _rounds: Rounds | None = None
    _seen: Seen = field(default_factory=Seen)
    _shown: tuple[Severity, str] | None = None
    _silent: str = ""

    def watch(self, *, for_start: bool = False) -> Finding:
        """Follow the deployment that is under way; without one, judge what there is.

        Args:
            for_start: where none is under way, wait until one begins.

        Raises:
            GatewayError: the service cannot be read, or is not there; the credentials ended.
        """
        snapshot = with_service(self._look())
        expected = under_way(snapshot)
        if expected is None and for_start:
            self._tell("note", "nothing is under way: waiting until a deployment begins")
            begun = self._wait_for_start(snapshot)
            if isinstance(begun, Finding):
                return begun
            expected = begun
        if expected is None:
            return self._at_rest(snapshot)
        return self._follow(expected)

    def _wait_for_start(self, before: Snapshot) -> Expected | Finding:
        while True:
            if self._over:
                return Finding("gave up", "No deployment has begun in the time that was given.")
            if self.wait(STEADY_POLL):
                return Finding("left", "Nothing is watched any more.")
            snapshot = self._look()
            self._need_service(snapshot)
            # It may have begun and ended between two looks.
            if expected := under_way(snapshot) or which(snapshot, since=before):
                return expected

    def _follow(self, expected: Expected) -> Finding:
        def wait(seconds: float) -> bool:
            if self.wait(seconds):
                return True
            self._look(operating=True)
            return False

        end: End | None = None
        onlooker = Onlooker(self.clock, wait, self.until)
        for told in self._story(expected, onlooker):
            if isinstance(told, End):
                end = told
            else:
                self._tell("milestone" if told.kind == "milestone" else "note", told.text)
        if end is None:
            raise RuntimeError("a deployment was followed to no end")
        if end.result in ("gave up", "left"):
            return Finding("gave up" if end.result == "gave up" else "left", end.sentence)
        snapshot = self._look(everything=True)
        if end.result != "reached":
            return Finding("bad", end.sentence)
        return self._proved(snapshot, end)

    def _story(self, expected: Expected, onlooker: Onlooker) -> Story:
        if expected.codedeploy:
            return follow_brought(self.gateway, self.ref, expected.codedeploy, onlooker)
        return follow(self.gateway, self.ref, expected, onlooker)

    def _proved(self, snapshot: Snapshot, end: End) -> Finding:
        """A deployment that ECS calls done serves once the whole picture is green."""
        for _ in range(PATIENCE):
            found = verdict(snapshot, self.clock())
            if found.severity is Severity.GOOD and not end.unread:
                return Finding("good", f"{end.sentence} {found.sentence}.")
            if end.unread or self._over or self.wait(POLL):
                break
            snapshot = self._look(everything=True)
        found = verdict(snapshot, self.clock())
        if end.unread or found.severity is Severity.UNKNOWN:
            why = end.unread or found.sentence
            sentence = f"{end.sentence} That it serves is not proved: {why}"
            return Finding("cannot tell", sentence, _failure(snapshot))
        return Finding("bad", f"{end.sentence} But {found.word}: {found.sentence}.")

    def _at_rest(self, snapshot: Snapshot) -> Finding:
        """Nothing is under way: how the last deployment ended, and how all is now."""
        history, found = snapshot.deployments.value, verdict(snapshot, self.clock())
        latest = history.latest if history else None
        if latest is not None and latest.status in _BAD_ENDS:
            known = history.revisions.get(latest.target.arn) if history else None
            what = f"of revision {revision_of(known.task_definition)} " if known else ""
            how = latest.status.replace("_", " ").lower()
            why = latest.status_reason or latest.rollback_reason
            sentence = f"the last deployment {what}ended as {how}" + (f": {why}" if why else "")
            return Finding("bad", f"Nothing is under way; {sentence.rstrip('.')}.")
        sentence = f"Nothing is under way. {found.word}: {found.sentence}."
        if found.severity is Severity.GOOD:
            return Finding("good", sentence)
        if found.severity is Severity.UNKNOWN:
            return Finding("cannot tell", sentence, _failure(snapshot))
        return Finding("bad", sentence)

    @property
    def _over(self) -> bool:
        return self.until is not None and self.clock() >= self.until

    def _look(self, *, operating: bool = False, everything: bool = False) -> Snapshot:
        """Take a picture, and tell what is new in it."""
        if self._rounds is None:
            self._rounds = Rounds(self.gateway, self.ref, self.clock)
        snapshot = self._rounds.look(operating=operating, everything=everything)
        known = set(self._seen.moments)
        self._seen = self._seen.after(snapshot)
        for one in self._seen.moments:
            if one not in known and one.kind != "stack":
                self.tell(Told(self.clock(), one.kind, one.words, one.severity))
        self._judge(verdict(snapshot, self.clock()))
        return snapshot

    def _judge(self, found: Verdict) -> None:
        if self._shown != (found.severity, found.word):
            self._shown = (found.severity, found.word)
            self._tell("verdict", f"{found.word}  {found.sentence}", found.severity)

    def _need_service(self, snapshot: Snapshot) -> None:
        """Go on where AWS only does not answer now; the next look asks again."""
        failure = snapshot.service.failure
        if failure is None and snapshot.service.value is None:
            raise NotThere("No such service", snapshot.service.absent or str(self.ref))
        if failure and isinstance(failure.error, CredentialsProblem | AccessDenied):
            raise failure.error
        silent = failure.error.brief if failure else ""
        if silent != self._silent:
            self._silent = silent
            self._tell("note", f"{silent}: asking again" if silent else "AWS answers again")

    def _tell(
        self,
        kind: Literal["verdict", "milestone", "note"],
        words: str,
        severity: Severity = Severity.BUSY,
    ) -> None:
        self.tell(Told(self.clock(), kind, mask(plain(words)), severity))


def _failure(snapshot: Snapshot) -> GatewayError | None:
    failures = (snapshot.part(source).failure for source in MATTERS)
    return next((failure.error for failure in failures if failure), None)
