"""The dialog of a way through the owning stack: what it shows, and what it leaves behind."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from bgconsole.domain.services import Bounds
from bgconsole.gateway.scripted import ScriptedWorld
from bgconsole.operations.spec import Proposal
from bgconsole.ui.screens.service import ServiceScreen
from tests import fleet, worlds
from tests.consoles import asked, console, filled, text, until
from tests.ui.test_services_screen import first, listed
from tests.unit.operations.test_cancelled_update import updating
from tests.unit.operations.test_through_stack import CLUSTER, DEFINITION, SERVICE, owned
from tests.values import REF

STACK = MappingProxyType({"service.rollback": {"through": "stack"}})
SIZE = (120, 36)


def writes(world: ScriptedWorld) -> set[str]:
    return {call.name for call in world.writes}


async def test_the_draft_is_shown_and_taken_back_where_the_answer_is_no(tmp_path: Path) -> None:
    world = owned(DEFINITION, replace(SERVICE, tasks=2))
    world.autoscaling[REF] = Bounds(2, 20)
    app = console(world, tmp_path, defaults=STACK)
    async with app.run_test(size=SIZE) as pilot:
        await filled(pilot)
        await pilot.press("R")
        dialog = await asked(pilot)
        shown = text(dialog)
        assert "tasks  4 → 2  autoscaling holds 2 to 20, the template gives DesiredCount 2" in shown
        assert "± TaskDefinition REPLACE" in shown
        assert f"type {REF.name} to roll back" in shown
        assert len(world.change_sets) == 1
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, ServiceScreen))
        await until(pilot, lambda: not world.change_sets, "the draft is deleted")
        assert "stack_changes.execute" not in writes(world)


async def test_the_way_past_the_stack_is_a_key_away_and_leaves_no_draft(tmp_path: Path) -> None:
    world = owned()
    app = console(world, tmp_path, defaults=STACK)
    async with app.run_test(size=SIZE) as pilot:
        await filled(pilot)
        await pilot.press("R")
        dialog = await asked(pilot)
        assert "a change set of the stack democluster" in text(dialog)
        await pilot.press("ctrl+t")
        await until(pilot, lambda: app.screen is not dialog)
        past = await asked(pilot)
        assert "aws ecs update-service" in text(past)
        await until(pilot, lambda: not world.change_sets, "the draft is deleted")


async def test_a_stack_in_mid_update_can_be_cancelled_by_a_key_of_the_dialog(
    tmp_path: Path,
) -> None:
    app = console(updating(worlds.crash_looping()), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await filled(pilot)
        await pilot.press("R")
        dialog = await asked(pilot)
        shown = text(dialog)
        assert "ctrl+t: cancel the update of democluster" in shown
        assert "aws ecs stop-service-deployment" in shown
        await pilot.press("ctrl+t")
        await until(pilot, lambda: app.screen is not dialog)
        assert "aws cloudformation cancel-update-stack" in text(await asked(pilot))


async def test_a_stack_that_cannot_be_gone_through_offers_the_way_past(tmp_path: Path) -> None:
    world = updating(owned(), "UPDATE_ROLLBACK_FAILED")
    app = console(world, tmp_path, defaults=STACK)
    async with app.run_test(size=SIZE) as pilot:
        await filled(pilot)
        await pilot.press("R")
        await until(pilot, lambda: "past the stack" in text(app.screen), "the choice")
        await pilot.press("enter")
        assert "aws ecs update-service" in text(await asked(pilot))


async def test_marked_services_leave_no_draft_where_the_answer_is_no(tmp_path: Path) -> None:
    world = owned()
    other = fleet.adopt(world, worlds.steady(), "other", stack="otherstack")
    world.stacks["otherstack"] = replace(world.stacks[CLUSTER], name="otherstack", arn="arn:other")
    world.drafts["otherstack"] = (replace(SERVICE, physical_id=other.arn),)
    fleet.of_each(world)
    app = first(world, tmp_path, defaults=STACK)
    async with app.run_test(size=SIZE) as pilot:
        await listed(pilot, "other", REF.name)
        await pilot.press("space", "j", "space", "R")
        dialog = await asked(pilot)
        assert isinstance(dialog.proposal, Proposal)
        assert len(world.change_sets) == 2
        await pilot.press("escape")
        await until(pilot, lambda: not world.change_sets, "the drafts are deleted")
