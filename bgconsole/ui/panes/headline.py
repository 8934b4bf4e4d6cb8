"""The words of the top of the screen, fitted to a width: pure, so that they are easily tested."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import get_args

from textual.content import Content

from bgconsole.domain.duration import spell
from bgconsole.domain.plain import plain
from bgconsole.domain.snapshot import Snapshot, Source
from bgconsole.domain.verdict import Progress, Severity, Verdict
from bgconsole.ui.palette import SEVERITY, Palette, Tone
from bgconsole.ui.panes.freshness import freshness
from bgconsole.ui.widgets.fit import Piece, fit_apart, piece

SOURCES: tuple[Source, ...] = get_args(Source)
ASKED_RARELY: Source = "identity"
"""Does not change by itself: an answer of minutes ago is not called old."""
SOON = timedelta(minutes=15)
"""From so little time on, what the credentials have left is shown."""
BAR = 24
"""Cells of the progress bar where there is room."""
SHORT_BAR = 8
"""With fewer cells it tells too little: then the way back takes a line of its own."""


def header_line(
    snapshot: Snapshot, now: datetime, palette: Palette, width: int, *, read_only: bool
) -> Content:
    """Who, where and what; how fresh. On a narrow screen account, region and service stay."""
    left = [*_place(snapshot, palette), *_warnings(snapshot, now, palette, read_only)]
    return fit_apart(left, _pulse(snapshot, now, palette), width)


def verdict_lines(verdict: Verdict, palette: Palette, width: int, limit: int) -> list[Content]:
    """At most `limit` lines: the verdict, progress and the way back, then what it rests on."""
    tone = SEVERITY[verdict.severity]
    word = f"{verdict.glyph} {verdict.word}"
    quiet = verdict.severity is Severity.GOOD
    mild = palette.style(tone, bold=True)
    head = Content.assemble(
        (f" {word} ", palette.chip(tone)) if tone in palette.fills else (f" {word}", mild),
        "  ",
        plain(verdict.sentence),
    )
    back = (
        Content.styled(
            plain(verdict.way_back.words),
            palette.style(Tone.QUIET) if quiet else palette.style(Tone.PLAIN, bold=True),
        )
        if verdict.way_back
        else Content()
    )
    if back and not verdict.progress and head.cell_length + back.cell_length + 3 <= width:
        head, back = Content.assemble(head, "   ", back), Content()
    second = _second(verdict.progress, back, palette, width - 1)
    # Who serves stands at the sentence's end: it has all lines that progress and way back leave.
    first, *more = _wrapped(head, width - 1, max(1, min(3, limit - len(second))))
    lines = [first, *(Content.assemble(" ", line) for line in (*more, *second))]
    told = Content.styled(
        " · ".join(plain(words) for words in verdict.evidence), palette.style(Tone.QUIET)
    )
    room = limit - len(lines)
    if told and room > 0:
        lines += [Content.assemble(" ", line) for line in _wrapped(told, width - 1, min(room, 2))]
    return [line.truncate(width, ellipsis=True) for line in lines[:limit]]


def progress_bar(progress: Progress, palette: Palette, cells: int) -> Content:
    """`██████░░░░░░`."""
    cells = max(0, cells)
    full = round(cells * progress.done / progress.of) if progress.of else 0
    full = max(0, min(cells, full))
    return Content.assemble(
        ("█" * full, palette.style(Tone.BUSY)), ("░" * (cells - full), palette.style(Tone.QUIET))
    )


def _second(
    progress: Progress | None, back: Content, palette: Palette, width: int
) -> list[Content]:
    """Progress and the way back: on one line with as long a bar as fits, else on two."""
    if progress is None:
        return [back] if back else []
    words = f" {plain(progress.words)}"
    room = width - len(words) - (back.cell_length + 3 if back else 0)
    bar = progress_bar(progress, palette, min(BAR, room))
    if room >= SHORT_BAR:
        return [Content.assemble(bar, words, "   ", back) if back else bar + words]
    bar = progress_bar(progress, palette, max(0, min(BAR, width - len(words))))
    return [(bar + words).truncate(width, ellipsis=True), *([back] if back else [])]


def _wrapped(text: Content, width: int, most: int) -> list[Content]:
    """Wrapped at words; what does not fit in `most` lines ends in `…`."""
    lines = text.wrap(width)
    if len(lines) <= most:
        return lines
    shown = lines[: most - 1]
    used = sum(len(line.plain) for line in shown)
    # The wrapped lines have lost the spaces they were broken at: find where the last one begins.
    rest = text[_start_of_line(text.plain, lines, most - 1) :] if used else text
    return [*shown, rest.truncate(width, ellipsis=True)]


def _start_of_line(text: str, lines: list[Content], number: int) -> int:
    at = 0
    for line in lines[:number]:
        at = text.index(line.plain.strip(), at) + len(line.plain.strip())
    return at + (len(text[at:]) - len(text[at:].lstrip()))


def _warnings(snapshot: Snapshot, now: datetime, palette: Palette, read_only: bool) -> list[Piece]:
    told = []

    def chip(keep: int, tone: Tone, *forms: str) -> None:
        told.append(piece(keep, *(Content.styled(f" {f} ", palette.chip(tone)) for f in forms)))

    if words := plain(snapshot.place.endpoint_words):
        chip(40, Tone.WAITING, words, words.partition(" ")[0])
    identity = snapshot.identity.value
    if identity is not None and identity.expires_at is not None:
        left = identity.expires_at - now
        if left <= timedelta():
            chip(45, Tone.BAD, "credentials expired", "expired")
        elif left < SOON:
            chip(45, Tone.WAITING, f"credentials {spell(left)} left", f"{spell(left)} left")
    if read_only:
        chip(50, Tone.WAITING, "READ-ONLY", "RO")
    return told


def _place(snapshot: Snapshot, palette: Palette) -> list[Piece]:
    identity = snapshot.identity.value
    name = identity.alias if identity and identity.alias else snapshot.place.profile
    account = identity.account if identity else "account not known"
    bold = palette.style(Tone.PLAIN, bold=True)
    ref = snapshot.ref
    return [
        piece(1, Content.styled("bgconsole", bold), ""),
        piece(20, plain(name), "") if name else piece(99, ""),
        piece(80, plain(account)),
        piece(70, plain(snapshot.place.region)),
        piece(
            30,
            Content.styled(f"{plain(ref.cluster)} / {plain(ref.name)}", bold),
            Content.styled(f"{plain(ref.cluster)}/{plain(ref.name)}", bold),
            Content.styled(plain(ref.name), bold),
        ),
    ]


def _pulse(snapshot: Snapshot, now: datetime, palette: Palette) -> list[Piece]:
    quiet = palette.style(Tone.QUIET)
    told = []
    if snapshot.interval:
        told.append(piece(2, Content.styled(f"every {snapshot.interval:g} s", quiet), ""))
    calls = snapshot.calls_per_minute
    told.append(
        piece(
            3,
            Content.styled(f"{calls} calls/min", quiet),
            Content.styled(f"{calls}/min", quiet),
            "",
        )
    )
    told.append(_freshness(snapshot, now, palette))
    clock = now.astimezone().strftime("%H:%M:%S")
    told.append(piece(4, Content.styled(clock, quiet), ""))
    return told


def _freshness(snapshot: Snapshot, now: datetime, palette: Palette) -> Piece:
    parts = [snapshot.part(source) for source in SOURCES]
    old = (snapshot.part(source) for source in SOURCES if source != ASKED_RARELY)
    stale = sum(1 for part in parts if part.failure)
    stale += sum(1 for part in old if freshness(part, now).dimmed and not part.failure)
    waiting = sum(1 for part in parts if part.waiting)
    if stale:
        return piece(99, Content.styled(f"{stale} stale", palette.style(Tone.WAITING, bold=True)))
    if waiting:
        return piece(6, Content.styled(f"{waiting} not read yet", palette.style(Tone.QUIET)), "")
    return piece(5, Content.styled("all fresh", palette.style(Tone.QUIET)), "")
