"""The console calls when a verdict changes, and opens pages where there is a browser."""

from __future__ import annotations

from pathlib import Path

import pytest

from bgconsole.domain.severity import Severity
from bgconsole.domain.verdict import Verdict
from bgconsole.ui.app import Console
from bgconsole.ui.attention import Attention, calls
from tests import worlds
from tests.consoles import console, filled, until

GOOD, BUSY, UNKNOWN, WAITING, BAD = Severity
FAILING = Verdict(BAD, "FAILING", "revision 3 \x1b]0;pwned\x07is not coming up")


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("bell", ["\a"]),
        ("notice", ["\x1b]9;web: FAILING. revision 3 is not coming up\a"]),
        ("both", ["\a", "\x1b]9;web: FAILING. revision 3 is not coming up\a"]),
        ("off", []),
    ],
)
def test_it_calls_as_it_was_told_to(how: str, told: list[str]) -> None:
    written: list[str] = []
    attention = Attention(how, written.append)
    attention.heed(None, FAILING, "web")
    assert written == [], "what was so from the beginning calls for nobody"
    attention.heed(BUSY, FAILING, "web")
    assert written == told


def test_what_is_worth_a_call() -> None:
    worth = {(b, a) for b in Severity for a in Severity if b is not a and calls(b, a)}
    assert {(GOOD, BAD), (BUSY, WAITING), (BAD, GOOD), (BUSY, GOOD), (UNKNOWN, BAD)} <= worth
    assert not worth & {(UNKNOWN, GOOD), (GOOD, BUSY), (BUSY, UNKNOWN), (BAD, BUSY)}


async def test_the_console_calls_when_a_deployment_begins_to_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []
    monkeypatch.setattr(Console, "write_raw", lambda _, codes: written.append(codes))
    world = worlds.deploying()
    app = console(world, tmp_path, attention="both")
    async with app.run_test(size=(120, 36)) as pilot:
        await filled(pilot)
        assert written == []
        world.become(worlds.crash_looping())
        await pilot.press("ctrl+r")
        await until(pilot, lambda: len(written) == 2, "bell and notice")
    assert written[0] == "\a"
    assert "FAILING" in written[1]


@pytest.mark.parametrize("local", [True, False])
async def test_o_opens_the_site_or_copies_its_address(tmp_path: Path, local: bool) -> None:
    opened: list[str] = []
    app = console(worlds.steady(), tmp_path, browse=opened.append if local else None)
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        screen = await filled(pilot)
        assert screen.snapshot is not None and screen.snapshot.targets.value is not None
        site = screen.snapshot.targets.value.url
        await pilot.press("5", "o")
        if local:
            await until(pilot, lambda: opened == [site])
        else:
            await until(pilot, lambda: app.clipboard == site)
            assert opened == []
