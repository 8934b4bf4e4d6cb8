"""The operations on one log group that is known to exist."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..api import ApiError, Request, Response
from ..scope import Scope
from .events import Event
from .groups import GroupFacts, no_such_stream
from .ingest import take
from .pages import MOST_EVENTS, Filter, Position, filtered, of_stream
from .pattern import compile_pattern
from .store import Group, Store, Stream
from .tokens import invalid, mint, redeem

_MOST_STREAMS = 50
"""Of one DescribeLogStreams page."""
_NEWEST_FIRST_SINCE = 1_704_067_200_000
"""2024-01-01 UTC: AWS gives newest first no earlier."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Where and when an operation runs."""

    scope: Scope
    store: Store
    group: Group
    facts: GroupFacts
    now: int

    def stream(self, request: Request) -> Stream:
        """The stream that the request names.

        Raises:
            ApiError: ResourceNotFoundException.
        """
        found = self.group.streams.get(request["logStreamName"])
        if found is None:
            raise no_such_stream()
        return found


def create_log_stream(asked: Asked, request: Request) -> Response:
    """CreateLogStream."""
    name = request["logStreamName"]
    if name in asked.group.streams:
        message = "The specified log stream already exists"
        raise ApiError("ResourceAlreadyExistsException", message)
    asked.group.streams[name] = Stream(name, asked.now)
    return {}


def delete_log_stream(asked: Asked, request: Request) -> Response:
    """DeleteLogStream."""
    asked.group.delete(asked.stream(request))
    return {}


def put_log_events(asked: Asked, request: Request) -> Response:
    """PutLogEvents; sequence tokens are ignored, as on AWS since 2023."""
    stream = asked.stream(request)
    taken = take(request["logEvents"], asked.now, asked.facts.retention)
    asked.group.put(stream, taken.lines, asked.now)
    token = Event(asked.now, asked.now, asked.store.last_number, "", "").id
    return {"nextSequenceToken": token, "rejectedLogEventsInfo": taken.rejected or None}


def filter_log_events(asked: Asked, request: Request) -> Response:
    """FilterLogEvents: pages across streams, oldest first unless `startFromHead` is false."""
    wanted, after, as_of = _wanted(asked, request)
    events, last = filtered(asked.group.events, wanted, after, as_of)
    token = None
    if last is not None:
        token = mint(
            "filter",
            asked.now,
            asked.group.name,
            asked.group.created,
            wanted.newest_first,
            # What arrives from now on is not on the next page, however often that is asked for.
            asked.store.last_number,
            last,
        )
    found = [
        {
            "logStreamName": event.stream,
            "timestamp": event.timestamp,
            "message": event.message,
            "ingestionTime": event.ingestion,
            "eventId": event.id,
        }
        for event in events
    ]
    return {"events": found, "searchedLogStreams": [], "nextToken": token}


def _wanted(asked: Asked, request: Request) -> tuple[Filter, Position | None, int]:
    newest_first = request.get("startFromHead") is False
    after: Position | None = None
    as_of = asked.store.last_number
    if "nextToken" in request:
        name, created, newest_first, as_of, last = redeem("filter", request["nextToken"], asked.now)
        if (name, created) != (asked.group.name, asked.group.created):
            raise invalid()
        after = (last[0], last[1], last[2])
    elif newest_first and request.get("startTime", 0) < _NEWEST_FIRST_SINCE:
        raise _refused("startFromHead can be false only for a startTime from 2024-01-01 on.")
    wanted = Filter(
        start=request.get("startTime", 0),
        end=request.get("endTime"),
        streams=_chosen(asked.group, request),
        matches=compile_pattern(request.get("filterPattern")),
        limit=request.get("limit", MOST_EVENTS),
        newest_first=newest_first,
    )
    return wanted, after, as_of


def _chosen(group: Group, request: Request) -> Callable[[str], bool] | None:
    names, prefix = request.get("logStreamNames"), request.get("logStreamNamePrefix")
    if names is not None and prefix is not None:
        raise _refused("logStreamNames and logStreamNamePrefix cannot be given together.")
    if names is not None:
        chosen = frozenset(names)
        if not chosen <= group.streams.keys():
            raise no_such_stream()
        return chosen.__contains__
    if prefix is not None:
        return frozenset(name for name in group.streams if name.startswith(prefix)).__contains__
    return None


def get_log_events(asked: Asked, request: Request) -> Response:
    """GetLogEvents: one stream, pages in both directions."""
    page = of_stream(
        asked.stream(request).events,
        start=request.get("startTime", 0),
        end=request.get("endTime"),
        limit=request.get("limit", MOST_EVENTS),
        from_head=request.get("startFromHead", False),
        token=request.get("nextToken"),
    )
    found = [
        {"timestamp": e.timestamp, "message": e.message, "ingestionTime": e.ingestion}
        for e in page.events
    ]
    return {
        "events": found,
        "nextForwardToken": page.forward,
        "nextBackwardToken": page.backward,
    }


def describe_log_streams(asked: Asked, request: Request) -> Response:
    """DescribeLogStreams: by name or by the time of the last event; that is never behind here."""
    by_time = request.get("orderBy") == "LastEventTime"
    prefix = request.get("logStreamNamePrefix")
    if by_time and prefix is not None:
        raise _refused("Cannot order by LastEventTime with a logStreamNamePrefix.")
    descending = request.get("descending", False)
    keyed = sorted(
        (
            ((stream.last_event or 0) if by_time else 0, stream.name)
            for stream in asked.group.streams.values()
            if prefix is None or stream.name.startswith(prefix)
        ),
        reverse=descending,
    )
    if "nextToken" in request:
        *order, last = redeem("streams", request["nextToken"], asked.now)
        if order != [by_time, descending]:
            raise invalid()
        edge = (last[0], last[1])
        keyed = [key for key in keyed if (key < edge if descending else key > edge)]
    shown = keyed[: request.get("limit", _MOST_STREAMS)]
    more = len(keyed) > len(shown)
    token = mint("streams", asked.now, by_time, descending, shown[-1]) if more else None
    described = [_described(asked, asked.group.streams[name]) for _, name in shown]
    return {"logStreams": described, "nextToken": token}


def _described(asked: Asked, stream: Stream) -> Response:
    scope, group = asked.scope, asked.group.name
    facts: Response = {
        "logStreamName": stream.name,
        "creationTime": stream.created,
        "firstEventTimestamp": stream.first_event,
        "lastEventTimestamp": stream.last_event,
        "lastIngestionTime": stream.last_ingestion,
        "arn": f"arn:aws:logs:{scope.region}:{scope.account}:log-group:{group}"
        f":log-stream:{stream.name}",
        "storedBytes": 0,
    }
    if stream.last_event is not None:
        facts["uploadSequenceToken"] = Event(stream.last_event, 0, 0, "", "").id
    return {name: fact for name, fact in facts.items() if fact is not None}


def _refused(message: str) -> ApiError:
    return ApiError("InvalidParameterException", message)


OPERATIONS: dict[str, Callable[[Asked, Request], Response]] = {
    "CreateLogStream": create_log_stream,
    "DeleteLogStream": delete_log_stream,
    "DescribeLogStreams": describe_log_streams,
    "FilterLogEvents": filter_log_events,
    "GetLogEvents": get_log_events,
    "PutLogEvents": put_log_events,
}
"""What is answered here, but for StartLiveTail."""

NOT_REPRODUCED = frozenset(
    {"GetLogFields", "GetLogGroupFields", "GetLogObject", "GetLogRecord", "StartQuery"}
)
"""What would read events that the engine does not have: refused, or it would say there are none."""
