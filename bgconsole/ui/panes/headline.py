"""The words of the top of the screen, fitted to a width: pure, so that they are easily tested."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, get_args

from textual.content import Content

from bgconsole.domain.duration import spell
from bgconsole.domain.errors import AccessDenied
from bgconsole.domain.plain import plain
from bgconsole.domain.severity import Severity
from bgconsole.domain.snapshot import Part, Snapshot, Source
from bgconsole.domain.verdict import Progress, Verdict
from bgconsole.ui.palette import SEVERITY, Palette, Tone
from bgconsole.ui.panes.freshness import DENIED, freshness, late_after
from bgconsole.ui.widgets.fit import Piece, fit_apart, piece
from bgconsole.ui.widgets.wrap import wrap

SOURCES: tuple[Source, ...] = get_args(Source)
SOON = timedelta(minutes=15)
"""From so little time on, what the credentials have left is shown."""
BAR = 24
"""Cells of the progress bar where there is room."""
ANSWER = 3
"""Lines of the verdict's sentence."""
ROOMY = 110
"""From so many cells on, how long ago it began is told beside the time."""
LEAST = 20
"""With fewer cells a sentence tells too little: then the way back has its line alone."""
TOLD = 80
"""So much of what is wrong stays before all that is said of a roll back is kept."""
Kept = Sequence[tuple[str, int]]
"""Ends of a sentence that are kept if they can be, best first, each with what is left before it."""


def header_line(
    snapshot: Snapshot, now: datetime, palette: Palette, width: int, *, read_only: bool
) -> Content:
    """Who, where and what; how fresh. On a narrow screen account, region and service stay."""
    left = [*_place(snapshot, palette), *_warnings(snapshot, now, palette, read_only)]
    return fit_apart(left, _pulse(snapshot, now, palette), width)


def verdict_lines(
    verdict: Verdict,
    palette: Palette,
    width: int,
    limit: int,
    now: datetime,
    keys: Mapping[str, str],
    *,
    stage: Content | None = None,
    traffic: Content | None = None,
) -> list[Content]:
    """The verdict with the way back, the stage, the traffic, the evidence: about `limit` lines.

    Args:
        verdict: what is said.
        palette: the theme's colours.
        width: cells of a line.
        limit: lines in all; more only where the sentence, the stage and the traffic need them.
        now: for how long ago it began.
        keys: of the operations that this console may do, by id; what has none is told without.
        stage: how far the deployment is; without it a bar of the verdict's progress.
        traffic: who gets the requests.
    """
    if stage is None and verdict.progress is not None:
        stage = progress_line(verdict.progress, palette, width - 1)
    below = [line for line in (stage, traffic) if line is not None]
    # The sentence holds the cause, and at its end who serves: it has its lines before all else.
    answer = _answer(verdict, palette, width - 1, ANSWER, now, keys)
    limit = max(limit, len(answer) + len(below))
    lines = answer + below
    told = Content.styled(
        " · ".join(plain(words) for words in verdict.evidence), palette.style(Tone.QUIET)
    )
    room = limit - len(lines)
    if told and room > 0:
        lines += _wrapped(told, width - 1, min(room, 2))
    first, *more = lines
    whole = [first, *(Content.assemble(" ", line) for line in more)]
    return [line.truncate(width, ellipsis=True) for line in whole[:limit]]


def progress_line(
    progress: Progress, palette: Palette, width: int, right: Sequence[Piece] = ()
) -> Content:
    """`██████░░░░░░ 2/4 healthy · 4 old still to go`, and what could end it at the right end."""
    words = f" {plain(progress.words)}"
    bar = progress_bar(progress, palette, max(0, min(BAR, width - len(words))))
    return fit_apart([piece(9, bar + words)], right, width) if right else bar + words


def _answer(
    verdict: Verdict,
    palette: Palette,
    width: int,
    limit: int,
    now: datetime,
    keys: Mapping[str, str],
) -> list[Content]:
    """Glyph, word, since when and sentence; what to press at their end, or on its own line.

    Since when is told where it takes no word away, and no line but of what is bad.
    """
    least = _laid_out(verdict, palette, width, limit, "", keys)
    if verdict.since is not None and not _is_cut(least, verdict):
        for ago in (True, False) if width >= ROOMY else (False,):
            since = verdict.since.words(now, ago=ago)
            lines = _laid_out(verdict, palette, width, limit, since, keys)
            may = verdict.severity is Severity.BAD or len(lines) <= len(least)
            if may and not _is_cut(lines, verdict):
                return lines
    return least


def _is_cut(lines: Sequence[Content], verdict: Verdict) -> bool:
    said = plain(verdict.sentence)
    return sum(line.plain.count("…") for line in lines) > said.count("…")


def _laid_out(
    verdict: Verdict,
    palette: Palette,
    width: int,
    limit: int,
    since: str,
    keys: Mapping[str, str],
) -> list[Content]:
    """The answer in lines. When what is live was deployed is no news: it ends the sentence."""
    tone = SEVERITY[verdict.severity]
    quiet = verdict.severity is Severity.GOOD
    word = f"{verdict.glyph} {verdict.word}"
    muted = palette.style(Tone.QUIET)
    news = verdict.since is not None and verdict.since.what != "deployed"
    head = Content.assemble(
        (f" {word} ", palette.chip(tone))
        if tone in palette.fills
        else (f" {word}", palette.style(tone, bold=True)),
        "  ",
        (f"{since} · " if since and news else "", muted),
        plain(verdict.sentence),
        (f" · {since}" if since and not news else "", muted),
    )
    served, helps = plain(verdict.served), plain(verdict.helps)
    kept = ((f"{helps}. {served}", TOLD), (served, LEAST)) if helps else ((served, LEAST),)
    lines = _wrapped(head, width, limit, kept)
    press = _to_press(verdict, keys)
    if not press:
        return lines
    back = Content.styled(
        press,
        palette.style(Tone.QUIET) if quiet else palette.style(Tone.PLAIN, bold=True),
    )
    room = width - back.cell_length - 3
    if lines[-1].cell_length > room and len(lines) < limit:
        return [*lines, back]
    if room < LEAST:
        return lines if limit == 1 else [*_wrapped(head, width, limit - 1, kept), back]
    *before, last = _wrapped(head, width, limit, kept, room)
    return [*before, Content.assemble(last.truncate(room, ellipsis=True), "   ", back)]


def _to_press(verdict: Verdict, keys: Mapping[str, str]) -> str:
    """`A go on · R back to 42 (warm, about 45 s)`; where a key is not bound, only what there is."""
    told = []
    if verdict.approvable and (key := keys.get("service.approve")):
        told.append(f"{key} go on")
    if back := verdict.way_back:
        key = keys.get("service.rollback")
        told.append(plain(f"{key} {back.words}" if key else f"the way is {back.words}"))
    return " · ".join(told)


def progress_bar(progress: Progress, palette: Palette, cells: int) -> Content:
    """`██████░░░░░░`."""
    cells = max(0, cells)
    full = round(cells * progress.done / progress.of) if progress.of else 0
    full = max(0, min(cells, full))
    return Content.assemble(
        ("█" * full, palette.style(Tone.BUSY)), ("░" * (cells - full), palette.style(Tone.QUIET))
    )


def _wrapped(
    text: Content, width: int, most: int, kept: Kept = (), room: int | None = None
) -> list[Content]:
    """Wrapped at words; what does not fit in `most` lines gives way to `…`.

    The first of `kept` that can be is kept: the cause that stands before it gives way. Of the last
    line only `room` cells are free, where that is given.
    """
    lines = wrap(text, width)
    if _fits(lines, most, room):
        return lines
    for end, least in kept:
        at = text.plain.rfind(end) if end else -1
        if at > 0 and (cut := _cut_before(text, at, width, most, room, least)) is not None:
            return cut
    if len(lines) <= most:
        return lines
    shown = lines[: most - 1]
    used = sum(len(line.plain) for line in shown)
    # The wrapped lines have lost the spaces they were broken at: find where the last one begins.
    rest = text[_start_of_line(text.plain, lines, most - 1) :] if used else text
    return [*shown, rest.truncate(width, ellipsis=True)]


def _fits(lines: list[Content], most: int, room: int | None) -> bool:
    full = len(lines) == most and room is not None and lines[-1].cell_length > room
    return len(lines) <= most and not full


def _cut_before(
    text: Content, at: int, width: int, most: int, room: int | None, least: int
) -> list[Content] | None:
    """What begins at `at`, and as many words before it as there is room for.

    None where that is less than `least` cells.
    """
    found: list[Content] | None = None
    longest = at - 2
    while least <= longest:
        middle = (least + longest) // 2
        start = text[: _whole_words(text.plain, middle)]
        lines = wrap(Content.assemble(start, "… ", text[at:]), width)
        if _fits(lines, most, room):
            found, least = lines, middle + 1
        else:
            longest = middle - 1
    return found


def _whole_words(text: str, most: int) -> int:
    """How long the beginning is that ends with a word and is at most so long."""
    start = text[:most]
    if text[most : most + 1].strip():
        start = start.rpartition(" ")[0] or start
    return len(start.rstrip(" ;,:("))


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
    told += _freshness(snapshot, now, palette)
    clock = now.astimezone().strftime("%H:%M:%S")
    told.append(piece(4, Content.styled(clock, quiet), ""))
    return told


def _freshness(snapshot: Snapshot, now: datetime, palette: Palette) -> list[Piece]:
    parts = {source: snapshot.part(source) for source in SOURCES}
    needed = dict.fromkeys(filter(None, map(_needed, parts.values())))
    identity = snapshot.identity.value
    told = []
    if identity is not None and identity.unread:
        quiet = palette.style(Tone.QUIET)
        told.append(
            piece(
                1, Content.styled(f"alias {plain(identity.unread.removeprefix(DENIED))}", quiet), ""
            )
        )
    if needed:
        first, more = next(iter(needed)), len(needed) - 1
        words = f"needs {plain(first)}{f' and {more} more' if more else ''}"
        warn = palette.style(Tone.WAITING, bold=True)
        count = Content.styled(f"{len(needed)} not allowed", warn)
        told.append(piece(6, Content.styled(words, warn), count))
        parts = {source: part for source, part in parts.items() if not _needed(part)}
    age = _age(snapshot, parts, now, palette)
    if age is not None:
        told.append(age)
    elif not needed:
        told.append(piece(5, Content.styled("all fresh", palette.style(Tone.QUIET)), ""))
    return told


def _needed(part: Part[Any]) -> str:
    """The permission for want of which a source is not read; many have no pane to say so."""
    error = part.failure.error if part.failure else None
    return (error.action or error.title) if isinstance(error, AccessDenied) else ""


def _age(
    snapshot: Snapshot, parts: Mapping[Source, Part[Any]], now: datetime, palette: Palette
) -> Piece | None:
    stale = [
        part
        for source, part in parts.items()
        if part.failure or freshness(part, now, late_after(source, snapshot)).dimmed
    ]
    waiting = sum(1 for part in parts.values() if part.waiting)
    if stale:
        warn = palette.style(Tone.WAITING, bold=True)
        count = Content.styled(f"{len(stale)} stale", warn)
        read = [part.fetched_at for part in stale if part.fetched_at is not None]
        if not read:
            return piece(99, count)
        # Without its age nobody knows how far to trust the picture: the count goes first.
        oldest = spell(now - min(read))
        return piece(
            28,
            Content.assemble(count, (f", oldest {oldest}", warn)),
            Content.styled(f"{oldest} old", warn),
        )
    if waiting:
        return piece(6, Content.styled(f"{waiting} not read yet", palette.style(Tone.QUIET)), "")
    return None
