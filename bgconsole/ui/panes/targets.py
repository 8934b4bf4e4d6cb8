"""Pane 2: who gets the traffic, and which targets are fit to take it."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from bgconsole.domain.metrics import GroupMetrics, latest
from bgconsole.domain.plain import plain
from bgconsole.domain.probe_words import spell_ms
from bgconsole.domain.targets import Target, TargetGroup
from bgconsole.ui.palette import Palette, Tone, health_look
from bgconsole.ui.panes.freshness import freshness, late_after, nothing
from bgconsole.ui.panes.pane import now
from bgconsole.ui.panes.table_pane import TablePane
from bgconsole.ui.widgets.fit import fit, piece
from bgconsole.ui.widgets.keyed_table import Cell, Column, KeyedTable, Row
from bgconsole.ui.widgets.repaint import retell
from bgconsole.ui.widgets.spark import spark

ROOMY = 7
"""With so many lines the pane tells CloudWatch's numbers too."""
MINUTES = 15
SHORT, SHORTEST = 14, 8
"""Characters of a group's name where there is little room, and where there is hardly any."""
BAR = 12
"""Cells of a traffic bar where there is room."""


class TargetsPane(TablePane):
    """A line a group with its share of the traffic, then every target."""

    NUMBER = "2"
    NAME = "Targets & traffic"
    DEFAULT_CSS = """
    TargetsPane {
        & > .groups { height: auto; max-height: 50%; padding: 0; }
        & > .groups.-stale { text-opacity: 55%; }
    }
    """

    def body(self) -> ComposeResult:
        """Groups above, targets below."""
        yield Static(classes="groups")
        yield Static(classes="message")
        yield KeyedTable(
            Column(2, 2),
            Column(12, 46, keep=7),
            Column(8, 19, keep=6),
            Column(4, 16, keep=3),
            Column(1, 24, keep=2),
            Column(1, 400, keep=1),
        )

    def paint(self) -> None:
        """Show weights and health as of now."""
        if self.snapshot is None:
            return
        part, at = self.snapshot.targets, now(self)
        groups = part.value.groups if part.value else ()
        fresh = freshness(part, at, late_after("targets", self.snapshot))
        rows = [
            target_row(group, target, several=len(groups) > 1)
            for group in groups
            for target in sorted(group.targets, key=lambda t: (t.zone, t.key))
        ]
        palette = Palette.of(self.app)
        width = max(8, self.size.width - 2)
        measured = self.snapshot.metrics.value
        lines = []
        for group in groups:
            lines.append(group_line(group, palette, width))
            told = measured.groups.get(group.arn) if measured else None
            if told is not None and told.requests and self.size.height >= ROOMY:
                lines.append(metrics_line(told, palette, width))
        shown = self.query_one(".groups", Static)
        retell(shown, Content("\n").join(lines))
        shown.display = bool(lines)
        for widget in (shown, self.table):
            widget.set_class(fresh.dimmed, "-stale")
        self.table.show(rows)
        self.say(nothing(part, fresh, "no target is registered" if groups and not rows else ""))
        self.dress([], fresh, self.table.counts)


def group_line(group: TargetGroup, palette: Palette, width: int) -> Content:
    """`democluster-blue  prod ████████████ 100 %  test ░░░░░░░░░░░░ 0 %  4/4 healthy`."""
    total = len(group.targets)
    tone = Tone.GOOD if total and group.healthy == total else Tone.WAITING
    if (group.production_share or 0) > 0 and not group.healthy:
        tone = Tone.BAD
    elif not total:
        tone = Tone.QUIET
    health = Content.styled(f"{group.healthy}/{total} healthy", palette.style(tone))
    name = plain(group.name)
    shares = [
        piece(keep, share(word, percent, palette, BAR), share(word, percent, palette, 0))
        for keep, word, percent in (
            (3, "prod", group.production_share),
            (2, "test", group.test_share),
        )
        if percent is not None
    ]
    if not shares:
        shares = [piece(4, Content.styled("no listener", palette.style(Tone.QUIET)), Content())]
    bold = palette.style(Tone.PLAIN, bold=True)
    few = Content.styled(f"{group.healthy}/{total}", palette.style(tone))
    healthy = piece(9, health, few)
    head = piece(1, *(Content.styled(form, bold) for form in (name, cut_inside(name, SHORT))))
    line = fit([head, *shares, healthy], width, between="  ")
    if not line.plain.endswith("…"):
        return line
    # How many are healthy is not cut: the name gives way once more, and the test traffic.
    head = piece(1, Content.styled(cut_inside(name, SHORTEST), bold))
    return fit([head, *shares[:1], healthy], width, between="  ")


def metrics_line(told: GroupMetrics, palette: Palette, width: int) -> Content:
    """`  120/min  5xx 0 ▁▁▁▁▁  p95 12 ms ▂▃▂▂▁`, of the newest minute that CloudWatch tells of."""
    requests, slow = latest(told.requests) or 0.0, latest(told.latency)
    minutes = [at for at, _ in told.requests]
    failed = dict(told.errors)
    errors = [failed.get(at, 0.0) for at in minutes]
    quiet = palette.style(Tone.QUIET)
    loud = palette.style(Tone.BAD, bold=True) if errors[-1] else quiet
    pieces = [
        piece(7, Content.styled(f"  {requests:.0f}/min", quiet)),
        piece(9, Content.styled(f"5xx {errors[-1]:.0f}", loud)),
        piece(5, Content.styled(spark(errors, MINUTES), loud), ""),
    ]
    if slow is not None:
        pieces.append(piece(8, Content.styled(f"p95 {spell_ms(slow * 1000)}", quiet), ""))
        values = [value for _, value in told.latency]
        pieces.append(piece(4, Content.styled(spark(values, MINUTES), quiet), ""))
    return fit(pieces, width, between=" ")


def share(word: str, percent: float, palette: Palette, bar: int) -> Content:
    """One kind of traffic: how much of it goes here, as a bar and as a number."""
    full = round(bar * percent / 100)
    if bar and 0 < percent < 100:
        full = min(bar - 1, max(1, full))
    number = f"{percent:.0f} %" if percent in (0, 100) or percent >= 1 else "<1 %"
    tone = Tone.PLAIN if percent else Tone.QUIET
    return Content.assemble(
        (f"{word} ", palette.style(Tone.QUIET)),
        ("█" * full, palette.style(Tone.BUSY)),
        ("░" * (bar - full), palette.style(Tone.QUIET)),
        (f" {number}" if bar else number, palette.style(tone)),
    )


def target_row(group: TargetGroup, target: Target, *, several: bool) -> Row:
    """One target as a row; the group is named where there are several."""
    look = health_look(target.state)
    reason = target.description or target.reason
    return Row(
        f"{group.arn}|{target.key}",
        (
            Cell(look.glyph, look.tone),
            Cell(target.key),
            Cell(target.state, Tone.PLAIN if look.tone is Tone.GOOD else look.tone),
            Cell(target.zone, Tone.QUIET),
            Cell(cut_inside(group.name, SHORT) if several else "", Tone.QUIET),
            Cell(reason, look.tone if look.wrong else Tone.QUIET),
        ),
        wrong=look.wrong,
    )


def cut_inside(name: str, limit: int) -> str:
    """A name of at most `limit` characters: two groups of one service differ at their ends."""
    if len(name) <= limit:
        return name
    end = limit // 2
    return f"{name[: limit - 1 - end]}…{name[-end:]}"
