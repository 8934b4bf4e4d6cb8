"""How often we may call, and how often we did. Pure: the time is passed in, in seconds."""

from __future__ import annotations

from collections import deque


class TokenBucket:
    """At most `rate` calls a second in the long run, `burst` at once."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._level = burst
        self._at: float | None = None

    def take(self, now: float) -> float:
        """Take one token, if need be from the future; the seconds to wait before the call."""
        if self._at is not None:
            refilled = self._level + max(0.0, now - self._at) * self._rate
            self._level = min(self._burst, refilled)
        self._at = now if self._at is None else max(now, self._at)
        self._level -= 1
        return max(0.0, -self._level / self._rate)


class CallMeter:
    """Counts what happened in the last 60 s."""

    WINDOW = 60.0

    def __init__(self) -> None:
        self._times: deque[float] = deque()

    def add(self, now: float) -> None:
        """One request was sent."""
        self._times.append(now)
        self._drop(now)

    def count(self, now: float) -> int:
        """How many were sent in the last 60 s."""
        self._drop(now)
        return len(self._times)

    def _drop(self, now: float) -> None:
        while self._times and self._times[0] <= now - self.WINDOW:
            self._times.popleft()
