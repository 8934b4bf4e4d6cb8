"""One line that says who gets the requests: production, then test, the old share left of the new.

Read from listener weights and target health; without a load balancer nobody "serves".
"""

from __future__ import annotations

from textual.content import Content

from bgconsole.domain.how_many import how_many
from bgconsole.domain.join import Side, Sides
from bgconsole.domain.traffic import Shares, Traffic
from bgconsole.ui.palette import SIDE, Palette, Tone

WIDTHS = (32, 24, 16, 12, 8, 6, 0)
"""Cells of one bar, the widest that fits."""
_GLYPHS = {Side.OLD: "█", Side.NEW: "▓"}
"""The sides are told apart without colour too."""
GAP = "    "


def traffic_line(routes: Traffic, both: Sides, palette: Palette, width: int) -> Content:
    """`production ██████▓▓ old 75 % · new 25 %    test ▓▓▓▓▓▓▓▓ new 100 %`, `width` cells at most.

    Meant for a moment with two sides.
    """
    if not routes.balanced:
        return _without_balancer(both, palette).truncate(width, ellipsis=True)
    if not routes.known:
        words = "traffic is not known: target health and weights could not be read"
        return Content.styled(words, palette.style(Tone.UNKNOWN)).truncate(width, ellipsis=True)
    line = Content()
    for cells in WIDTHS:
        for name in ("production", "prod"):
            line = _line(routes, palette, cells, name)
            if line.cell_length <= width:
                return line
    return line.truncate(width, ellipsis=True)


def _line(routes: Traffic, palette: Palette, cells: int, name: str) -> Content:
    lost = [(routes.nobody, "to nobody healthy", Tone.BAD), (routes.other, "others", Tone.UNKNOWN)]
    parts = [_share(name, routes.production, lost, palette, cells)]
    if routes.tested:
        parts.append(_share("test", routes.test, [], palette, cells))
    return Content(GAP).join(parts)


def _share(
    name: str,
    shares: Shares,
    others: list[tuple[float, str, Tone]],
    palette: Palette,
    cells: int,
) -> Content:
    """One kind of traffic as a bar and in words."""
    told = [
        (shares[side], side.value, SIDE[side], _GLYPHS[side])
        for side in (Side.OLD, Side.NEW)
        if shares.get(side)
    ]
    told += [(share, words, tone, "░") for share, words, tone in others if share >= 0.5]
    quiet = palette.style(Tone.QUIET)
    head = Content.styled(f"{name} ", quiet)
    if not told:
        return Content.assemble(
            head,
            ("░" * cells, quiet),
            (" nobody healthy" if cells else "nobody", palette.style(Tone.BAD)),
        )
    widths = _cells([share for share, *_ in told], cells)
    bar = [
        (glyph * wide, palette.style(tone))
        for (_, _, tone, glyph), wide in zip(told, widths, strict=True)
    ]
    words = Content(" · ").join(
        Content.styled(f"{word} {_percent(share)}", palette.style(tone, bold=True))
        for share, word, tone, _ in told
    )
    return Content.assemble(head, *bar, " " if cells else "", words)


def _cells(shares: list[float], cells: int) -> list[int]:
    """How wide each share is drawn; what is not nothing has one cell, and they fill the bar."""
    if not cells:
        return [0] * len(shares)
    whole = sum(shares)
    widths = [max(1, round(cells * share / whole)) for share in shares]
    largest = widths.index(max(widths))
    widths[largest] += cells - sum(widths)
    return widths


def _percent(share: float) -> str:
    if 0 < share < 1:
        return "<1 %"
    if 99 < share < 100:
        return ">99 %"
    return f"{share:.0f} %"


def _without_balancer(both: Sides, palette: Palette) -> Content:
    """What runs, where nothing says who is asked."""
    sides = [view for view in (both.old, both.new) if view]
    running = [view for view in sides if view.healthy]
    word = "both run" if len(running) > 1 else "nothing runs"
    if len(running) == 1:
        word = f"only {running[0].side.value} runs"
    counts = Content(" · ").join(
        Content.styled(
            f"{view.side.value} {how_many(view.healthy, 'task')}", palette.style(SIDE[view.side])
        )
        for view in sides
    )
    quiet = palette.style(Tone.QUIET)
    return Content.assemble(("no load balancer: ", quiet), f"{word}   ", counts)
