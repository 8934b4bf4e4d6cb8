"""The top of the screen: who and where, then the verdict, how far it is, and who is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

from textual.app import ComposeResult
from textual.content import Content
from textual.geometry import Size
from textual.reactive import reactive
from textual.widgets import Static

from bgconsole.domain.join import sides
from bgconsole.domain.probe import ProbeRecord
from bgconsole.domain.probed_verdict import probed
from bgconsole.domain.rollout import Rollout, rollout
from bgconsole.domain.severity import Severity
from bgconsole.domain.since import Since
from bgconsole.domain.snapshot import Snapshot
from bgconsole.domain.traffic import traffic
from bgconsole.domain.verdict import Verdict, verdict
from bgconsole.operations.catalog import OPERATIONS
from bgconsole.ui.messages import Judged
from bgconsole.ui.palette import Palette
from bgconsole.ui.panes.headline import header_line, progress_line, verdict_lines
from bgconsole.ui.panes.pane import SnapshotWidget, now
from bgconsole.ui.panes.stage_strip import guards, strip_line
from bgconsole.ui.panes.traffic_bar import traffic_line
from bgconsole.ui.widgets.fit import Piece, piece
from bgconsole.ui.widgets.repaint import retell, same

SMALL = 30
"""Below so many lines of terminal the verdict has `FEW` lines, else `MORE`."""
FEW, MORE = 4, 6


CLOCK = 8
"""Columns at the end of the header that change every second."""


class Header(SnapshotWidget, Static):
    """One line: account, region, service, and how fresh the picture is."""

    DEFAULT_CSS = """
    Header {
        height: 1; padding: 0 1; background: $panel; color: $foreground;
        & > Static { dock: right; width: 8; height: 1; background: $panel; }
    }
    """
    _before_clock = Content("")
    read_only: reactive[bool] = reactive(False, repaint=False, init=False)
    """Whether every key that changes something is off."""

    def compose(self) -> ComposeResult:
        """The clock lies over the end of the line: each second no more than that is written."""
        yield Static()

    def paint(self) -> None:
        """Write the line as of now."""
        if self.snapshot is None or not self.size.width:
            return
        line = header_line(
            self.snapshot,
            now(self),
            Palette.of(self.app),
            self.size.width,
            read_only=self.read_only,
        )
        clock = line.cell_length - CLOCK
        if clock < 0 or not line.plain[clock:].isascii():
            clock = len(line.plain)
        retell(self.query_one(Static), line[clock:], layout=False)
        if not same(line[:clock], self._before_clock):
            self._before_clock = line[:clock]
            self.update(line, layout=False)

    def watch_read_only(self) -> None:
        """Say so at once."""
        if self.is_mounted:
            self.paint()


class Top(SnapshotWidget, Static):
    """The verdict and the way back; stage and traffic of a deployment; what it rests on.

    Quiet when steady. On 80x24: two lines, then one of the stage and one of the traffic.
    """

    DEFAULT_CSS = """
    Top { height: auto; min-height: 1; padding: 0 1; }
    """
    probe: reactive[ProbeRecord | None] = reactive(None, repaint=False, init=False)
    keys: Mapping[str, str] = MappingProxyType({o.id: o.key for o in OPERATIONS.values() if o.key})
    """The key of each operation that this console may do, as the user's keymap has it."""
    _lines: tuple[Content, ...] = ()
    verdict: Verdict | None = None
    """What is shown."""

    def get_content_height(
        self,
        container: Size,  # noqa: ARG002
        viewport: Size,  # noqa: ARG002
        width: int,
    ) -> int:
        """As many lines as the verdict takes at this width."""
        return len(self._at(width)) if self.snapshot is not None and width else 1

    def paint(self) -> None:
        """Judge the snapshot as of now."""
        if self.snapshot is None or not self.size.width:
            return
        at = now(self)
        before, self.verdict = self.verdict, self._judge(self.snapshot, at)
        self.verdict = self._noticed(before, self.verdict, at)
        if before is None or before.severity is not self.verdict.severity:
            severity = before.severity if before else None
            self.post_message(Judged(severity, self.verdict, self.snapshot.ref.name))
        lines = self._at(self.size.width)
        moved = len(lines) != len(self._lines)
        if _same(lines, self._lines):
            return
        self._lines = lines
        retell(self, Content("\n").join(lines), layout=moved)

    def watch_probe(self) -> None:
        """Judge anew with what the site answered."""
        if self.is_mounted:
            self.paint()

    def _judge(self, snapshot: Snapshot, at: datetime) -> Verdict:
        return probed(verdict(snapshot, at), snapshot, self.probe, at)

    @staticmethod
    def _noticed(before: Verdict | None, found: Verdict, at: datetime) -> Verdict:
        """Trouble that AWS tells no time of began when it was first seen here, if all was well."""
        if found.since is not None or found.severity is not Severity.BAD or before is None:
            return found
        if found.word == "ROLLED BACK":
            return found  # the sentence says when
        if before.word == found.word:
            return replace(found, since=before.since)
        well = before.severity in (Severity.GOOD, Severity.BUSY)
        return replace(found, since=Since("since", at)) if well else found

    def _at(self, width: int) -> tuple[Content, ...]:
        if self.snapshot is None:
            return ()
        at, palette = now(self), Palette.of(self.app)
        judged = self.verdict or self._judge(self.snapshot, at)
        limit = FEW if self.app.size.height < SMALL else MORE
        return tuple(
            verdict_lines(
                judged,
                palette,
                width,
                limit,
                at,
                self.keys,
                stage=_stage(self.snapshot, judged, at, palette, width - 1),
                traffic=_traffic(self.snapshot, palette, width - 1),
            )
        )


def _stage(
    snapshot: Snapshot, judged: Verdict, at: datetime, palette: Palette, width: int
) -> Content | None:
    strip = rollout(snapshot)
    if strip is not None and strip.stages:
        return strip_line(strip, at, palette, width)
    if judged.progress is None:
        return None
    return progress_line(
        judged.progress,
        palette,
        width,
        _guards(strip, palette) if strip else (),
    )


def _guards(strip: Rollout, palette: Palette) -> list[Piece]:
    """What could end the deployment; what something has touched stays the longest."""
    loud = guards(strip, palette, quiet=False)
    return [
        piece(2 if any(each.is_same(other) for other in loud) else 1, each, "")
        for each in guards(strip, palette)
    ]


def _traffic(snapshot: Snapshot, palette: Palette, width: int) -> Content | None:
    """Only while there are two sides to tell apart."""
    both = sides(snapshot)
    if both.old is None or both.new is None:
        return None
    return traffic_line(traffic(snapshot), both, palette, width)


def _same(one: tuple[Content, ...], other: tuple[Content, ...]) -> bool:
    return len(one) == len(other) and all(a.is_same(b) for a, b in zip(one, other, strict=True))
