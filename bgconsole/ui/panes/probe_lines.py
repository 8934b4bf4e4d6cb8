"""The probe's record in a few lines: counts, the last answers by version, latency, the sentence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from textual.content import Content

from bgconsole.domain.plain import plain
from bgconsole.domain.probe import Answer, During, ProbeRecord, letters
from bgconsole.domain.probe_words import deployment_sentence, spell_ms, standing
from bgconsole.domain.severity import Severity
from bgconsole.ui.palette import SEVERITY, Palette, Tone
from bgconsole.ui.widgets.fit import fit, piece
from bgconsole.ui.widgets.spark import BARS

FAILED = "✖"
NAMELESS = "•"
"""A good answer that does not say which version it is from."""
_VERSIONS = (Tone.OLD, Tone.NEW, Tone.BUSY, Tone.PLAIN)
"""By order of appearance."""


def probe_lines(
    record: ProbeRecord, palette: Palette, width: int, *, healthy: bool | None
) -> list[Content]:
    """What fits `width` cells, the most important first.

    Args:
        record: what the probe saw.
        palette: the theme's colours.
        width: in cells.
        healthy: whether targets that get production traffic are healthy.
    """
    lines = list(_now(record, palette, width, healthy=healthy))
    if record.latest is None:
        return lines
    shown = record.answers[-width:]
    lines += [counts(record, palette, width), strip(record, shown, palette), bars(shown, palette)]
    lines += _told(record, shown, palette, width)
    return lines


def counts(record: ProbeRecord, palette: Palette, width: int) -> Content:
    """`412 ok · 0 failed · p50 12 ms · p95 31 ms · max 210 ms · longest gap 0 ms`."""
    tally = record.tally
    failed = palette.style(Tone.BAD if tally.failed else Tone.PLAIN, bold=tally.failed > 0)
    said = [
        piece(9, f"{tally.good} ok"),
        piece(8, Content.styled(f"{tally.failed} failed", failed)),
    ]
    for keep, name, percent in ((6, "p50", 50.0), (7, "p95", 95.0)):
        value = record.percentile(percent)
        if value is not None:
            said.append(piece(keep, f"{name} {spell_ms(value)}", ""))
    if tally.slowest_ms:
        said.append(piece(4, f"max {spell_ms(tally.slowest_ms)}", ""))
    gap = spell_ms(tally.longest_gap_ms)
    said.append(piece(7, f"longest gap {gap}", f"gap {gap}"))
    return fit(said, width)


def strip(record: ProbeRecord, shown: Sequence[Answer], palette: Palette) -> Content:
    """One character an answer: its version's letter, or that it failed."""
    given = letters(record.versions)
    tones = _tones(record)
    cells: list[tuple[str, Tone]] = []
    for answer in shown:
        if record.failed(answer):
            cells.append((FAILED, Tone.BAD))
        else:
            letter = given.get(answer.version, NAMELESS)
            cells.append((letter, tones.get(answer.version, Tone.GOOD)))
    return _styled(cells, palette)


def bars(shown: Sequence[Answer], palette: Palette) -> Content:
    """The same answers' latency, as tall as the slowest of them; failures have none."""
    highest = max((a.latency_ms for a in shown if a.status), default=0.0) or 1.0
    cells = [
        (BARS[min(7, int(answer.latency_ms / highest * 8))] if answer.status else " ", Tone.QUIET)
        for answer in shown
    ]
    return _styled(cells, palette)


def _now(
    record: ProbeRecord, palette: Palette, width: int, *, healthy: bool | None
) -> Iterator[Content]:
    """How it stands, where that is not simply well."""
    now = standing(record, healthy=healthy)
    if not now.words:
        return
    style = palette.style(SEVERITY[now.severity] if now.severity > Severity.GOOD else Tone.PLAIN)
    glyph = {Severity.BAD: "✖ ", Severity.WAITING: "▲ "}.get(now.severity, "")
    words = plain(now.words)
    forms = [words, words.partition(";")[0]]
    if words.startswith("cannot be reached"):
        forms.append(f"cannot be reached ({words.partition('(')[2].partition(')')[0]})")
    yield fit([piece(1, *(Content.styled(f"{glyph}{form}", style) for form in forms))], width)


def _told(
    record: ProbeRecord, shown: Sequence[Answer], palette: Palette, width: int
) -> Iterator[Content]:
    """Which letter is which version, and how the deployment was."""
    given, tones = letters(record.versions), _tones(record)
    there = {answer.version for answer in shown}
    legend = [
        piece(
            len(record.versions) - n,
            Content.styled(f"{given[version]} {plain(version)}", palette.style(tones[version])),
            Content.styled(given[version], palette.style(tones[version])),
        )
        for n, version in enumerate(record.versions)
        if version in there
    ]
    if legend:
        yield fit(legend, width, between="  ")
    if record.during is not None:
        yield _deployment(record.during, palette, width)


def _deployment(during: During, palette: Palette, width: int) -> Content:
    sentence, tally = deployment_sentence(during), during.tally
    gap = spell_ms(tally.longest_gap_ms)
    brief = f"deployment: {tally.failed} of {tally.asked} failed, longest gap {gap}"
    tone = Tone.BAD if tally.failed else Tone.GOOD if during.ended and tally.asked else Tone.PLAIN
    forms = [sentence, sentence.partition(", last ")[0], brief, brief.removeprefix("deployment: ")]
    return fit([piece(1, *(Content.styled(plain(f), palette.style(tone)) for f in forms))], width)


def _tones(record: ProbeRecord) -> dict[str, Tone]:
    return {v: _VERSIONS[n % len(_VERSIONS)] for n, v in enumerate(record.versions)}


def _styled(cells: Sequence[tuple[str, Tone]], palette: Palette) -> Content:
    """Cells of one tone side by side are one span."""
    spans: list[tuple[str, Tone]] = []
    for text, tone in cells:
        if spans and spans[-1][1] is tone:
            spans[-1] = (spans[-1][0] + text, tone)
        else:
            spans.append((text, tone))
    return Content.assemble(*((text, palette.style(tone)) for text, tone in spans))
