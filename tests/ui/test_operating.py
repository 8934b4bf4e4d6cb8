"""Write keys: what they ask, what they let through, and what is seen of the run."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Button, Input

from bgconsole.domain.errors import AccessDenied, Rejected, Unreachable
from bgconsole.gateway.scripted import Call, ScriptedWorld, scripted_gateway
from bgconsole.operations.spec import Risk
from bgconsole.ui.app import Console
from bgconsole.ui.input_guard import Timing
from bgconsole.ui.screens.chooser import ChooserScreen
from bgconsole.ui.screens.confirm import ConfirmScreen
from bgconsole.ui.screens.quit import QuitScreen
from bgconsole.ui.screens.run import RunScreen
from bgconsole.ui.screens.service import ServiceScreen
from tests import two_groups, worlds
from tests.consoles import armed, asked, console, filled, text, until
from tests.unit.operations.test_plans import moved_tag
from tests.values import MEOW, REF

SIZE = (120, 36)


def _settling(world: ScriptedWorld) -> ScriptedWorld:
    """A deployment that is started ends well on the next look at the history."""
    update = world.effects["changes.update"]

    def effect(world: ScriptedWorld, call: Call) -> Any:
        answer = update(world, call)
        world.after("services.service_deployments", worlds.settle)
        return answer

    world.effects["changes.update"] = effect
    return world


async def test_force_redeploy_asks_and_enter_says_no(tmp_path: Path) -> None:
    world = worlds.steady()
    app = console(world, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await filled(pilot)
        await pilot.press("F")
        dialog = await asked(pilot)
        assert dialog.focused is dialog.query_one("#no", Button)
        shown = text(dialog)
        for told in ("account 123456789012 (demo)", "us-east-1", REF.cluster, REF.name):
            assert told in shown
        assert "aws ecs update-service" in shown
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ServiceScreen))
        assert world.writes == [] and app.operating.state is None


@pytest.mark.parametrize("no", ["escape", "n"])
async def test_other_ways_to_say_no(tmp_path: Path, no: str) -> None:
    world = worlds.steady()
    app = console(world, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await filled(pilot)
        await pilot.press("F")
        await asked(pilot)
        await pilot.press(no)
        await until(pilot, lambda: isinstance(app.screen, ServiceScreen))
        assert world.writes == []


@pytest.mark.parametrize("keys", [("y",), ("tab", "enter"), ("right", "enter")])
async def test_force_redeploy_runs_to_its_end(tmp_path: Path, keys: Sequence[str]) -> None:
    world = _settling(worlds.steady())
    app = console(world, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await filled(pilot)
        await pilot.press("F")
        await asked(pilot)
        await pilot.press(*keys)
        await until(pilot, lambda: app.operating.state and app.operating.state.ended)
        assert [call.name for call in world.writes] == ["changes.update"]
        state = app.operating.state
        assert state is not None and state.outcome is not None and state.outcome.ok
        assert set(state.steps) == {"done"}
        await until(pilot, lambda: state.outcome and state.outcome.title in text(app.screen))
        shown = text(app.screen)
        assert "request id 11111111-0000-4000-8000-000000000001" in shown
        for line in state.outcome.receipt:
            assert line[:40] in shown
        await pilot.press("c")
        assert app.clipboard == "\n".join(state.outcome.receipt)
        await pilot.press("escape")
        screen = await filled(pilot)
        assert screen.run_state is None


async def test_roll_back_wants_the_revision_typed(tmp_path: Path) -> None:
    world = _settling(worlds.steady())
    app = console(world, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await filled(pilot)
        await pilot.press("R")
        dialog = await asked(pilot)
        assert dialog.word == "1"
        await pilot.press("y", "enter")
        assert app.screen is dialog and dialog.query_one(Input).has_class("-wrong")
        await until(pilot, lambda: "type 1, not y" in text(dialog))
        await pilot.press("backspace", "enter", "2", "enter")
        await until(pilot, lambda: "type 1, not 2" in text(dialog))
        await pilot.press("backspace")
        await until(pilot, lambda: "type 1 to" in text(dialog) and "not 2" not in text(dialog))
        assert app.screen is dialog and world.writes == []
        await pilot.press("1", "enter")
        await until(pilot, lambda: app.operating.state and app.operating.state.ended)
        [call] = world.writes
        assert str(call.arguments["task_definition"]).endswith(":1")
        state = app.operating.state
        assert state is not None and state.outcome is not None and state.outcome.ok


async def test_the_target_is_frozen_when_the_dialog_opens(tmp_path: Path) -> None:
    world = worlds.steady()
    app = console(world, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await filled(pilot)
        await pilot.press("R")
        dialog = await asked(pilot)
        before = dialog.proposal
        world.become(worlds.crash_looping())
        app.session.refresh()
        await until(pilot, lambda: app.session.snapshot and app.session.snapshot.deploying)
        assert dialog.proposal is before and "type 1" in text(dialog)


async def test_a_human_may_be_quicker_than_the_evidence(tmp_path: Path) -> None:
    world = _settling(worlds.steady())
    app = console(world, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await filled(pilot)
        with world.held("images.find") as held:
            await pilot.press("R")
            dialog = await asked(pilot, gathered=False)
            await until(pilot, held.arrived.is_set)
            assert not dialog.proposal.gathered
            assert "checking" in text(dialog)
            await pilot.press("1", "enter")
            await until(pilot, lambda: isinstance(app.screen, RunScreen))
        await until(pilot, lambda: app.operating.state and app.operating.state.ended)
        assert len(world.writes) == 1


async def test_what_could_not_be_looked_up_is_said_and_does_not_block(tmp_path: Path) -> None:
    world = worlds.steady()
    denied = AccessDenied("Access denied", "[/arn] not allowed", action="ecr:DescribeImages")
    world.fail("images.find", denied)
    world.fail("images.images", denied)
    app = console(world, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await filled(pilot)
        await pilot.press("R")
        dialog = await asked(pilot)
        [check, *_] = [c for c in dialog.proposal.plan.checks if c.state == "not checked"]
        await until(pilot, lambda: "not checked" in text(dialog))
        assert "ecr:DescribeImages" in check.words
        assert not dialog.query_one(Input).disabled


async def test_what_evidence_forbids_can_only_be_left(tmp_path: Path) -> None:
    world = worlds.steady()
    app = console(world, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await filled(pilot)
        for name, images in list(world.images.items()):
            world.images[name] = tuple(i for i in images if "1f3c2aa" not in i.tags)
        await pilot.press("R")
        await until(
            pilot,
            lambda: isinstance(app.screen, ConfirmScreen) and "not possible" in text(app.screen),
        )
        dialog = app.screen
        assert dialog.query_one(Input).disabled
        await until(pilot, lambda: isinstance(dialog, ConfirmScreen) and dialog.armed)
        await pilot.press("1", "enter")
        await until(pilot, lambda: isinstance(app.screen, ServiceScreen))
        assert world.writes == []


async def test_a_changed_world_is_shown_and_asked_again(tmp_path: Path) -> None:
    world = worlds.steady()
    app = console(world, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await filled(pilot)
        await pilot.press("F")
        first = await asked(pilot)
        older = next(arn for arn in world.definitions if arn.endswith(":1"))
        scripted_gateway(world).changes.update(REF, task_definition=older)
        worlds.settle(world)
        world.calls.clear()
        await pilot.press("y")
        await until(
            pilot,
            lambda: isinstance(app.screen, ConfirmScreen) and app.screen is not first,
            "the second question",
        )
        second = await asked(pilot)
        assert world.writes == [] and app.operating.state is None
        shown = text(second)
        assert "the world has changed" in shown
        assert [line for line in shown.splitlines() if "▲" in line][1:], "a marked line"
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ServiceScreen))
        assert world.writes == []


async def test_a_refused_write_ends_in_red_with_its_request_id(tmp_path: Path) -> None:
    world = worlds.steady()
    world.fail(
        "changes.update",
        Rejected("AWS refuses [/x]", "because", "do this", code="No", request_id="abc-123"),
    )
    app = console(world, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await filled(pilot)
        await pilot.press("F")
        await asked(pilot)
        await pilot.press("y")
        await until(pilot, lambda: app.operating.state and app.operating.state.ended)
        state = app.operating.state
        assert state is not None and state.outcome is not None and not state.outcome.ok
        await until(pilot, lambda: "✖" in text(app.screen))
        assert "AWS refuses [/x]" in text(app.screen)
        assert "abc-123" in text(app.screen)


async def test_leaving_the_run_does_not_stop_it_and_quitting_asks(tmp_path: Path) -> None:
    world = worlds.steady()
    app = console(world, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await filled(pilot)
        await pilot.press("F")
        await asked(pilot)
        await pilot.press("y")
        await until(pilot, lambda: isinstance(app.screen, RunScreen) and world.writes)
        await pilot.press("escape")
        screen = await filled(pilot)
        assert app.operating.running and screen.run_state is not None
        await until(pilot, lambda: "step 2 of 2" in text(screen))
        await pilot.press("F")
        await until(pilot, lambda: isinstance(app.screen, RunScreen), "the run again")
        assert len(world.writes) == 1
        await pilot.press("q")
        await until(pilot, lambda: isinstance(app.screen, ServiceScreen))
        await pilot.press("q")
        await armed(pilot, QuitScreen)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ServiceScreen))
        assert app.is_running and app.operating.running
        worlds.settle(world)
        await until(pilot, lambda: not app.operating.running)
        await until(pilot, lambda: "✓" in text(screen) and "took" in text(screen))
        await pilot.press("ctrl+q")
    assert app.return_value == "quit"


async def redeploying(pilot: Pilot[Any]) -> None:
    """Force a redeploy from the service's screen, until it is followed."""
    await filled(pilot)
    await pilot.press("F")
    await asked(pilot)
    await pilot.press("y")
    await until(pilot, lambda: "step 2 of 2" in text(pilot.app.screen))


@pytest.mark.parametrize("on_the_run", [False, True])
async def test_a_roll_back_need_not_wait_for_the_deployment_that_is_followed(
    tmp_path: Path, on_the_run: bool
) -> None:
    world = worlds.steady()
    app = console(world, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await redeploying(pilot)
        first = app.operating.state
        if not on_the_run:
            await pilot.press("escape")
            await filled(pilot)
        await until(pilot, lambda: app.session.snapshot and app.session.snapshot.deploying)
        await pilot.press("R")
        dialog = await asked(pilot)
        assert dialog.proposal.operation.id == "service.rollback"
        assert "not followed here any more" in text(dialog)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is not dialog)
        assert app.operating.running and app.operating.state.number == first.number  # type: ignore[union-attr]
        await pilot.press("R")
        dialog = await asked(pilot)
        await pilot.press(*dialog.word, "enter")
        await until(pilot, lambda: len(world.writes) == 2, "the roll back")
        state = app.operating.state
        assert state is not None and state.proposal.operation.id == "service.rollback"
        await until(pilot, lambda: state.proposal.plan.summary in text(app.screen))
        story = (tmp_path / "audit.jsonl").read_text().splitlines()
        assert any('"left"' in line and "force-redeploy" in line for line in story)


async def test_a_dialog_beside_a_run_says_so_once_that_run_has_ended(tmp_path: Path) -> None:
    world = worlds.steady()
    app = console(world, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await redeploying(pilot)
        state = app.operating.state
        assert state is not None
        await until(pilot, lambda: app.session.snapshot and app.session.snapshot.deploying)
        await pilot.press("R")
        dialog = await asked(pilot)
        assert "not followed here any more" in text(dialog)
        worlds.settle(world)
        ended = f"✓ has ended: Done · {state.proposal.plan.summary}"
        await until(pilot, lambda: ended in text(dialog), "how the run ended")
        assert "not followed here any more" not in text(dialog)
        assert app.screen is dialog


async def test_the_other_way_is_a_key_of_the_dialog(tmp_path: Path) -> None:
    world = _settling(worlds.steady())
    moved_tag(world, MEOW)
    app = console(world, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await filled(pilot)
        await pilot.press("F")
        first = await asked(pilot)
        assert "ctrl+t: restart what runs now" in text(first)
        await pilot.press("ctrl+t")
        await until(pilot, lambda: app.screen is not first)
        dialog = await asked(pilot)
        assert dialog.proposal.plan.summary.startswith("Restart what runs now")
        assert world.writes == []
        await pilot.press("ctrl+t", "y")
        await until(pilot, lambda: app.operating.state and app.operating.state.outcome)
        assert [call.name for call in world.writes] == ["changes.register_pinned", "changes.update"]


async def test_what_is_deployed_over_a_roll_back_is_told(tmp_path: Path) -> None:
    world = _settling(worlds.steady())
    app = console(world, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await filled(pilot)
        await pilot.press("R")
        await asked(pilot)
        await pilot.press("1", "enter")
        await until(pilot, lambda: app.operating.state and app.operating.state.outcome)
        assert (
            app.operating.state and app.operating.state.outcome and app.operating.state.outcome.ok
        )
        await until(pilot, lambda: "watched until" in text(app.screen))
        await pilot.press("escape")
        screen = await filled(pilot)
        with world.lock:
            world.now += timedelta(minutes=4)
            scripted_gateway(world).changes.update(REF, task_definition=MEOW.definition_arn)
        app.action_refresh()
        await until(pilot, lambda: app.operating.state and app.operating.state.superseded)
        assert app.operating.state.superseded.endswith("at 14:04: deploying 2 again")
        assert screen.run_state is app.operating.state
        await until(pilot, lambda: "SUPERSEDED by user/ops" in text(app.screen))


async def test_until_all_is_sent_nothing_else_begins(tmp_path: Path) -> None:
    world = worlds.steady()
    app = console(world, tmp_path)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await filled(pilot)
        await pilot.press("F")
        await asked(pilot)
        with world.held("changes.update") as held:
            await pilot.press("y")
            await until(pilot, held.arrived.is_set)
            await pilot.press("R")
            await until(pilot, lambda: len(app._notifications) > 0)
            assert isinstance(app.screen, RunScreen)
            assert next(iter(app._notifications)).message.startswith("Wait until this")
        await until(pilot, lambda: len(world.writes) == 1)


async def test_leaving_in_the_middle_tells_how_to_look_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = worlds.steady()
    app = console(world, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await redeploying(pilot)
        await pilot.press("escape")
        screen = await filled(pilot)
        await until(pilot, lambda: "e: open" in text(screen))
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, RunScreen))
        await pilot.press("ctrl+q", "q")
        await armed(pilot, QuitScreen)
        assert "y: quit" in text(app.screen) and "AWS goes on" in text(app.screen)
        await pilot.press("y")
    told = " ".join(capsys.readouterr().err.split())
    assert "left; request id 11111111-0000-4000-8000-000000000001" in told
    assert "`bgconsole status" in told


async def test_where_aws_is_silent_the_dialog_says_how_old_its_facts_are(tmp_path: Path) -> None:
    world = worlds.steady()
    app = console(world, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await filled(pilot)
        world.fail("services.describe", Unreachable("No answer"))
        app.session.refresh()
        await until(pilot, lambda: app.session.snapshot and app.session.snapshot.service.failure)
        world.now += timedelta(seconds=31)
        await pilot.press("R")
        dialog = await asked(pilot, gathered=False)
        await until(pilot, lambda: "as of 31 s ago, no answer since 1" in text(dialog))


async def test_an_operation_that_may_not_run_says_why(tmp_path: Path) -> None:
    world = worlds.deploying()
    app = console(world, tmp_path)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await filled(pilot)
        await pilot.press("F")
        await until(pilot, lambda: len(app._notifications) > 0)
        assert isinstance(app.screen, ServiceScreen) and world.writes == []


async def test_where_nothing_is_guessed_there_is_a_list(tmp_path: Path) -> None:
    """What is live came from a roll back: the candidates are listed, none is taken."""
    world = worlds.steady()
    newest, *older = world.history[REF]
    back = replace(
        newest,
        arn=newest.arn + "x",
        status="ROLLBACK_SUCCESSFUL",
        rollback_revision=newest.target.arn,
        target=older[0].target,
        sources=(newest.target,),
    )
    world.history[REF] = (back, newest, *older)
    app = console(world, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await filled(pilot)
        await pilot.press("R")
        await until(pilot, lambda: isinstance(app.screen, ChooserScreen))
        await until(pilot, lambda: "revision 1" in text(app.screen))
        assert "same image as live" not in text(app.screen), "it would be refused"
        await pilot.press("enter")
        dialog = await asked(pilot)
        assert dialog.word == "1" and world.writes == []


def _type_blind(app: Console, keys: Sequence[str]) -> None:
    """Keys as the driver's thread reads them, while the screen's loop is held."""
    typed = threading.Event()

    def fingers() -> None:
        for key in keys:
            character = {"enter": "\r", "tab": "\t"}.get(key, key)
            assert app._driver is not None
            app._driver.process_message(events.Key(key, character))
        typed.set()

    threading.Thread(target=fingers, daemon=True).start()
    typed.wait()


@pytest.mark.parametrize(
    "keys", [("F", "y"), ("F", "tab", "enter"), ("R", "1", "enter")], ids=" ".join
)
@pytest.mark.parametrize("burst", [0.0, 0.015])
async def test_what_is_typed_ahead_of_a_dialog_is_dropped(
    tmp_path: Path, keys: Sequence[str], burst: float
) -> None:
    world = worlds.steady()
    app = console(world, tmp_path, timing=Timing(burst_gap=burst))
    async with app.run_test(size=SIZE) as pilot:
        await filled(pilot)
        app.call_later(_type_blind, app, keys)
        dialog = await asked(pilot)
        if dialog.word:
            assert dialog.query_one(Input).value == ""
        await pilot.pause()
        assert app.screen is dialog and world.writes == [] and app.operating.state is None
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, ServiceScreen))


async def test_keys_count_once_the_dialog_has_settled(tmp_path: Path) -> None:
    world = worlds.steady()
    app = console(world, tmp_path, timing=Timing(burst_gap=0, settle=600))
    async with app.run_test(size=SIZE) as pilot:
        await filled(pilot)
        await pilot.press("F")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        dialog = app.screen
        assert isinstance(dialog, ConfirmScreen)
        await until(pilot, lambda: dialog._painted_at is not None)
        await pilot.press("y")
        await pilot.click("#yes")
        assert app.screen is dialog and not dialog.armed
        assert dialog._painted_at is not None
        dialog._painted_at -= 700
        await pilot.press("y")
        await until(pilot, lambda: len(world.writes) == 1)


async def test_a_plan_that_changes_under_the_eyes_must_be_read_again(tmp_path: Path) -> None:
    world = worlds.steady()
    app = console(world, tmp_path, timing=Timing(burst_gap=0))
    async with app.run_test(size=SIZE) as pilot:
        await filled(pilot)
        await pilot.press("F")
        dialog = await asked(pilot)
        plan = dialog.proposal.plan
        first, *others = plan.facts
        other = replace(plan, facts=(replace(first, value="something else"), *others))
        dialog.show(replace(dialog.proposal, plan=other))
        assert not dialog.armed
        await pilot.press("y")
        assert app.screen is dialog and world.writes == []
        await asked(pilot)
        assert "something else" in text(dialog) and "▲" in text(dialog)


async def test_a_raised_risk_is_asked_as_such(tmp_path: Path) -> None:
    app = console(worlds.steady(), tmp_path, risks={"service.force-redeploy": Risk.DANGEROUS})
    async with app.run_test(size=SIZE) as pilot:
        await filled(pilot)
        await pilot.press("F")
        dialog = await asked(pilot)
        assert dialog.word == (dialog.proposal.plan.confirm or REF.name)
        assert isinstance(dialog.focused, Input)


@pytest.mark.parametrize("name", ["steady", "deploying"])
async def test_at_80_by_24_what_matters_of_the_dialog_is_in_view(tmp_path: Path, name: str) -> None:
    app = console(worlds.BUILDERS[name](), tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await filled(pilot)
        await pilot.press("R")
        dialog = await asked(pilot)
        for selector in (".target", "#way", "#word", "#no"):
            widget = dialog.query_one(selector)
            assert dialog.can_view_entire(widget), selector
            assert widget.region.bottom <= 23 and widget.region.height > 0
        before = dialog.query_one("#rest").scroll_y
        await pilot.press("pagedown")
        rest = dialog.query_one("#rest")
        assert rest.scroll_y > before or rest.max_scroll_y == 0


async def test_in_read_only_the_keys_that_write_are_not_bound(tmp_path: Path) -> None:
    world = worlds.steady()
    app = console(world, tmp_path, read_only=True)
    async with app.run_test(size=SIZE) as pilot:
        screen = await filled(pilot)
        bound = {key for _, bindings in screen._binding_chain for key, _ in bindings}
        assert not bound & {"F", "R"} and {"d", "v", "p"} <= bound
        await pilot.press("F", "R", "1", "enter")
        assert world.writes == [] and not isinstance(app.screen, ConfirmScreen)
        told = [f"{note.title}: {note.message}" for note in app._notifications]
        why = app.wiring.why_read_only(REF)
        assert told[:2] == [f"Force redeploy: {why}", f"Roll back: {why}"]
        shown = text(screen)
        assert "redeploy" not in shown.splitlines()[-1]
        assert "R back" not in shown and "the way is back to 1" in shown


async def test_what_waits_for_somebody_names_the_key_that_lets_it_go_on(tmp_path: Path) -> None:
    app = console(two_groups.paused(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        screen = await filled(pilot)
        await until(pilot, lambda: "WAITING FOR YOU" in text(screen))
        assert "A go on · R back to " in text(screen)


async def test_the_lower_case_twins_of_writes_do_nothing(tmp_path: Path) -> None:
    world = worlds.steady()
    app = console(world, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        screen = await filled(pilot)
        bound = {key for _, bindings in screen._binding_chain for key, _ in bindings}
        assert {"F", "R"} <= bound and not bound & set("bmufrax")
