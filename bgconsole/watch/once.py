"""One whole snapshot, for a sub-command: every source asked once, side by side."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from types import MappingProxyType

from bgconsole.domain.errors import GatewayError
from bgconsole.domain.join import sides
from bgconsole.domain.services import ServiceRef
from bgconsole.domain.snapshot import Snapshot, Source
from bgconsole.gateway.port import Gateway
from bgconsole.watch.picture import Picture
from bgconsole.watch.sources import FEEDS, SOURCES, Nothing, NotYet, ask
from bgconsole.watch.tail import HISTORY, last_words, log_target


def read(gateway: Gateway, ref: ServiceRef, clock: Callable[[], datetime]) -> Snapshot:
    """Ask every source once; one that fails is a failed part, never an exception."""
    picture = Picture(Snapshot(ref, gateway.place), lambda _: None)

    def fill(source: Source) -> None:
        part = picture.snapshot.part(source)
        try:
            value = ask(source, gateway, picture.snapshot)
        except GatewayError as error:
            now = clock()
            picture.put(source, part.failed(error, now, now))
            return
        if isinstance(value, Nothing):
            picture.put(source, part.nothing(value.why, clock()))
        elif not isinstance(value, NotYet):
            picture.put(source, part.good(value, clock()))

    fed = {source for sources in FEEDS.values() for source in sources}
    with ThreadPoolExecutor(max_workers=len(SOURCES)) as pool:
        list(pool.map(fill, (source for source in SOURCES if source not in fed)))
        list(pool.map(fill, fed))
    _listen(gateway, picture, clock)
    return picture.snapshot


def _listen(gateway: Gateway, picture: Picture, clock: Callable[[], datetime]) -> None:
    """Where tasks failed, look for the reason in the newest log lines."""
    both = sides(picture.snapshot)
    target, _ = log_target(picture.snapshot)
    if target is None or not any(side.failed for side in (both.old, both.new) if side):
        return
    start = int(clock().timestamp() * 1000) - HISTORY
    try:
        page = gateway.logs.page(target.group, start=start, newest_first=True)
    except GatewayError:
        # The verdict then names the exit code alone; the logs are only its best words.
        return
    ordered = tuple(sorted(page.lines, key=lambda line: line.order))
    picture.put_words(MappingProxyType(dict(last_words(ordered))))
