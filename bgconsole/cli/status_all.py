"""`bgconsole status --all`: every service of several clusters, worst first, as one list."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

import click

from bgconsole.cli.context import Invocation
from bgconsole.cli.failure import say
from bgconsole.cli.status_all_json import overview_json
from bgconsole.config.settings import Settings
from bgconsole.domain.errors import BgconsoleError, NotThere
from bgconsole.domain.masking import mask
from bgconsole.domain.overview import Area, Line, Overview, lines, tally
from bgconsole.domain.overview_words import (
    SUMS,
    area_words,
    count_words,
    last_words,
    revision_words,
)
from bgconsole.domain.plain import plain
from bgconsole.gateway.port import Gateway
from bgconsole.watch.overview import read

COLUMNS = 8


def status_all(invocation: Invocation, *, as_json: bool) -> int:
    """Print them. Clusters that could not be read are told of on stderr too.

    Gives 0, or the exit code of the first cluster's trouble: a list with a hole is not the list.

    Raises:
        BgconsoleError: not even the clusters could be listed.
    """
    context, settings = invocation.context, invocation.settings
    gateway = context.connect(settings)

    def connect(region: str) -> Gateway:
        return context.connect(replace(settings, region=region))

    overview = read(gateway, areas(gateway, settings), connect=connect, clock=context.clock)
    now = context.clock()
    if as_json:
        click.echo(json.dumps(overview_json(overview, now), indent=2))
    else:
        click.echo("\n".join(overview_lines(overview, now)))
    errors = list(troubles(overview))
    for error in errors:
        say(error)
    return errors[0].exit_code if errors else 0


def areas(gateway: Gateway, settings: Settings) -> tuple[Area, ...]:
    """The clusters that are named; where none is, every cluster of the region.

    Raises:
        GatewayError: the clusters could not be listed.
    """
    home = gateway.place.region
    named = settings.areas(home)
    if settings.cluster:
        named = tuple(dict.fromkeys((Area(home, settings.cluster), *named)))
    return named or tuple(Area(home, cluster) for cluster in gateway.services.clusters())


def troubles(overview: Overview) -> Iterator[BgconsoleError]:
    """Why areas could not be read, each error once."""
    seen = set()
    for area, part in overview.areas.items():
        error: BgconsoleError | None = part.failure.error if part.failure else None
        if error is None and part.absent:
            error = NotThere("No such cluster", str(area))
        if error is not None and str(error) not in seen:
            seen.add(str(error))
            yield error


def overview_lines(overview: Overview, now: datetime) -> Iterator[str]:
    """A sum, then a line a service in columns; what is wrong has its sentence below it."""
    listed = lines(overview, now)
    where = area_words(overview.areas)
    yield _plain(_place(overview))
    counted = tally(listed)
    yield ", ".join(f"{count} {SUMS[severity]}" for severity, count in counted.items()) or "nothing"
    rows = [
        [_plain(cell) for cell in _cells(line, where.get(line.area, ""), now)] for line in listed
    ]
    widths = [max((len(row[n]) for row in rows), default=0) for n in range(COLUMNS)]
    for line, row in zip(listed, rows, strict=True):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True) if width)
        yield "  ".join(cells).rstrip()
        if line.wrong:
            yield f"    {_plain(line.sentence)}"


def _cells(line: Line, where: str, now: datetime) -> tuple[str, ...]:
    state = f"{line.glyph} {line.word}"
    if not line.ref.name:
        return (state, f"cluster {line.ref.cluster}", where, *([""] * (COLUMNS - 3)))
    return (
        state,
        line.ref.name,
        where,
        count_words(line),
        revision_words(line),
        line.stage,
        last_words(line, now),
        line.owner,
    )


def _place(overview: Overview) -> str:
    identity = overview.identity.value
    account = f"account {identity.account}" if identity else "account not known"
    alias = f" ({identity.alias})" if identity and identity.alias else ""
    regions = ", ".join(sorted({area.region for area in overview.areas} or {overview.place.region}))
    endpoint = f" · {overview.place.endpoint_words}" if overview.place.endpoint else ""
    return f"{account}{alias} · {regions}{endpoint}"


def _plain(text: str) -> str:
    return plain(mask(text))
