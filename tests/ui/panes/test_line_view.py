"""The line view: it follows the end, stands still under a reader, and keeps so many lines."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

from rich.cells import cell_len
from rich.segment import Segment
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from bgconsole.ui.widgets.line_view import PAUSE, LineView
from bgconsole.ui.widgets.ring import Ring


@dataclass(frozen=True, slots=True)
class Item:
    order: tuple[float]
    sequence: int
    text: str


class Items(LineView[Item]):
    drawn = 0

    def segments(self, line: Item) -> list[Segment]:
        self.drawn += 1
        return [Segment(line.text)]

    def cells(self, line: Item) -> int:
        return cell_len(line.text)


class Host(App[None]):
    def __init__(self, capacity: int = 1000) -> None:
        super().__init__()
        self.animation_level = "none"
        self.capacity = capacity
        self.last = 0

    def compose(self) -> ComposeResult:
        yield Items(self.capacity)

    @property
    def view(self) -> Items:
        return self.query_one(Items)

    def more(self, count: int) -> list[Item]:
        items = [item(n) for n in range(self.last, self.last + count)]
        self.last += count
        return items


def item(number: float, text: str = "") -> Item:
    return Item((number,), int(number * 10), text or f"line {number:g}")


async def settle(pilot: Pilot[None]) -> Items:
    """Until what was added is painted."""
    view = cast(Host, pilot.app).view
    while view.busy:
        await pilot.pause(PAUSE / 4)
    await pilot.pause()
    return view


def seen(view: Items) -> list[str]:
    """The rows, without the column on the left."""
    return [view.render_line(y).text[1:].strip() for y in range(view.size.height)]


async def feed(pilot: Pilot[None], count: int) -> Items:
    host = cast(Host, pilot.app)
    host.view.add(host.more(count))
    return await settle(pilot)


async def test_follows_the_end() -> None:
    async with Host().run_test(size=(40, 10)) as pilot:
        view = await feed(pilot, 5)
        assert seen(view)[:6] == ["line 0", "line 1", "line 2", "line 3", "line 4", ""]
        view = await feed(pilot, 50)
        assert seen(view)[-1] == "line 54"
        assert (view.following, view.unseen) == (True, 0)


async def test_reader_who_scrolled_up_stands_still_and_is_told_what_came() -> None:
    async with Host().run_test(size=(40, 10)) as pilot:
        view = await feed(pilot, 100)
        view.focus()
        await pilot.press("k", "ctrl+b")
        assert not view.following
        before = seen(view)
        view = await feed(pilot, 70)
        assert seen(view) == before
        assert view.unseen == 70
        await pilot.press("G")
        assert seen(view)[-1] == "line 169"
        assert (view.following, view.unseen) == (True, 0)


async def test_what_is_read_falls_out_only_when_half_as_many_more_have_come() -> None:
    async with Host(capacity=200).run_test(size=(40, 10)) as pilot:
        view = await feed(pilot, 200)
        view.focus()
        await pilot.press("g")
        before = seen(view)
        assert before[0] == "line 0"
        for held in (250, 300):
            view = await feed(pilot, 50)
            assert len(view.ring) == held
            assert seen(view) == before
        view = await feed(pilot, 100)
        assert len(view.ring) == 300
        # The reader's lines are gone at last: the oldest that are left are shown.
        assert seen(view)[0] == "line 100"
        assert not view.following
        await pilot.press("G")
        view = await feed(pilot, 1)
        assert len(view.ring) == 200
        assert seen(view)[-1] == "line 400"


async def test_follower_sees_the_newest_when_the_ring_is_full() -> None:
    async with Host(capacity=50).run_test(size=(40, 10)) as pilot:
        for _ in range(6):
            view = await feed(pilot, 30)
        assert seen(view)[-1] == "line 179"
        assert len(view.ring) == 50


async def test_late_line_goes_to_its_place_and_moves_no_reader() -> None:
    async with Host().run_test(size=(40, 10)) as pilot:
        view = await feed(pilot, 100)
        view.focus()
        await pilot.press("ctrl+b")
        before = seen(view)
        view.add([item(3.5, "late"), item(200)])
        view = await settle(pilot)
        assert seen(view) == before
        assert [i.text for i in view.ring.shown[3:6]] == ["line 3", "late", "line 4"]


async def test_back_at_the_end_by_scrolling_follows_again() -> None:
    async with Host().run_test(size=(40, 10)) as pilot:
        view = await feed(pilot, 100)
        view.focus()
        await pilot.press("k", "k")
        assert not view.following
        await pilot.press("j", "j")
        assert view.following
        await pilot.press("home")
        assert seen(view)[0] == "line 0"
        await pilot.press("end")
        assert view.following


async def test_wheel_stops_following() -> None:
    async with Host().run_test(size=(40, 10)) as pilot:
        view = await feed(pilot, 100)
        view._on_mouse_scroll_up(_wheel(view))
        await pilot.pause()
        await feed(pilot, 40)
        assert not view.following
        assert view.unseen == 40


async def test_stays_at_the_end_when_the_terminal_changes() -> None:
    async with Host().run_test(size=(40, 10)) as pilot:
        view = await feed(pilot, 100)
        for height in (5, 20, 8):
            await pilot.resize_terminal(40, height)
            await pilot.pause()
            assert view.following
            assert seen(view)[-1] == "line 99"


async def test_only_visible_lines_are_drawn_and_each_once() -> None:
    async with Host(capacity=100_000).run_test(size=(40, 10)) as pilot:
        view = await feed(pilot, 50_000)
        assert view.drawn <= 40
        before = view.drawn
        view.refresh()
        await pilot.pause()
        assert view.drawn == before


async def test_many_batches_are_one_paint() -> None:
    async with Host(2000).run_test(size=(40, 10)) as pilot:
        view = await feed(pilot, 1)
        host, flushed = cast(Host, pilot.app), 0
        flush = view._flush

        def spy() -> None:
            nonlocal flushed
            flushed += 1
            flush()

        view._flush = spy  # type: ignore[method-assign]
        for _ in range(100):
            view.add(host.more(10))
        await settle(pilot)
        assert flushed <= 2
        assert len(view.ring) == 1001


async def test_wide_and_combining_characters_take_their_cells() -> None:
    async with Host().run_test(size=(20, 5)) as pilot:
        view = cast(Host, pilot.app).view
        texts = ("表" * 30, "e\u0301" * 30, "👍" * 30, "x" * 100_000)
        view.add([item(n, text) for n, text in enumerate(texts)])
        await settle(pilot)
        width = view.scrollable_content_region.width
        for x in (0, 1, 7):
            view.scroll_to(x=x, animate=False)
            await pilot.pause()
            assert [view.render_line(y).cell_length for y in range(5)] == [width] * 5
        assert view.render_line(3).text.endswith("x›")


async def test_narrowed_lines_keep_the_reader_near_and_come_back_whole() -> None:
    async with Host(capacity=300).run_test(size=(40, 10)) as pilot:
        view = await feed(pilot, 200)
        view.narrow(lambda line: line.order[0] % 10 == 0)
        await pilot.pause()
        assert seen(view)[-1] == "line 190"
        view = await feed(pilot, 150)
        assert seen(view)[-1] == "line 340"
        assert view.ring.shown[0].text == "line 50"
        view.narrow(None)
        await pilot.pause()
        assert seen(view)[-1] == "line 349"
        assert len(view.ring.shown) == 300


def test_ring_keeps_order_whatever_comes() -> None:
    ring: Ring[Item] = Ring(6)
    for batch in ([5, 6], [1, 9], [2, 3, 7], [], [4, 8], [0]):
        ring.add([item(n) for n in batch])
    assert [i.order[0] for i in ring.shown] == [4, 5, 6, 7, 8, 9]
    assert ring.place((7,)) == 3
    assert ring.place((0,)) == 0


def _wheel(view: Items) -> object:
    from textual.events import MouseScrollUp

    return MouseScrollUp(view, 1, 1, 0, -1, 0, False, False, False)  # type: ignore[return-value]


async def test_lines_give_way_to_a_key_once_and_not_to_one_that_is_held() -> None:
    class Pressed(Host):
        pressed_at = 0.0

    app = Pressed()
    async with app.run_test(size=(40, 10)) as pilot:
        view = await feed(pilot, 5)
        app.pressed_at = math.inf  # a key that is held down
        view.add(app.more(1))
        view.add(app.more(1))
        assert [view._gives_way() for _ in range(4)] == [True, False, True, False]
        view = await settle(pilot)
        assert len(view.ring) == 7
