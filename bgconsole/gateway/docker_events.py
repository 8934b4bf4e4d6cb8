"""The events of an engine's streams, read into the domain's values.

An event is not a line: the output of one command comes in pieces that end anywhere. Failures come
in the stream, too. Only what engines agree on is read: `aux`, `error`, `progressDetail`, not words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bgconsole.domain.builds import BuildLine, BuildTold, Built, Layer, Pushed, PushTold, Sent
from bgconsole.gateway.docker_failures import build_failure, push_failure

Event = Mapping[str, Any]

_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class Lines:
    """Joins pieces of text to whole lines, without colours and without what `\\r` overwrote."""

    def __init__(self) -> None:
        self._rest = ""

    def add(self, text: str) -> Iterator[str]:
        """The lines that are whole now; empty ones are left out."""
        *whole, self._rest = (self._rest + text).split("\n")
        yield from filter(None, map(_clean, whole))

    def end(self) -> Iterator[str]:
        """The last line, where it was not ended."""
        rest, self._rest = self._rest, ""
        if line := _clean(rest):
            yield line


def build_told(events: Iterable[Event | Sent]) -> Iterator[BuildTold]:
    """What a build tells; what was sent of its context is passed on as it is.

    Raises:
        GatewayError: it failed.
    """
    lines, image = Lines(), ""
    for event in events:
        if isinstance(event, Sent):
            yield event
        elif (text := event.get("stream")) is not None:
            yield from map(BuildLine, lines.add(str(text)))
        elif "error" in event or "errorDetail" in event:
            yield from map(BuildLine, lines.end())
            raise build_failure(error_words(event))
        elif isinstance(aux := event.get("aux"), Mapping):
            image = str(aux.get("ID", image))
        elif "status" in event:
            layer = _layer(event)
            yield layer if layer.id else BuildLine(layer.status)
    yield from map(BuildLine, lines.end())
    yield Built(image)


def push_told(events: Iterable[Event | Sent], repository: str) -> Iterator[PushTold]:
    """What a push to a repository tells.

    Raises:
        GatewayError: it failed.
    """
    digest = ""
    for event in events:
        if isinstance(event, Sent):
            continue
        if "error" in event or "errorDetail" in event:
            raise push_failure(error_words(event), repository)
        if isinstance(aux := event.get("aux"), Mapping):
            digest = str(aux.get("Digest", digest))
        elif event.get("id"):
            yield _layer(event)
    yield Pushed(digest)


def error_words(event: Event) -> str:
    """What an event says went wrong."""
    detail = event.get("errorDetail")
    message = detail.get("message") if isinstance(detail, Mapping) else None
    return str(message or event.get("error") or "no words")


def _layer(event: Event) -> Layer:
    detail = event.get("progressDetail") or {}
    total = int(detail.get("total") or 0)
    done = int(detail.get("current") or 0)
    # An engine counts headers, too: it may be beyond the total.
    return Layer(
        str(event.get("id") or ""), str(event.get("status") or ""), min(done, total), total
    )


def _clean(line: str) -> str:
    return _COLOUR.sub("", line).rstrip().rpartition("\r")[2].rstrip()
