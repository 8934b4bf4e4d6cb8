"""The probe's pane: what it says, what the strip shows, and what it does without a probe."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from textual.widgets import Static

from bgconsole.domain.probe import Answer, ProbeRecord
from bgconsole.domain.snapshot import Part
from bgconsole.domain.targets import Balancing
from bgconsole.ui.palette import Palette, Tone
from bgconsole.ui.panes.probe import ProbePane
from bgconsole.ui.panes.probe_lines import BARS, bars, probe_lines, strip
from bgconsole.ui.probe_facts import of_probe
from bgconsole.ui.widgets.keyed_table import KeyedTable
from tests import scenes
from tests.consoles import text
from tests.scenes import Host, probed
from tests.values import NOW


@pytest.fixture
async def palette() -> Palette:
    return Palette.of(Host())


def lines(record: ProbeRecord, palette: Palette, width: int = 100, *, healthy: bool = True) -> str:
    told = probe_lines(record, palette, width, healthy=healthy)
    assert all(line.cell_length <= width for line in told)
    return "\n".join(line.plain for line in told)


def test_all_well(palette: Palette) -> None:
    told = lines(probed(*scenes.CALM), palette).splitlines()
    assert told[0] == ("80 ok · 0 failed · p50 14 ms · p95 48 ms · max 59 ms · longest gap 47 ms")
    assert told[1] == "M" * 80
    assert len(told[2]) == 80 and set(told[2]) <= set(BARS)
    assert told[3:] == ["M MEOW"]


def test_two_versions_have_two_letters_and_two_colours(palette: Palette) -> None:
    record = probed(*scenes.TURNING, deploying=True, ended=True)
    told = lines(record, palette)
    assert "MMMMPMPMPMPMPMPPPP" in told
    assert "M MEOW  P Posts" in told
    assert told.splitlines()[-1].startswith("0 of 51 requests failed during this deployment")
    shown = strip(record, record.answers, palette)
    colours = {str(span.style) for span in shown.spans}
    assert colours == {str(palette.style(tone)) for tone in (Tone.OLD, Tone.NEW)}


def test_failures_are_crosses_without_a_bar(palette: Palette) -> None:
    record = probed(*scenes.BROKEN)
    told = lines(record, palette).splitlines()
    some = "cannot be reached from here since 13:59:54 (connect timeout)"
    assert told[0] == f"▲ {some}; its targets are healthy"
    assert told[2].endswith("✖✖MMMMMM✖✖✖"[-11:])
    assert told[3][-3:] == "   " and told[3][-11] in BARS
    assert lines(record, palette, healthy=False).startswith("✖ cannot be reached from here")


def test_an_answer_that_names_no_version_is_a_dot(palette: Palette) -> None:
    assert "••••••••••" in lines(probed(*((200, ""),) * 10), palette)


@pytest.mark.parametrize("width", range(8, 120, 7))
@pytest.mark.parametrize("answers", [scenes.CALM, scenes.TURNING, scenes.BROKEN])
def test_it_fits_any_width(
    palette: Palette, width: int, answers: tuple[tuple[int, str], ...]
) -> None:
    told = lines(probed(*answers, deploying=True), palette, width)
    assert "failed" in told or width < 20


def test_bars_without_any_answer_are_blank(palette: Palette) -> None:
    down = Answer(NOW, 3000, 0, "connect timeout")
    assert bars([down, down], palette).plain == "  "


async def test_text_from_the_site_is_never_markup() -> None:
    hostile = "[/foo][@click=app.quit]x"
    record = ProbeRecord.of("http://x/[/y]", 2).add(Answer(NOW, 5, 302, "", hostile, "/[/z]"))
    app = Host(ProbePane, shown=scenes.steady(), probe=record)
    async with app.run_test(size=(100, 14)) as pilot:
        await pilot.pause()
        assert hostile in text(app.screen)
        assert "HTTP 302 → /[/z]" in text(app.screen)
        assert "http://x/[/y]" in text(app.screen)


async def test_the_newest_change_is_first_and_the_filter_narrows() -> None:
    app = Host(ProbePane, shown=scenes.steady(), probe=probed(*scenes.BROKEN))
    async with app.run_test(size=(100, 20)) as pilot:
        await pilot.pause()
        pane, table = app.screen.query_one(ProbePane), app.screen.query_one(KeyedTable)
        assert table.counts == (4, 4)
        assert "connect timeout" in text(app.screen).split("MEOW  × 6")[0]
        pane.focus()
        await pilot.press("!")
        assert table.counts == (2, 4)
        await pilot.press("escape", "/", *"502", "enter")
        assert table.counts == (1, 4)
        assert pane.selection == "http://demo-1234.us-east-1.elb.amazonaws.com/posts"


async def test_new_answers_are_shown_at_once_and_silence_is_told() -> None:
    app = Host(ProbePane, shown=scenes.steady())
    async with app.run_test(size=(100, 14)) as pilot:
        await pilot.pause()
        pane = app.screen.query_one(ProbePane)
        assert pane.selection is None
        pane.probe = probed(*scenes.CALM)
        await pilot.pause()
        assert "80 ok · 0 failed" in text(app.screen)
        app.later(10)
        await pilot.pause()
        assert "last answer" not in text(app.screen)
        app.later(30)
        await pilot.pause()
        assert "last answer 41 s ago" in text(app.screen)
        assert app.screen.query_one(".facts", Static).has_class("-stale")


async def test_what_there_is_without_a_probe() -> None:
    taken = scenes.steady()
    for shown, words in (
        (scenes.waiting(), "waiting to learn what to ask"),
        (replace(taken, targets=Part().nothing("the service has no load balancer", NOW)),
         "it is not known what to ask: the service has no load balancer"),
        (replace(taken, targets=Part(Balancing(()), NOW)), "no production listener was found"),
    ):  # fmt: skip
        app = Host(ProbePane, shown=shown)
        async with app.run_test(size=(120, 10)) as pilot:
            await pilot.pause()
            assert words in text(app.screen)


def test_the_page_behind_it() -> None:
    assert of_probe(None, NOW) == ()
    assert of_probe(ProbeRecord.of("http://x/", 2), NOW) == ()
    told = of_probe(probed(*scenes.BROKEN, deploying=True), NOW)
    said = "\n".join(f"{fact.label} {fact.value}" for fact in told)
    assert "so far 5 of 51 requests failed" in said
    assert "versions MEOW" in said
    assert "deployment 5 of " in said
    assert "✖ connect timeout × 3" in said
    masked = of_probe(ProbeRecord.of("http://a:pw@x/", 2).add(Answer(NOW, 1, 200)), NOW)
    assert "pw" not in str(masked)
    later = of_probe(probed(*scenes.CALM), NOW + timedelta(hours=1))
    assert "every 2 s, 80 times" in str(later)
