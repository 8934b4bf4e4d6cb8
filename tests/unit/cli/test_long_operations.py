"""Migrate and deploy as sub-commands: output, exit codes, interrupts, and the command to go on."""

from __future__ import annotations

import re

from bgconsole.domain.errors import AccessDenied
from bgconsole.gateway.scripted import ScriptedWorld
from tests import worlds
from tests.unit.cli.conftest import Terminal
from tests.unit.operations.test_deploy import NEW, pushed, through
from tests.values import MEOW, REF


def test_a_migration_prints_its_output_and_ends_with_0_or_1(terminal: Terminal) -> None:
    terminal.at_wait = worlds.run_ends(0, "== 1 AddSummary: migrated (0.1s) ==")
    done = terminal("migrate", "--yes")
    assert done.code == 0, done.err
    assert "│ == 1 AddSummary: migrated" in done.err
    assert "exit code 0" in done.out
    terminal.at_wait = worlds.run_ends(3, "PG::Oops")
    failed = terminal("migrate", "--yes")
    assert failed.code == 1
    assert "The migration ended with exit code 3" in failed.err


def test_an_interrupt_while_it_is_followed_names_the_command_that_goes_on(
    terminal: Terminal,
) -> None:
    def interrupt(world: ScriptedWorld) -> None:
        worlds.run_prints("waiting")(world)
        raise KeyboardInterrupt

    terminal.at_wait = interrupt
    ended = terminal("migrate", "--yes")
    assert ended.code == 130
    task = terminal.world.runs[0].id
    assert f"→ bgconsole migrate --follow {task}" in ended.err
    refused = terminal("migrate", "--yes")
    assert refused.code == 3, "one runs already"
    assert "A migration runs already" in refused.err
    again = terminal("migrate", "--follow", task[:8])
    assert again.code == 130
    assert f"→ bgconsole migrate --follow {task} follows it" in again.err
    terminal.at_wait = worlds.run_ends(0)
    assert terminal("migrate", "--follow", task[:8]).code == 0
    assert terminal.world.count("changes.run_task") == 1


def test_an_interrupt_of_a_deploy_that_migrates_leaves_the_service(terminal: Terminal) -> None:
    def interrupt(_: ScriptedWorld) -> None:
        raise KeyboardInterrupt

    terminal.world, terminal.at_wait = pushed(), interrupt
    ended = terminal("deploy", "--image", NEW.tag, "--migrate", "--confirm", NEW.tag)
    assert ended.code == 130
    assert "What serves was not changed" in ended.err
    assert "→ bgconsole deploy --from migrate --revision 3" in ended.err
    assert terminal.world.services[REF].task_definition == MEOW.definition_arn


def test_a_deploy_that_broke_off_goes_on_with_the_command_that_it_names(
    terminal: Terminal,
) -> None:
    terminal.world = pushed()
    terminal.at_wait = through(worlds.run_ends(0))
    terminal.world.fail("changes.update", AccessDenied("Access denied", action="ecs:X"), times=1)
    broken = terminal("deploy", "--image", NEW.tag, "--migrate", "--confirm", NEW.tag)
    assert broken.code == 4
    found = re.search(r"→ bgconsole (deploy --from update .*)", broken.err)
    assert found, broken.err
    command = found[1].split()
    dry = terminal(*command, "--dry-run")
    assert (dry.code, dry.err) == (0, "")
    done = terminal(*command, "--confirm", "3")
    assert done.code == 0, done.err
    assert terminal.world.count("changes.run_task") == 1, "it was migrated before"


def test_without_a_word_on_no_terminal_nothing_is_deployed(terminal: Terminal) -> None:
    terminal.world = pushed()
    refused = terminal("deploy", "--image", NEW.tag)
    assert refused.code == 3
    assert f"--confirm {NEW.tag}" in refused.err
    assert terminal("deploy", "--image", NEW.tag, "--yes").code == 3, "yes is not enough"
    assert terminal("--read-only", "migrate", "--yes").code == 3
    assert terminal.world.writes == []
