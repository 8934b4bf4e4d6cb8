"""What opens from the stacks: the page of one, nested ones, and the ways back by name."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from textual.notifications import Notification
from textual.pilot import Pilot
from textual.widgets import Input

from bgconsole.domain.change_set import Change
from bgconsole.domain.errors import AccessDenied
from bgconsole.domain.pipelines import PIPELINE, PipelineRun
from bgconsole.domain.stacks import StackEvent, StackResource
from bgconsole.gateway.scripted import ScriptedWorld
from bgconsole.ui.app import Console
from bgconsole.ui.panes.stacks import StacksPane, nested
from bgconsole.ui.screens.chooser import ChooserScreen
from bgconsole.ui.screens.confirm import ConfirmScreen
from bgconsole.ui.screens.stack import StackScreen
from tests import worlds
from tests.consoles import asked, console, filled, text, until

WIDE = (140, 50)


def failing() -> ScriptedWorld:
    """The cluster's stack is being updated, and one of its resources failed."""
    world = worlds.steady()
    stack = world.stacks["democluster"]
    world.stacks["democluster"] = replace(
        stack,
        status="UPDATE_IN_PROGRESS",
        parameters=(("MasterPassword", "geheim"), ("DesiredCount", "4")),
    )
    at = (stack.changed_at or world.now) + timedelta(seconds=9)
    world.stack_resources["democluster"] = (
        StackResource("LogGroup", "AWS::Logs::LogGroup", "CREATE_COMPLETE", "democluster"),
        StackResource("Service", "AWS::ECS::Service", "UPDATE_FAILED", "s", reason="no capacity"),
    )
    failed = StackEvent(
        "1", at, "Service", "AWS::ECS::Service", "UPDATE_FAILED", "democluster", "no capacity"
    )
    world.stack_events["democluster"] = (failed,)
    return world


async def opened(pilot: Pilot[Any], name: str) -> str:
    screen = await filled(pilot)
    await pilot.press("3")
    table = screen.query_one(StacksPane).table
    await until(pilot, lambda: table.has_focus, "the stacks have the focus")
    for _ in range(10):
        if (table.selection or "").split("/")[-2:-1] != [name]:
            await pilot.press("j")
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(pilot.app.screen, StackScreen), "the page of the stack")
    return text(pilot.app.screen)


async def test_a_stack_opens_with_its_way_back_resources_and_events(tmp_path: Path) -> None:
    app = console(failing(), tmp_path)
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, "democluster")
        await until(pilot, lambda: "events of its last change" in text(app.screen))
        page = text(app.screen)
        for words in (
            "bgconsole cancel-update democluster",
            "why its last change failed",
            "Service (AWS::ECS::Service): no capacity",
            "DesiredCount",
            "resources (2)",
        ):
            assert words in page, page
        assert "geheim" not in page


async def test_values_stand_in_one_column_however_long_a_parameters_name(tmp_path: Path) -> None:
    world = worlds.steady()
    names = ("DatabaseClientSecurityGroup", "Cpu")
    world.stacks["democluster"] = replace(
        world.stacks["democluster"], parameters=tuple((name, f"of-{name}") for name in names)
    )
    app = console(world, tmp_path)
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, "democluster")
        await until(pilot, lambda: "of-Cpu" in text(app.screen))
        told = text(app.screen).splitlines()
        found = {
            line.index(f"of-{name}") for name in names for line in told if f"of-{name}" in line
        }
        assert len(found) == 1


async def test_what_may_not_be_read_is_said_on_the_page(tmp_path: Path) -> None:
    world = failing()
    denied = AccessDenied("AccessDenied", "needs cloudformation:ListStackResources")
    world.fail("stacks.resources", denied)
    app = console(world, tmp_path)
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, "democluster")
        await until(pilot, lambda: "needs cloudformation:ListStackResources" in text(app.screen))
        assert "UPDATE_IN_PROGRESS" in text(app.screen)


async def test_an_update_under_way_is_cancelled_by_name(tmp_path: Path) -> None:
    world = failing()
    app = console(world, tmp_path)
    async with app.run_test(size=WIDE) as pilot:
        await filled(pilot)
        titles = {command.title: command for command in app.commands()}
        assert not any("Continue" in title for title in titles)
        titles["Cancel a stack's update: democluster"].run()
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen), "the dialog")
        await until(pilot, lambda: "cancel-update-stack" in text(app.screen), "the plan")
        assert world.writes == []
        assert "democluster · UPDATE_IN_PROGRESS" in text(app.screen)


async def test_what_is_skipped_is_chosen_in_a_list(tmp_path: Path) -> None:
    world = failing()
    stuck = replace(world.stacks["democluster"], status="UPDATE_ROLLBACK_FAILED")
    world.stacks["democluster"] = stuck
    app = console(world, tmp_path)
    async with app.run_test(size=WIDE) as pilot:
        await filled(pilot)
        titles = {command.title: command for command in app.commands()}
        titles["Continue a stack's roll back: democluster"].run()
        await asked(pilot)
        await until(pilot, lambda: "ctrl+t: choose what is left" in text(app.screen))
        await pilot.press("ctrl+t")
        await until(pilot, lambda: isinstance(app.screen, ChooserScreen), "the list")
        await until(pilot, lambda: "on the revision that it runs now" in text(app.screen))
        await pilot.press("enter")
        await until(pilot, lambda: "--resources-to-skip Service" in text(app.screen), "the plan")
        assert world.writes == []


async def update_asked(pilot: Pilot[Any], app: Console) -> ConfirmScreen:
    """The dialog of `Update: demorepo`, with the changes that were drafted to show it."""
    await opened(pilot, "demorepo")
    [update] = [c for c in app.commands() if c.title == "Update: demorepo"]
    update.run()
    return await asked(pilot)


def with_change() -> ScriptedWorld:
    world = worlds.steady()
    world.drafts["demorepo"] = (Change("change", "Repository", "AWS::ECR::Repository"),)
    return world


async def test_a_stack_is_updated_by_name_with_its_changes_shown_first(tmp_path: Path) -> None:
    world = with_change()
    app = console(world, tmp_path)
    async with app.run_test(size=WIDE) as pilot:
        dialog = await update_asked(pilot, app)
        await until(pilot, lambda: "Repository" in text(dialog), text(dialog))
        assert not any(call.name == "stack_changes.execute" for call in world.writes)


async def test_a_draft_that_replaces_something_asks_for_the_name(tmp_path: Path) -> None:
    """The dialog opened with yes and no; what was drafted asks harder, and nothing else counts."""
    world = worlds.steady()
    world.drafts["demorepo"] = (Change("replace", "Repository", "AWS::ECR::Repository"),)
    app = console(world, tmp_path)
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, "demorepo")
        [update] = [c for c in app.commands() if c.title == "Update: demorepo"]
        with world.held("stack_changes.draft") as held:
            update.run()
            dialog = await asked(pilot, gathered=False)
            assert dialog.word == ""
            held.release.set()
            await until(pilot, lambda: isinstance(dialog.focused, Input), "the field")
        assert not list(dialog.query("#yes"))
        await until(pilot, lambda: dialog.armed, "read")
        await pilot.press("y", "enter")
        assert app.screen is dialog
        assert "± Repository" in text(dialog)
        dialog.query_one(Input).value = "demorepo"
        await pilot.press("enter")
        await until(pilot, lambda: world.count("stack_changes.execute") == 1, "carried out")


async def test_a_draft_is_taken_back_where_the_answer_is_no(tmp_path: Path) -> None:
    world = with_change()
    app = console(world, tmp_path)
    async with app.run_test(size=WIDE) as pilot:
        await update_asked(pilot, app)
        assert world.change_sets
        await pilot.press("escape")
        await until(pilot, lambda: not world.change_sets, "the draft is deleted")


async def test_a_draft_that_came_after_the_dialog_was_left_is_taken_back(tmp_path: Path) -> None:
    world = with_change()
    app = console(world, tmp_path)
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, "demorepo")
        [update] = [c for c in app.commands() if c.title == "Update: demorepo"]
        with world.held("stack_changes.draft") as held:
            update.run()
            await until(pilot, held.arrived.is_set, "the draft is being made")
            await pilot.press("escape")
            await until(pilot, lambda: not isinstance(app.screen, ConfirmScreen), "left")
        await until(pilot, lambda: world.count("stack_changes.discard"), "taken back")
        await until(pilot, lambda: not world.change_sets, "the draft is deleted")


def waits(app: Console) -> bool:
    """Whether it says that it deletes a draft before it ends."""
    return any("Deleting a draft" in note.message for note in app._notifications)


async def test_leaving_the_console_waits_until_the_draft_of_a_question_is_deleted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = with_change()
    app = console(world, tmp_path)
    async with app.run_test(size=WIDE) as pilot:
        await update_asked(pilot, app)
        with world.held("stack_changes.discard") as held:
            await pilot.press("escape")
            await until(pilot, held.arrived.is_set, "the draft is being deleted")
            await pilot.press("q", "q")
            await until(pilot, lambda: waits(app), "it waits")
            assert app.return_value is None and world.change_sets
        await until(pilot, lambda: app.return_value == "quit", "left")
    assert not world.change_sets and capsys.readouterr().err == ""


async def test_a_draft_that_is_being_made_is_waited_for_and_deleted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = with_change()
    app = console(world, tmp_path)
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, "demorepo")
        [update] = [c for c in app.commands() if c.title == "Update: demorepo"]
        with world.held("stack_changes.draft") as held:
            update.run()
            await until(pilot, held.arrived.is_set, "the draft is being made")
            await pilot.press("escape", "q", "q")
            await until(pilot, lambda: waits(app), "it waits")
            assert app.return_value is None
        await until(pilot, lambda: app.return_value == "quit", "left")
    assert not world.change_sets and capsys.readouterr().err == ""


async def test_a_draft_that_cannot_be_deleted_is_told_where_the_console_is_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = with_change()
    app = console(world, tmp_path)
    async with app.run_test(size=WIDE) as pilot:
        await update_asked(pilot, app)
        world.fail(
            "stack_changes.discard", AccessDenied("No", action="cloudformation:DeleteChange")
        )
        await pilot.press("escape", "q", "q")
        await until(pilot, lambda: app.return_value == "quit", "left")
    told = " ".join(capsys.readouterr().err.split())
    assert "Not known to be deleted: the draft change set bgconsole-" in told
    assert "of the stack demorepo. (No" in told


async def test_who_leaves_twice_does_not_wait(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = with_change()
    app = console(world, tmp_path)
    async with app.run_test(size=WIDE) as pilot:
        await update_asked(pilot, app)
        with world.held("stack_changes.discard") as held:
            await pilot.press("escape", "q", "q")
            await until(pilot, held.arrived.is_set, "the draft is being deleted")
            await pilot.press("q")
            await until(pilot, lambda: app.return_value == "quit", "left at once")
    assert "draft change set bgconsole-" in capsys.readouterr().err


async def test_a_closed_terminal_deletes_the_draft_of_the_question_that_was_open(
    tmp_path: Path,
) -> None:
    world = with_change()
    app = console(world, tmp_path)
    async with app.run_test(size=WIDE) as pilot:
        dialog = await update_asked(pilot, app)
        died: list[bool] = []
        with world.held("stack_changes.discard"):
            app.end_by(lambda: died.append(bool(world.change_sets)))
            await until(pilot, lambda: "the console is being left" in text(dialog), "no answer")
            assert died == []
        await until(pilot, lambda: died, "it dies")
        assert died == [False] and world.count("stack_changes.execute") == 0


def test_nested_stacks_stand_below_theirs() -> None:
    stacks = list(worlds.steady().stacks.values())
    inner = replace(stacks[0], arn="inner", name="inner", parent=stacks[1].arn)
    deeper = replace(stacks[0], arn="deeper", name="deeper", parent="inner")
    told = [(stack.name, depth) for stack, depth in nested([deeper, inner, *stacks[1:]])]
    at = told.index((stacks[1].name, 0))
    assert told[at + 1 : at + 3] == [("inner", 1), ("deeper", 2)]
    assert len(told) == len(stacks) + 1


async def test_a_pipeline_among_the_resources_tells_its_last_execution(tmp_path: Path) -> None:
    world = failing()
    world.stack_resources["democluster"] += (
        StackResource("Pipeline", PIPELINE, "CREATE_COMPLETE", "web"),
    )
    world.pipelines["web"] = PipelineRun("web", status="Failed", stage="Build", commit="1f3c2aa")
    app = console(world, tmp_path)
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, "democluster")
        await until(pilot, lambda: "Failed in Build · 1f3c2aa" in text(app.screen))


async def test_a_pipeline_that_may_not_be_read_hides_nothing_else(tmp_path: Path) -> None:
    world = failing()
    world.stack_resources["democluster"] += (
        StackResource("Pipeline", PIPELINE, "CREATE_COMPLETE", "web"),
    )
    world.fail("pipelines.last", AccessDenied("AccessDenied", "needs codepipeline:List"))
    app = console(world, tmp_path)
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, "democluster")
        await until(pilot, lambda: "needs codepipeline:List" in text(app.screen))
        assert "resources (3)" in text(app.screen)


async def test_drift_is_checked_on_demand_and_told(tmp_path: Path) -> None:
    world = failing()
    service = world.stack_resources["democluster"][1]
    world.stack_resources["democluster"] = (
        replace(world.stack_resources["democluster"][0], drift="NOT_CHECKED"),
        replace(service, drift="MODIFIED"),
    )
    app = console(world, tmp_path)
    async with app.run_test(size=WIDE) as pilot:
        await filled(pilot)
        assert world.count("stack_changes.check_drift") == 0, "never by itself"
        assert not any(c.title.startswith("Check drift") for c in app.commands())
        await opened(pilot, "democluster")
        [check] = [c for c in app.commands() if c.title == "Check drift: democluster"]
        check.run()
        await until(
            pilot,
            lambda: any("Service (AWS::ECS::Service) modified" in n.message for n in notes(app)),
        )
        told = next(n.message for n in notes(app) if "modified" in n.message)
        assert "1 of 2 resources cannot be checked." in told
        assert world.count("stack_changes.check_drift") == 1


async def test_a_drift_check_that_is_refused_says_so(tmp_path: Path) -> None:
    world = failing()
    world.fail("stack_changes.check_drift", AccessDenied("No", "needs DetectStackDrift"))
    app = console(world, tmp_path)
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, "democluster")
        next(c for c in app.commands() if c.title.startswith("Check drift")).run()
        await until(pilot, lambda: any("needs DetectStackDrift" in n.message for n in notes(app)))


def notes(app: Console) -> list[Notification]:
    return list(app._notifications)
