"""Operations of several steps by keys: output and bytes on the screen, stopping, going back."""

from __future__ import annotations

from pathlib import Path

import pytest

from bgconsole.domain.errors import ExpiredCredentials
from bgconsole.gateway.port import Submitted
from bgconsole.gateway.scripted import Call, ScriptedWorld, scripted_gateway
from bgconsole.operations.outcome import Progress
from bgconsole.ui.messages import OperationMoved
from bgconsole.ui.run_state import MOST_OUTPUT, RunState
from bgconsole.ui.screens.chooser import ChooserScreen
from bgconsole.ui.screens.quit import StopScreen
from bgconsole.ui.screens.run import RunScreen
from bgconsole.ui.widgets.hanging_text import HangingText
from bgconsole.watch.telling import Amount
from tests import values, worlds
from tests.consoles import armed, asked, console, filled, text, until
from tests.unit.operations.conftest import Desk
from tests.unit.operations.test_deploy import NEW, pushed
from tests.values import CONTAINER, MEOW, REF

SIZE = (120, 36)


def ending(world: ScriptedWorld, code: int, *lines: str) -> ScriptedWorld:
    """The migration that is started ends at the second look at it."""
    world.after("services.task", worlds.run_prints(*lines), worlds.run_ends(code))
    return world


async def test_a_migration_is_seen_line_by_line_to_its_exit_code(tmp_path: Path) -> None:
    world = ending(worlds.steady(), 0, "== 1 AddSummary: migrated (0.1s) ==")
    app = console(world, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await filled(pilot)
        await pilot.press("M")
        dialog = await asked(pilot)
        assert "bundle exec rails db:migrate" in text(dialog)
        await pilot.press("y")
        await until(pilot, lambda: app.operating.state and app.operating.state.ended)
        await until(pilot, lambda: "exit code 0" in text(app.screen))
        assert "│ == 1 AddSummary: migrated (0.1s) ==" in text(app.screen)
        assert "Applied: AddSummary (1)" in text(app.screen)
        assert isinstance(app.screen, RunScreen)
        await pilot.resize_terminal(SIZE[0], 90)
        await until(pilot, lambda: app.screen.size.height == 90)
        lines = text(app.screen).splitlines()
        assert any("✓ 1 run" in line for line in lines[:6]), "what is short begins on top"


async def test_one_that_runs_already_is_offered_to_be_followed(tmp_path: Path) -> None:
    world = worlds.steady()
    task = scripted_gateway(world).changes.run_task(
        REF,
        task_definition=MEOW.definition_arn,
        container=CONTAINER,
        command=("rails", "db:migrate"),
        started_by="bgconsole-migrate/before",
        token="before",
    )
    app = console(world, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await filled(pilot)
        await pilot.press("M")
        await until(pilot, lambda: isinstance(app.screen, ChooserScreen), "the choice to follow it")
        assert "A migration runs already" in text(app.screen)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, RunScreen))
        await until(pilot, lambda: "is PROVISIONING" in text(app.screen))
        assert not app.operating.sending, "it only looks: a roll back may begin"
        worlds.run_ends(3, "PG::Oops")(world)
        await until(pilot, lambda: app.operating.state and app.operating.state.ended)
        await until(pilot, lambda: "exit code 3" in text(app.screen))
        assert [call.name for call in world.writes] == ["changes.run_task"], task


async def test_a_new_image_is_chosen_and_typed_and_then_deployed(tmp_path: Path) -> None:
    world = pushed()
    update = world.effects["changes.update"]

    def settling(changed: ScriptedWorld, call: Call) -> Submitted | None:
        answer = update(changed, call)
        changed.after("services.service_deployments", worlds.settle)
        return answer

    world.effects["changes.update"] = settling
    app = console(world, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await filled(pilot)
        await pilot.press("U")
        await until(pilot, lambda: isinstance(app.screen, ChooserScreen), "which image")
        assert "· live" in text(app.screen)
        await pilot.press("down", "enter")  # the newest stands behind the build
        dialog = await asked(pilot)
        assert dialog.word == NEW.tag
        await pilot.press(*NEW.tag, "enter")
        await until(pilot, lambda: app.operating.state and app.operating.state.ended)
        state = app.operating.state
        assert state is not None and state.outcome is not None and state.outcome.ok
        running = {c.digest for t in world.tasks[REF] for c in t.containers}
        assert running == {NEW.digest}


@pytest.mark.parametrize("sure", [True, False])
async def test_the_stop_key_begins_no_further_step_once_it_is_sure(
    tmp_path: Path, sure: bool
) -> None:
    world = pushed()
    app = console(world, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await filled(pilot)
        with world.held("changes.register_pinned") as register:
            await pilot.press("U")
            await until(pilot, lambda: isinstance(app.screen, ChooserScreen))
            await pilot.press("down", "enter")
            await asked(pilot)
            await pilot.press(*NEW.tag, "enter")
            await until(pilot, register.arrived.is_set)
            await until(pilot, lambda: isinstance(app.screen, RunScreen))
            await pilot.press("X")
            await armed(pilot, StopScreen)
            await pilot.press("y" if sure else "enter")
            await until(pilot, lambda: isinstance(app.screen, RunScreen))
            register.release.set()
            if sure:
                await until(pilot, lambda: app.operating.state and app.operating.state.ended)
                assert world.count("changes.update") == 0
                await until(pilot, lambda: "Stopped before step 2" in text(app.screen))
                assert "bgconsole deploy --from update --revision 3" in text(app.screen)
            else:
                await until(pilot, lambda: world.count("changes.update") == 1)


async def test_from_a_failed_run_its_key_offers_the_way_back(tmp_path: Path) -> None:
    world = pushed()
    app = console(world, tmp_path)
    update = world.effects["changes.update"]

    def failing(changed: ScriptedWorld, call: Call) -> Submitted | None:
        answer = update(changed, call)
        changed.fail("services.describe", ExpiredCredentials("Credentials expired"), times=1)
        return answer

    world.effects["changes.update"] = failing
    async with app.run_test(size=SIZE) as pilot:
        await filled(pilot)
        await pilot.press("U")
        await until(pilot, lambda: isinstance(app.screen, ChooserScreen))
        await pilot.press("down", "enter")
        await asked(pilot)
        await pilot.press(*NEW.tag, "enter")
        await until(pilot, lambda: app.operating.state and app.operating.state.ended)
        await until(pilot, lambda: "Submitted, not followed" in text(app.screen))
        assert isinstance(app.screen, RunScreen)
        await until(pilot, lambda: app.session.snapshot and app.session.snapshot.deploying)
        await pilot.press("R")
        dialog = await asked(pilot)
        assert dialog.proposal.operation.id == "service.rollback"


@pytest.mark.parametrize("height", [24, 36])
async def test_bytes_on_their_way_are_bars_on_top_and_the_newest_line_is_seen(
    tmp_path: Path, height: int
) -> None:
    world = pushed()
    app = console(world, tmp_path)
    async with app.run_test(size=(100, height)) as pilot:
        await filled(pilot)
        with world.held("changes.register_pinned") as register:
            await pilot.press("U")
            await until(pilot, lambda: isinstance(app.screen, ChooserScreen))
            await pilot.press("down", "enter")
            await asked(pilot)
            await pilot.press(*NEW.tag, "enter")
            await until(pilot, register.arrived.is_set)
            run = app.operating.state
            assert run is not None
            for n in range(200):
                app.post_message(OperationMoved(run.number, Progress("output", 1, f"line {n}")))
            amount = Amount("layer 3f2a", 12_000_000, 48_000_000)
            app.post_message(OperationMoved(run.number, Progress("note", 1, "", amount=amount)))
            await until(pilot, lambda: "█████░░░" in text(app.screen))
            shown = text(app.screen)
            assert "layer 3f2a  12 MB of 48 MB, 36 MB left" in shown
            await until(pilot, lambda: "line 199" in text(app.screen))
            await pilot.press("pageup", "pageup")
            await until(pilot, lambda: "line 199" not in text(app.screen))
            app.post_message(OperationMoved(run.number, Progress("output", 1, "one more")))
            story = app.screen.query_one("#run-story", HangingText)
            await until(pilot, lambda: "one more" in story.text)
            await pilot.pause()
            assert "one more" not in text(app.screen), "who reads is not moved"
            register.release.set()


def test_output_is_bounded_and_amounts_are_those_of_the_step_that_runs(tmp_path: Path) -> None:
    somebody = Desk(worlds.steady(), tmp_path)
    state = RunState(1, somebody.proposed("service.force-redeploy"), values.NOW)
    state = state.after(Progress("step started", 1, "build"), values.NOW)
    for n in range(MOST_OUTPUT + 50):
        state = state.after(Progress("output", 1, f"line {n}"), values.NOW)
    assert state.steps[0] == "runs", "the beginning is kept"
    assert state.told[-1].progress.text == f"line {MOST_OUTPUT + 49}"
    assert len(state.told) <= MOST_OUTPUT + 1
    for done in (1, 2):
        amount = Progress("note", 1, "", amount=Amount("layer", done, 2))
        state = state.after(amount, values.NOW)
    assert [amount.done for amount in state.amounts.values()] == [2]
    state = state.after(Progress("step started", 2, "push"), values.NOW)
    assert not state.amounts
