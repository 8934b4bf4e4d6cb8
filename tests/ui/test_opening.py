"""Before there is a picture: what went wrong is said once and clearly, and heals by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bgconsole.domain.errors import (
    AccessDenied,
    BgconsoleError,
    ConfigurationError,
    ExpiredCredentials,
    NoCredentials,
    NoRegion,
    Throttled,
    Unreachable,
)
from bgconsole.domain.services import ServiceRef
from bgconsole.gateway.port import Gateway
from bgconsole.gateway.scripted import ScriptedWorld, scripted_gateway
from bgconsole.ui.screens.chooser import ChooserScreen
from bgconsole.ui.screens.opening import OpeningScreen
from tests import worlds
from tests.consoles import console, filled, text, until
from tests.values import REF

NOBODY = NoCredentials(
    "No credentials",
    "Nothing on this machine says who you are.",
    "aws configure, or aws sso login",
    tried=("environment variables", "~/.aws/credentials", "the instance's role [/x]"),
)


def failing(world: ScriptedWorld, *errors: BgconsoleError) -> Callable[[], Gateway]:
    """Connects after having failed with these; the last one for ever where it is alone."""
    left = list(errors)

    def connect() -> Gateway:
        if left:
            raise left.pop(0)
        return scripted_gateway(world)

    return connect


def refusing(error: BgconsoleError) -> Callable[[], Gateway]:
    """Never connects."""

    def connect() -> Gateway:
        raise error

    return connect


async def test_no_credentials_says_what_was_tried_and_offers_the_demo(tmp_path: Path) -> None:
    app = console(worlds.steady(), tmp_path, connect=refusing(NOBODY), retry_delays=(60.0,))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "No credentials" in text(app.screen))
        shown = text(app.screen)
        for told in (*NOBODY.tried, "aws sso login", "demo", "trying again"):
            assert told in shown
        await pilot.press("d")
        await until(pilot, lambda: not app.is_running)
    assert app.return_value == "demo"


async def test_a_machine_without_any_aws_configuration_is_offered_the_demo(tmp_path: Path) -> None:
    app = console(worlds.steady(), tmp_path, connect=refusing(NoRegion("No AWS region", "none")))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "trying again" in text(app.screen))
        assert "d starts the demo" in text(app.screen) and "q leaves" in text(app.screen)
        await pilot.press("d")
    assert app.return_value == "demo"


async def test_credentials_that_appear_are_noticed(tmp_path: Path) -> None:
    world = worlds.steady()
    app = console(world, tmp_path, connect=failing(world, NOBODY, NOBODY))
    async with app.run_test() as pilot:
        await filled(pilot)


TROUBLE = [
    ConfigurationError("Unknown profile", "prdo is in no file", "did you mean prod?"),
    Unreachable("No answer", "127.0.0.1:4566: connection refused", "is it running?"),
    ExpiredCredentials("Credentials expired", "profile prod", "aws sso login --profile prod"),
    AccessDenied(
        "Access denied", "ecs:DescribeServices", "ask", action="ecs:DescribeServices",
        request_id="req-7",
    ),
    Throttled("Throttled", "DescribeServices", "wait"),
    Unreachable("[/foo] [@click=app.quit]x[/]", "\x1b[31mred\x00\x07", "漢字 ̈combined"),
]  # fmt: skip


@pytest.mark.parametrize("error", TROUBLE, ids=lambda error: error.title)
@pytest.mark.parametrize("where", ["connect", "first call"])
async def test_each_trouble_has_one_clear_message(
    tmp_path: Path, error: BgconsoleError, where: str
) -> None:
    world = worlds.steady()
    changes = {"connect": refusing(error)} if where == "connect" else {}
    if where != "connect":
        world.fail("services.describe", lambda: error)  # type: ignore[arg-type, return-value]
    app = console(world, tmp_path, retry_delays=(60.0,), **changes)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "trying again" in text(app.screen))
        shown = text(app.screen)
        assert "✖" in shown and "\x1b" not in shown and "\x00" not in shown
        for told in (error.title, error.hint.split()[0]):
            assert told in shown
        if isinstance(error, AccessDenied):
            assert "req-7" in shown
        assert "starts the demo" not in shown
        await pilot.press("d")
        assert app.is_running
        await pilot.press("q")
    assert app.return_value == "quit"


async def test_trouble_heals_in_place(tmp_path: Path) -> None:
    world = worlds.steady()
    world.fail("services.describe", TROUBLE[1], times=2)  # type: ignore[arg-type]
    app = console(world, tmp_path)
    async with app.run_test() as pilot:
        await filled(pilot)


async def test_a_key_tries_again_at_once(tmp_path: Path) -> None:
    world = worlds.steady()
    app = console(world, tmp_path, connect=failing(world, TROUBLE[1]), retry_delays=(600.0,))
    async with app.run_test() as pilot:
        await until(pilot, lambda: "trying again" in text(app.screen))
        await pilot.press("ctrl+r")
        await filled(pilot)


@pytest.mark.parametrize(
    ("cluster", "service", "told"),
    [("nowhere", REF.name, "No such cluster"), (REF.cluster, "nothing", "No such service")],
)
async def test_what_does_not_exist_is_named_and_a_list_is_one_key_away(
    tmp_path: Path, cluster: str, service: str, told: str
) -> None:
    world = worlds.steady()
    app = console(world, tmp_path, cluster=cluster, service=service, retry_delays=(600.0,))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: told in text(app.screen))
        await pilot.press("ctrl+o")
        await until(pilot, lambda: isinstance(app.screen, ChooserScreen))
        await until(pilot, lambda: REF.name in text(app.screen))
        await pilot.press("enter")
        await filled(pilot)


async def test_keys_answer_while_the_first_call_hangs(tmp_path: Path) -> None:
    world = worlds.steady()
    app = console(world, tmp_path)
    with world.held("services.describe") as held:
        async with app.run_test() as pilot:
            await until(pilot, held.arrived.is_set)
            assert isinstance(app.screen, OpeningScreen)
            await until(pilot, lambda: "connecting" in text(app.screen))
            await pilot.press("q")
    assert app.return_value == "quit"


async def test_expired_credentials_keep_the_picture_and_heal_in_place(tmp_path: Path) -> None:
    world, fresh = worlds.steady(), worlds.steady()
    first = [scripted_gateway(world)]
    app = console(
        world, tmp_path, connect=lambda: first.pop() if first else scripted_gateway(fresh)
    )
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await filled(pilot)
        epoch, before = app.session.epoch, screen.snapshot
        assert before is not None
        world.fail("*", ExpiredCredentials("Credentials expired", "prod", "aws sso login"))
        fresh.identity = replace(fresh.identity, alias="renewed")
        app.session.refresh()
        await until(pilot, lambda: app.session.epoch > epoch, "a new session")
        await until(
            pilot,
            lambda: (
                screen.snapshot
                and screen.snapshot.identity.value
                and screen.snapshot.identity.value.alias == "renewed"
            ),
        )
        assert app.screen is screen
        assert screen.snapshot is not None and screen.snapshot.service.value is not None
        assert screen.snapshot.generation > before.generation
        assert not app._connecting.busy


async def test_the_only_service_is_opened_without_a_question(tmp_path: Path) -> None:
    remembered: list[ServiceRef] = []
    app = console(
        worlds.steady(),
        tmp_path,
        cluster="",
        service="",
        remember=lambda _, ref: remembered.append(ref),
    )
    async with app.run_test() as pilot:
        await filled(pilot)
        await until(pilot, lambda: remembered == [REF])
