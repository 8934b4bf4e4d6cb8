"""`bgconsole demo` where nobody could look at it."""

from __future__ import annotations

from click.testing import CliRunner

from bgconsole.sandbox.command import demo


def test_without_a_terminal_no_account_is_started() -> None:
    ended = CliRunner().invoke(demo, [])
    assert ended.exit_code == 2
    assert ended.output == "bgconsole: the demo needs a terminal\n"
