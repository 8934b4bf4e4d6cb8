"""The probe: asks the site itself again and again, and keeps the record of what it answered."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from threading import Event, Lock, Thread
from time import monotonic
from typing import Protocol
from urllib.parse import urlsplit, urlunsplit

from bgconsole.domain.probe import Answer, ProbeRecord
from bgconsole.domain.snapshot import Snapshot
from bgconsole.watch.poller import Waiting

DEFAULT_SECONDS = 2.0
FASTEST_SECONDS = 0.05
TELLING_SECONDS = 0.25
"""A record without news of its own is not handed on more often."""


class Asks(Protocol):
    """Asks a URL once: `watch.asking.Asker`."""

    def ask(self, url: str) -> Answer:
        """Whatever goes wrong is an answer too."""
        ...

    def close(self) -> None:
        """Let go of what it holds."""


class Probe:
    """Asks on one daemon thread, never twice at once; `on_record` is called on that thread."""

    def __init__(
        self,
        asker: Asks,
        *,
        on_record: Callable[[ProbeRecord], None],
        clock: Callable[[], datetime],
        url: str = "",
        path: str = "",
        interval: float = DEFAULT_SECONDS,
        count: int = 0,
        wait: Waiting = Event.wait,
        monotonic: Callable[[], float] = monotonic,
    ) -> None:
        """Not started yet.

        Args:
            asker: makes the requests.
            on_record: takes each new record.
            clock: the time of day, in UTC.
            url: the site; empty takes what the load balancer answers on, once that is known.
            path: put behind it.
            interval: seconds from one request to the next; one that takes longer delays the next.
            count: ends by itself after so many requests; 0 never.
            wait: waits, and says whether it is to end.
            monotonic: seconds that only grow.
        """
        self._asker = asker
        self._on_record = on_record
        self._clock = clock
        self._own_url = url
        self._path = path
        self._interval = max(FASTEST_SECONDS, interval)
        self._left = count or -1
        self._wait = wait
        self._monotonic = monotonic
        self._told_at = -TELLING_SECONDS
        self._generation = -1
        self._lock = Lock()
        self._record: ProbeRecord | None = None
        if url:
            self._record = ProbeRecord.of(site(url, path), self._interval)
        self._ready = Event()
        self._end = Event()
        self._thread = Thread(target=self._run, name="probe", daemon=True)

    @property
    def record(self) -> ProbeRecord | None:
        """The newest; None while it is not known what to ask."""
        return self._record

    @property
    def over(self) -> bool:
        """Whether it began and has ended, and handed everything on."""
        return self._thread.ident is not None and not self._thread.is_alive()

    def start(self) -> None:
        """Begin, as soon as it is known what to ask."""
        if self._record is not None:
            self._ready.set()
        self._thread.start()

    def stop(self) -> None:
        """End without waiting; nothing is handed on afterwards."""
        self._end.set()
        self._ready.set()

    def follow(self, snapshot: Snapshot) -> None:
        """Learn from AWS where the site is, and when a deployment begins and ends."""
        balancing = snapshot.targets.value
        found = balancing.url if balancing else ""
        with self._lock:
            record = before = self._record
            if snapshot.generation < self._generation:
                return
            self._generation = snapshot.generation
            if not self._own_url and found and _base(found) != _base(record.url if record else ""):
                record = ProbeRecord.of(site(found, self._path), self._interval)
            if record is None:
                return
            if snapshot.deploying:
                record = record.deploying(*_deployment(snapshot), self._clock())
            elif not snapshot.service.waiting and not snapshot.deployments.waiting:
                record = record.steady()
            self._record = record
        self._ready.set()
        if record is not before and not self._end.is_set():
            self._on_record(record)

    def _run(self) -> None:
        self._ready.wait()
        try:
            while not self._end.is_set():
                begun = self._monotonic()
                self._once()
                self._left -= 1
                if not self._left:
                    return
                pause = self._interval - (self._monotonic() - begun)
                if self._wait(self._end, max(0.0, pause)):
                    return
        finally:
            self._asker.close()

    def _once(self) -> None:
        asked = self._record
        if asked is None:
            return
        answer = self._asker.ask(asked.url)
        with self._lock:
            before = self._record
            if before is None or before.url != asked.url:
                return
            self._record = record = before.add(answer)
        now = self._monotonic()
        news = record.runs[-1].count == 1
        if (news or now - self._told_at >= TELLING_SECONDS) and not self._end.is_set():
            self._told_at = now
            self._on_record(record)


def site(url: str, path: str = "") -> str:
    """The address that is asked: a URL with a path behind it; without any path, `/`."""
    parts = urlsplit(url if "://" in url else f"http://{url}")
    path, _, query = path.partition("?")
    joined = f"{parts.path.rstrip('/')}/{path.lstrip('/')}" if path else parts.path or "/"
    return urlunsplit((parts.scheme, parts.netloc, joined, query or parts.query, ""))


def _base(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _deployment(snapshot: Snapshot) -> tuple[str, datetime | None]:
    """The deployment that is under way: its ARN where that is known, and when it began."""
    current = snapshot.deployments.value.current if snapshot.deployments.value else None
    if current is not None and current.ongoing:
        return current.arn, current.created_at
    service = snapshot.service.value
    primary = (
        next((d for d in service.deployments if d.status == "PRIMARY"), None) if service else None
    )
    return "", primary.created_at if primary else None
