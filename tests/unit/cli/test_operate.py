"""Operations as sub-commands: the plan, the confirmation, the receipt, the exit code."""

from __future__ import annotations

import pytest

from bgconsole.domain.errors import (
    AccessDenied,
    ExpiredCredentials,
    NoCredentials,
    Throttled,
    Unreachable,
)
from bgconsole.gateway.scripted import Call, ScriptedWorld
from bgconsole.operations.catalog import OPERATIONS
from tests import worlds
from tests.unit.cli.conftest import Terminal
from tests.unit.operations.test_plans import moved_tag
from tests.values import MEOW, POSTS, REF


def test_every_operation_is_a_sub_command(terminal: Terminal) -> None:
    for name, operation in OPERATIONS.items():
        assert operation.id == name
        ended = terminal(operation.command, "--help")
        assert ended.code == 0
        flags = [
            p.default if p.many else p.name.upper() if p.argument else f"--{p.name}"
            for p in operation.params
        ]
        for flag in ("--dry-run", "--yes", "--confirm", *flags):
            assert flag in ended.out


@pytest.mark.parametrize(
    ("arguments", "value"), [(("scale",), "3"), (("stop-task",), ""), (("rollback",), "1")]
)
def test_the_command_that_a_refusal_names_is_one_that_works(
    terminal: Terminal, arguments: tuple[str, ...], value: str
) -> None:
    unfit = ("--to", "no-such") if arguments == ("rollback",) else ()
    refused = terminal(*arguments, *unfit)
    assert refused.code == 3
    (hint,) = (line for line in refused.err.splitlines() if line.startswith("  → bgconsole "))
    _, *words, placeholder = hint.split()[1:]
    assert placeholder.isupper() or placeholder == value, "a word to fill in, or the only choice"
    chosen = value or terminal.world.tasks[REF][0].id
    assert terminal(*words, chosen, "--dry-run").code == 0


def test_a_dry_run_prints_the_plan_and_changes_nothing(terminal: Terminal) -> None:
    ended = terminal("rollback", "--dry-run")
    assert ended.code == 0
    assert ended.out.splitlines()[0] == "Roll back democluster-service from revision 2 to 1"
    assert "account 123456789012 (demo) · us-east-1 · democluster-cluster" in ended.out
    assert "      aws ecs update-service --cluster democluster-cluster" in ended.out
    assert terminal.world.writes == []
    assert not terminal.paths.audit.exists()


def test_the_receipt_is_on_stdout_and_the_talk_on_stderr(terminal: Terminal) -> None:
    ended = terminal("rollback", "--confirm", "1")
    assert ended.code == 0
    assert len(ended.out.splitlines()) <= 8
    assert "now   revision 1 · 1f3c2aa · sha256:9d1d599a, as read back" in ended.out
    assert "from the command line" in ended.out
    assert "(request 11111111-0000-4000-8000-000000000001)" in ended.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("rollback",),
        ("rollback", "--yes"),
        ("rollback", "--confirm", "2"),
        ("rollback", "--confirm", ""),
        ("force-redeploy",),
        ("force-redeploy", "--confirm", "wrong"),
        ("--read-only", "rollback", "--confirm", "1"),
        ("rollback", "--confirm", "1", "--read-only"),
    ],
)
def test_not_confirmed_is_3(terminal: Terminal, arguments: tuple[str, ...]) -> None:
    ended = terminal(*arguments)
    assert ended.code == 3
    assert terminal.world.writes == []


def test_yes_confirms_what_is_disruptive(terminal: Terminal) -> None:
    assert terminal("force-redeploy", "--yes").code == 0


def test_yes_does_not_confirm_a_new_image(terminal: Terminal) -> None:
    moved_tag(terminal.world, MEOW)
    ended = terminal("force-redeploy", "--yes")
    assert ended.code == 3
    assert "then add --confirm 2" in ended.err
    assert terminal("force-redeploy", "--confirm", "2").code == 0


@pytest.mark.parametrize(
    ("arguments", "typed", "code"),
    [
        (("rollback",), "1\n", 0),
        (("rollback",), "2\n", 3),
        (("rollback",), "\n", 3),
        (("force-redeploy",), "y\n", 0),
        (("force-redeploy",), "\n", 3),
        (("force-redeploy",), "", 130),
    ],
)
def test_a_terminal_is_asked(
    terminal: Terminal, arguments: tuple[str, ...], typed: str, code: int
) -> None:
    terminal.typed = typed
    ended = terminal(*arguments)
    assert ended.code == code
    assert bool(terminal.world.writes) is (code == 0)


def test_a_refusal_with_one_choice_names_the_command_in_full(terminal: Terminal) -> None:
    ended = terminal("rollback", "--to", "99", "--dry-run")
    assert ended.code == 3
    assert "→ bgconsole rollback --to 1\n" in ended.err


def test_a_refusal_lists_what_can_be_named(terminal: Terminal) -> None:
    terminal.world = worlds.rolled_back()
    ended = terminal("rollback", "--confirm", "1")
    assert ended.code == 3
    assert "not guessed" in ended.err
    assert "same image as live" not in ended.err
    assert "bgconsole rollback --to 1" in ended.err
    assert terminal("rollback", "--to", "1", "--confirm", "1").code == 0


def test_a_failed_deployment_is_1(terminal: Terminal) -> None:
    terminal.at_wait = lambda world: worlds.settle(world, well=False)
    ended = terminal("force-redeploy", "--yes")
    assert ended.code == 1
    assert "rolled back" in ended.err


def test_a_changed_plan_is_3_without_a_terminal(terminal: Terminal) -> None:
    world = terminal.world
    # The tag moves after the plan was shown: at the fresh reads of the run.
    world.after("services.describe", lambda _: None, lambda changed: moved_tag(changed, POSTS))
    ended = terminal("rollback", "--confirm", "1")
    assert ended.code == 3
    assert "▲ by     a new revision pinned to sha256:9d1d599a" in ended.err
    assert world.writes == []


def test_a_changed_plan_is_asked_again_on_a_terminal(terminal: Terminal) -> None:
    world = terminal.world
    world.after("services.describe", lambda _: None, lambda changed: moved_tag(changed, POSTS))
    terminal.typed = "1\n1\n"
    ended = terminal("rollback")
    assert ended.code == 0, ended.err
    assert [call.name for call in world.writes] == ["changes.register_pinned", "changes.update"]


def test_giving_up_is_5(terminal: Terminal) -> None:
    terminal.at_wait = lambda _: None
    ended = terminal("rollback", "--confirm", "1", "--timeout", "30s")
    assert ended.code == 5
    assert terminal("rollback", "--timeout", "soon").code == 2


def test_an_interrupt_leaves_a_record_and_aws_goes_on(terminal: Terminal) -> None:
    def interrupt(_: ScriptedWorld) -> None:
        raise KeyboardInterrupt

    terminal.at_wait = interrupt
    ended = terminal("rollback", "--confirm", "1")
    assert ended.code == 130
    assert "left" in terminal("audit").out
    assert (
        "Interrupted after it was sent (request id 11111111-0000-4000-8000-000000000001): "
        "AWS goes on" in ended.err
    )
    assert "bgconsole watch --cluster democluster-cluster --service democluster-service" in (
        ended.err
    )


def test_an_interrupt_in_mid_call_says_that_nobody_knows(terminal: Terminal) -> None:
    def interrupt(changed: ScriptedWorld, call: Call) -> None:
        raise KeyboardInterrupt

    terminal.world.effects["changes.update"] = interrupt
    ended = terminal("rollback", "--confirm", "1")
    assert ended.code == 130
    assert "Interrupted while it was sent" in ended.err
    assert "bgconsole status" in ended.err


def test_an_interrupt_before_the_call_says_that_nothing_was_done(terminal: Terminal) -> None:
    def interrupt(changed: ScriptedWorld) -> None:
        raise KeyboardInterrupt

    terminal.world.after("services.describe", lambda _: None, interrupt)
    ended = terminal("rollback", "--confirm", "1")
    assert ended.code == 130
    assert "Interrupted: nothing was changed." in ended.err
    assert terminal.world.writes == []


@pytest.mark.parametrize(
    ("error", "code", "part"),
    [
        (
            Unreachable("AWS cannot be reached", "127.0.0.1:1: refused", "Is it up?"),
            1,
            "→ Is it up?",
        ),
        (Throttled("AWS says: slow down"), 1, "slow down"),
        (NoCredentials("No credentials", tried=("environment", "file")), 4, "tried: environment"),
        (ExpiredCredentials("The credentials have expired", hint="aws sso login"), 4, "sso login"),
        (AccessDenied("AWS denies", action="ecs:DescribeServices"), 4, "AWS denies"),
    ],
)
def test_what_aws_says_is_one_message_and_a_code(
    terminal: Terminal, error: Exception, code: int, part: str
) -> None:
    terminal.world.fail("*", error)  # type: ignore[arg-type]
    for arguments in (("status",), ("rollback", "--confirm", "1"), ("force-redeploy", "--yes")):
        ended = terminal("--cluster", "c", "--service", "s", *arguments)
        assert ended.code == code
        assert part in ended.err
        assert ended.err.count("bgconsole: ") == 1


def test_control_sequences_of_names_do_not_reach_the_terminal(terminal: Terminal) -> None:
    ended = terminal("--cluster", "\x1b[31mred", "--service", "x", "status")
    assert ended.code == 1
    assert "\x1b" not in ended.out + ended.err


@pytest.mark.parametrize(
    ("arguments", "typed", "looks"),
    [
        (("build", "--yes"), "", 1),
        (("build",), "y\n", 2),
        (("force-redeploy", "--yes"), "", 2),
    ],
)
def test_only_what_is_of_no_service_is_looked_up_once_where_nobody_was_asked(
    terminal: Terminal, arguments: tuple[str, ...], typed: str, looks: int
) -> None:
    terminal.typed = typed
    ended = terminal(*arguments)
    assert ended.code == 0, ended.err
    assert terminal.world.count("identities.whoami") == looks
