"""CloudWatch Logs as the front and the worlds see it: a store for each account and region."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Sequence

from ..api import ApiError, Request, Response
from ..clock import Clock
from ..scope import Scope
from ..wire.models import service_model
from . import limits
from .groups import GroupLookup, group_name, no_such_group, of_arn
from .handlers import NOT_REPRODUCED, OPERATIONS, Asked
from .ingest import DAY
from .live_tail import LiveTail, Session
from .pattern import compile_pattern
from .store import Line, Store, Stream

LIVE_TAIL = "StartLiveTail"
MOST_SESSIONS = 15
"""Live Tail sessions of an account and region at a time."""

_log = logging.getLogger(__name__)


class Logs:
    """Log streams and events; whether a group exists is asked of `groups`.

    Kept in memory and bounded: the newest 200,000 events and 128 MiB of each group. Not reproduced:
    Insights queries (refused), subscription and metric filters (the engine keeps them, nothing
    runs), the day after which tokens of GetLogEvents end. Quotas of calls a second are a fault that
    the scenario `log-quota` begins.
    """

    operations = frozenset(OPERATIONS) | NOT_REPRODUCED | {LIVE_TAIL}
    """Everything that is answered here."""

    def __init__(self, groups: GroupLookup, clock: Clock, *, delay: float = 0.0) -> None:
        """`delay`: real seconds from a write until it can be read, at first."""
        self._groups = groups
        self._clock = clock
        self._delay = delay
        self._stores: dict[Scope, Store] = {}
        self._sessions: dict[Scope, set[Session]] = {}
        self._model = service_model("logs")

    def set_delay(self, seconds: float) -> None:
        """The ingestion delay of what is written from now on, in real seconds."""
        self._delay = seconds
        for store in self._stores.values():
            store.delay = int(seconds * 1000)

    def set_speed(self, speed: float) -> None:
        """Divide the length of a Live Tail session by `speed`."""
        self._clock.set_speed(speed)

    def close(self) -> None:
        """End every Live Tail session: the server goes."""
        for session in [one for each in self._sessions.values() for one in each]:
            session.end()

    async def handle(self, scope: Scope, operation: str, request: Request) -> Response | LiveTail:
        """Answer one of `operations`; StartLiveTail by a stream that the caller has to serve.

        Raises:
            ApiError: as AWS would refuse it, or for what is not reproduced.
        """
        if operation in NOT_REPRODUCED:
            message = f"The sandbox does not reproduce {operation} yet"
            raise ApiError("UnknownOperationException", message)
        limits.check(self._model.operation_model(operation).input_shape, request)
        if operation == LIVE_TAIL:
            return await self._live_tail(scope, request)
        asked = await self._ask(scope, group_name(request, scope))
        answer = OPERATIONS[operation](asked, request)
        return {name: value for name, value in answer.items() if value is not None}

    async def put(self, scope: Scope, group: str, stream: str, lines: Sequence[Line]) -> None:
        """Write what a task wrote, in the order given, making its stream with the first line.

        Lost, and logged, when the group is gone.
        """
        try:
            asked = await self._ask(scope, group)
        except ApiError as refusal:
            _log.warning("%d lines of %s %s are lost: %s", len(lines), group, stream, refusal)
            return
        into = asked.group.streams.get(stream)
        if into is None:
            into = asked.group.streams[stream] = Stream(stream, asked.now)
        in_order: list[Line] = []
        for moment, text in lines:
            # A clock that was set back must not turn a task's lines around.
            into.last_line = max(into.last_line, moment)
            in_order.append((into.last_line, text))
        asked.group.put(into, in_order, asked.now)

    def forget(self, scope: Scope, group: str) -> None:
        """A group was deleted: drop its streams."""
        if scope in self._stores:
            self._stores[scope].forget(group)

    async def _ask(self, scope: Scope, name: str) -> Asked:
        facts = await self._groups(scope, name)
        if facts is None:
            raise no_such_group()
        store = self._store(scope)
        now = int(self._clock.now().timestamp() * 1000)
        group = store.group(name, facts.created, now)
        if facts.retention is not None:
            group.expire(now - facts.retention * DAY)
        return Asked(scope, store, group, facts, now)

    def _store(self, scope: Scope) -> Store:
        found = self._stores.get(scope)
        if found is None:
            found = self._stores[scope] = Store()
            found.delay = int(self._delay * 1000)
        return found

    async def _live_tail(self, scope: Scope, request: Request) -> LiveTail:
        arns: list[str] = request["logGroupIdentifiers"]
        names, prefixes = request.get("logStreamNames"), request.get("logStreamNamePrefixes")
        if names is not None and prefixes is not None:
            raise _refused("logStreamNames and logStreamNamePrefixes cannot be given together.")
        if (names is not None or prefixes is not None) and len(arns) > 1:
            raise _refused("Log streams can be chosen in one log group only.")
        groups = {of_arn(arn, scope): arn for arn in arns}
        matches = compile_pattern(request.get("logEventFilterPattern"))
        for name in groups:
            await self._ask(scope, name)
        sessions = self._sessions.setdefault(scope, set())
        if len(sessions) >= MOST_SESSIONS:
            message = f"At most {MOST_SESSIONS} Live Tail sessions can be open at a time."
            raise ApiError("LimitExceededException", message)
        session = Session(
            self._store(scope),
            self._clock,
            groups,
            streams=_choice(names, prefixes),
            matches=matches,
        )
        sessions.add(session)
        start = {**request, "requestId": str(uuid.uuid4()), "sessionId": str(uuid.uuid4())}
        return LiveTail(session, start, lambda: sessions.discard(session))


def _choice(
    names: Sequence[str] | None, prefixes: Sequence[str] | None
) -> Callable[[str], bool] | None:
    if names is not None:
        return frozenset(names).__contains__
    if prefixes is not None:
        begins = tuple(prefixes)
        return lambda stream: stream.startswith(begins)
    return None


def _refused(message: str) -> ApiError:
    return ApiError("InvalidParameterException", message)
