"""The words of the services screen, fitted to a width: its header, its sum, a service's row."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from textual.content import Content

from bgconsole.domain.overview import Line, Overview, doubt, tally
from bgconsole.domain.overview_words import SUMS, count_words, last_words, revision_words
from bgconsole.domain.plain import plain
from bgconsole.domain.severity import GLYPHS, Severity
from bgconsole.ui.palette import SEVERITY, Palette, Tone
from bgconsole.ui.widgets.fit import Piece, fit, fit_apart, piece
from bgconsole.ui.widgets.keyed_table import Cell, Row
from bgconsole.ui.widgets.wrap import wrap

MARK = "◆"
"""Of a marked service, behind the verdict's glyph."""


def header_line(overview: Overview, now: datetime, palette: Palette, width: int) -> Content:
    """Who and where; how fresh. Like the service screen's, with the clusters for the service."""
    identity, quiet = overview.identity.value, palette.style(Tone.QUIET)
    bold = palette.style(Tone.PLAIN, bold=True)
    name = identity.alias if identity and identity.alias else overview.place.profile
    regions = sorted({area.region for area in overview.areas}) or [overview.place.region]
    clusters = [area.cluster for area in overview.areas]
    where = clusters[0] if len(clusters) == 1 else f"{len(clusters)} clusters"
    left = [
        piece(1, Content.styled("bgconsole", bold), ""),
        piece(20, plain(name), "") if name else piece(99, ""),
        piece(80, plain(identity.account if identity else "account not known")),
        piece(70, ", ".join(regions), f"{len(regions)} regions" if len(regions) > 1 else ""),
        piece(30, Content.styled(f"services of {plain(where)}", bold), ""),
    ]
    if endpoint := plain(overview.place.endpoint_words):
        forms = (f" {endpoint} ", f" {endpoint.partition(' ')[0]} ")
        chip = palette.chip(Tone.WAITING)
        left.append(piece(40, *(Content.styled(form, chip) for form in forms)))
    calls = overview.calls_per_minute
    right = [
        piece(2, Content.styled(f"every {overview.interval:.0f} s", quiet), ""),
        piece(
            3, Content.styled(f"{calls} calls/min", quiet), Content.styled(f"{calls}/min", quiet)
        ),
        _freshness(overview, now, palette),
        piece(4, Content.styled(now.astimezone().strftime("%H:%M:%S"), quiet), ""),
    ]
    return fit_apart(left, right, width)


def _freshness(overview: Overview, now: datetime, palette: Palette) -> Piece:
    parts = overview.areas.values()
    stale = sum(1 for part in parts if doubt(part, overview.interval, now))
    waiting = sum(1 for part in parts if part.waiting)
    if stale:
        all_ = len(overview.areas)
        words = f"{stale} of {all_} clusters stale" if all_ > 1 else "stale"
        warn = palette.style(Tone.WAITING, bold=True)
        return piece(99, Content.styled(words, warn), Content.styled("stale", warn))
    words = f"{waiting} not read yet" if waiting else "all fresh"
    return piece(5, Content.styled(words, palette.style(Tone.QUIET)), "")


def sum_line(listed: Sequence[Line], palette: Palette, width: int) -> Content:
    """`✖ 4 wrong  ▲ 1 waiting for you  ◐ 1 deploying  ○ 7 running as asked`; loud where need be."""
    told = []
    for severity, count in tally(listed).items():
        tone = SEVERITY[severity]
        glyph = "○" if severity is Severity.GOOD else GLYPHS[severity]
        loud = tone in palette.fills
        style = palette.chip(tone) if loud else palette.style(_mild(severity), bold=True)
        forms = [f"{glyph} {count} {SUMS[severity]}", f"{glyph} {count}"]
        told.append(
            piece(severity, *(Content.styled(f" {f} " if loud else f, style) for f in forms))
        )
    return Content.assemble(" ", fit(told, width - 1, "  "))


def _mild(severity: Severity) -> Tone:
    """Counts alone are not painted as health is."""
    return Tone.PLAIN if severity is Severity.GOOD else SEVERITY[severity]


def row(line: Line, now: datetime, where: str, *, marked: bool = False) -> Row:
    """One line as a row; `where` names its cluster."""
    glyph = line.glyph + (MARK if marked else "")
    tone = Tone.QUIET if line.stale else _mild(line.severity)
    quiet, text = Tone.QUIET, Tone.QUIET if line.stale else Tone.PLAIN
    if not line.ref.name:
        return Row(
            line.key,
            (
                Cell(line.glyph, SEVERITY[line.severity]),
                Cell(line.word, SEVERITY[line.severity]),
                Cell(f"cluster {line.ref.cluster}"),
                Cell(where, quiet),
                *(Cell("") for _ in range(4)),
                Cell(line.sentence, quiet),
            ),
            wrong=line.wrong,
        )
    return Row(
        line.key,
        (
            Cell(glyph, SEVERITY[line.severity] if line.wrong else tone),
            Cell(line.word, SEVERITY[line.severity] if line.wrong else tone),
            Cell(line.ref.name, text),
            Cell(where, quiet),
            Cell(count_words(line), text),
            Cell(revision_words(line), text),
            Cell(line.stage, Tone.BUSY if line.stage and not line.stale else quiet),
            Cell(last_words(line, now), _last_tone(line)),
            Cell(line.owner, quiet),
        ),
        wrong=line.wrong,
    )


def _last_tone(line: Line) -> Tone:
    return Tone.BAD if "ROLLBACK" in line.outcome and line.wrong else Tone.QUIET


def told(line: Line | None, palette: Palette, width: int, most: int) -> Content:
    """The highlighted service in a sentence, in at most so many lines."""
    if line is None:
        return Content()
    name = f"{line.ref.name}  " if line.ref.name else f"cluster {line.ref.cluster}  "
    text = Content.assemble(
        (plain(name), palette.style(Tone.PLAIN, bold=True)),
        (plain(line.sentence), palette.style(Tone.QUIET)),
    )
    hint = Content.styled("   enter: open", palette.style(Tone.QUIET))
    if line.ref.name and text.cell_length + hint.cell_length <= width:
        return text + hint
    wrapped = wrap(text, max(8, width))
    if len(wrapped) > most:
        rest = text.truncate(max(8, width * most - 4), ellipsis=True)
        wrapped = wrap(rest, max(8, width))[:most]
    return Content("\n").join(wrapped)
