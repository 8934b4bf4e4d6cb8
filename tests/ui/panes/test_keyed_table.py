"""The keyed table: the highlight belongs to a row, and only what changed is touched."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from bgconsole.ui.palette import Tone
from bgconsole.ui.widgets.keyed_table import (
    BULK,
    Cell,
    Column,
    KeyedTable,
    Row,
    nearest,
    shared,
)


class Host(App[None]):
    def compose(self) -> ComposeResult:
        yield KeyedTable(Column(4, 30), Column(4, 30))

    @property
    def table(self) -> KeyedTable:
        return self.query_one(KeyedTable)


def row(key: str, word: str = "well", *, wrong: bool = False) -> Row:
    return Row(key, (Cell(key), Cell(word, Tone.BAD if wrong else Tone.PLAIN)), wrong)


def rows(keys: Iterable[str]) -> list[Row]:
    return [row(key) for key in keys]


def shown(table: KeyedTable) -> list[str]:
    return [str(r.key.value) for r in table.ordered_rows]


async def test_rows_stand_in_the_order_that_they_are_given() -> None:
    async with Host().run_test() as pilot:
        table = _table(pilot)
        table.show(rows("abc"))
        table.show(rows("dcba"))
        assert shown(table) == ["d", "c", "b", "a"]
        assert table.get_cell("d", "0").plain == "d"


async def test_highlight_follows_its_row_when_rows_move_come_and_go() -> None:
    async with Host().run_test() as pilot:
        table = _table(pilot)
        table.show(rows("abcdef"))
        table.select("d")
        for keys in ("fedcba", "dxyz", "zyxd", "abcdefghij"):
            table.show(rows(keys))
            await pilot.pause()
            assert table.selection == "d"
            assert table.cursor_row == keys.index("d")


async def test_highlight_of_a_row_that_is_gone_goes_to_its_neighbour() -> None:
    async with Host().run_test() as pilot:
        table = _table(pilot)
        table.show(rows("abcd"))
        table.select("c")
        table.show(rows("abd"))
        assert table.selection == "d"
        table.show(rows("ab"))
        assert table.selection == "b"
        table.show([])
        assert table.selection is None
        table.show(rows("xy"))
        assert table.selection == "x"


async def test_only_cells_that_differ_are_updated(monkeypatch: pytest.MonkeyPatch) -> None:
    touched: list[tuple[str, str]] = []
    update = KeyedTable.update_cell

    def spy(self: KeyedTable, key: str, column: str, *args: object, **kwargs: object) -> None:
        touched.append((key, column))
        update(self, key, column, *args, **kwargs)  # type: ignore[arg-type]

    def never(self: KeyedTable, columns: bool = False) -> KeyedTable:
        raise AssertionError("cleared on a poll")

    async with Host().run_test() as pilot:
        table = _table(pilot)
        table.show(rows("abcd"))
        await pilot.pause()
        monkeypatch.setattr(KeyedTable, "update_cell", spy)
        monkeypatch.setattr(KeyedTable, "clear", never)
        table.show(rows("abcd"))
        assert touched == []
        table.show([row("a"), row("b", "ill", wrong=True), row("c"), row("d")])
        assert touched == [("b", "1")]
        table.show(rows("abd"))
        assert shown(table) == ["a", "b", "d"]


async def test_a_change_of_colour_alone_is_a_change() -> None:
    async with Host().run_test() as pilot:
        table = _table(pilot)
        table.show([Row("a", (Cell("a"), Cell("x", Tone.GOOD)))])
        before = table.get_cell("a", "1").style
        table.show([Row("a", (Cell("a"), Cell("x", Tone.BAD)))])
        assert table.get_cell("a", "1").style != before


async def test_bulk_change_keeps_highlight() -> None:
    async with Host().run_test() as pilot:
        table = _table(pilot)
        table.show(rows(f"old{n}" for n in range(4 * BULK)))
        table.select("old77")
        await pilot.pause()
        table.show(rows([*(f"new{n}" for n in range(90)), "old77", "old78"]))
        await pilot.pause()
        assert table.selection == "old77"
        assert table.row_count == 92
        table.show(rows(f"new{n}" for n in range(90)))
        await pilot.pause()
        assert table.row_count == 90
        assert table.selection in shown(table)


async def test_filter_and_only_wrong_keep_the_highlight() -> None:
    async with Host().run_test() as pilot:
        table = _table(pilot)
        table.show([row("apple"), row("pear", "ILL", wrong=True), row("plum")])
        table.select("pear")
        table.narrow("P")
        assert shown(table) == ["apple", "pear", "plum"]
        table.narrow("ill")
        assert shown(table) == ["pear"]
        assert table.counts == (1, 3)
        table.narrow(only_wrong=True)
        assert (shown(table), table.selection) == (["pear"], "pear")
        table.narrow()
        assert (table.cursor_row, table.selection) == (1, "pear")


async def test_keys_move_the_highlight() -> None:
    async with Host().run_test(size=(40, 10)) as pilot:
        table = _table(pilot)
        table.show(rows(f"{n:03}" for n in range(100)))
        table.focus()
        await pilot.pause()
        for key, at in (
            ("j", 1), ("j", 2), ("k", 1), ("G", 99), ("g", 0), ("down", 1), ("up", 0),
            ("end", 99), ("home", 0),
        ):  # fmt: skip
            await pilot.press(key)
            assert table.cursor_row == at, key
        await pilot.press("ctrl+f")
        below = table.cursor_row
        assert below >= 8
        await pilot.press("ctrl+b")
        assert table.cursor_row < below


HOSTILE = (
    "[/foo]",
    "[@click=app.quit]x[/]",
    "[bold]b",
    "\x1b]2;PWNED\x07\x1b[2Jx",
    "a\x00b\x1bc\x9b31m",
    "\u202eevil",
    "表表表表表表表表表表表表表表",
    "e\u0301" * 40,
)


async def test_text_from_outside_is_shown_never_obeyed() -> None:
    async with Host().run_test() as pilot:
        table = _table(pilot)
        table.show(Row(str(n), (Cell(text), Cell(text))) for n, text in enumerate(HOSTILE))
        await pilot.pause()
        for n, text in enumerate(HOSTILE):
            drawn = table.get_cell(str(n), "0")
            assert drawn.cell_len <= 30
            assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 for c in drawn.plain)
            if text.isprintable() and text.isascii():
                assert drawn.plain == text
        table.show([])


@pytest.mark.parametrize(
    ("gone", "left", "heir"),
    [("c", "abde", "d"), ("c", "ab", "b"), ("c", "abc", "c"), ("c", "xyz", None), ("a", "e", "e")],
)
def test_nearest(gone: str, left: str, heir: str | None) -> None:
    assert nearest(gone, tuple("abcde"), left) == heir


async def test_a_column_that_says_nothing_any_more_leaves_its_room() -> None:
    class Three(App[None]):
        def compose(self) -> ComposeResult:
            yield KeyedTable(Column(4, 30), Column(4, 30), Column(1, 90, keep=1))

    def of(zone: str) -> Row:
        return Row("a", (Cell("a"), Cell(zone), Cell("why " * 20)))

    async with Three().run_test(size=(40, 5)) as pilot:
        table = pilot.app.query_one(KeyedTable)
        widths = []
        for zone in ("us-east-1a", "", "us-east-1a"):
            table.show([of(zone)])
            await pilot.pause()
            widths.append(table.ordered_columns[1].width)
        assert widths[0] == widths[2] > 10
        assert widths[1] < 6


def test_columns_share_a_width_by_what_must_be_kept() -> None:
    columns = (Column(2, 2), Column(5, 20, keep=9), Column(1, 50, keep=1), Column(4, 10, keep=5))
    natural = [2, 20, 40, 10]
    assert shared(columns, natural, 100) == [2, 21, 41, 10]
    assert shared(columns, natural, 68) == [2, 21, 35, 10]
    assert shared(columns, natural, 60) == [2, 20, 28, 10]
    assert shared(columns, natural, 30) == [2, 20, 1, 7]
    assert shared(columns, natural, 12) == [2, 5, 1, 4]
    assert shared(columns, natural, 9) == [2, 5, 1, 1], "nothing is cut at the edge in silence"
    assert shared(columns, natural, 5) == [2, 1, 1, 1]


async def test_a_figure_that_has_no_room_is_left_out_not_cut() -> None:
    class Stacks(App[None]):
        def compose(self) -> ComposeResult:
            yield KeyedTable(
                Column(2, 2), Column(12, 40, keep=4), Column(15, 46, keep=6), Column(8, 12, keep=3)
            )

    async with Stacks().run_test(size=(29, 5)) as pilot:
        table = pilot.app.query_one(KeyedTable)
        cells = (Cell("●"), Cell("democluster"), Cell("update complete"), Cell("1:31"))
        table.show([Row("a", cells)])
        await pilot.pause()
        assert sum(column.width for column in table.ordered_columns) == 29
        assert [str(cell) for cell in table.get_row("a")] == [
            "●",
            "democlust…",
            "update comple…",
            "",
        ]


def _table(pilot: Pilot[None]) -> KeyedTable:
    host = pilot.app
    assert isinstance(host, Host)
    return host.table
