"""What only looks: status, audit, config, help, and how the program ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from bgconsole.cli import status_json
from bgconsole.domain.errors import AccessDenied, GatewayError
from bgconsole.gateway.port import Gateway
from bgconsole.gateway.scripted import ScriptedWorld
from tests import values, worlds
from tests.unit.cli.conftest import Terminal
from tests.values import REF, SERVICE

SCHEMA = json.loads(Path(status_json.__file__).with_name("status.schema.json").read_text("utf-8"))


def facts(terminal: Terminal, *arguments: str) -> dict[str, Any]:
    ended = terminal(*arguments, "status", "--json")
    assert ended.code == 0, ended.err
    found: dict[str, Any] = json.loads(ended.out)
    Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(found)
    return found


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", sorted(worlds.BUILDERS))
def test_every_world_fits_the_schema(terminal: Terminal, name: str) -> None:
    terminal.world = worlds.BUILDERS[name]()
    found = facts(terminal)
    assert found["service"]["name"] == SERVICE
    assert found["schema"] == status_json.SCHEMA


def test_the_facts(terminal: Terminal) -> None:
    terminal.world = worlds.crash_looping()
    found = facts(terminal)
    assert found["verdict"]["severity"] == "bad"
    assert found["verdict"]["way_back"]["to"] == "2"
    assert (found["old"]["revision"], found["new"]["revision"]) == ("2", "3")
    assert found["old"]["healthy"] == 4
    assert found["new"]["failed"] == 2
    assert found["deployments"][0]["status"] == "IN_PROGRESS"
    assert found["targets"][0]["production_share"] == 100
    assert found["place"]["account"] == "123456789012"


@pytest.mark.parametrize(
    "call",
    [
        "services.service_deployments",
        "services.tasks",
        "targets.balancing",
        "stacks.stacks",
        "identities.whoami",
        "images.images",
    ],
)
def test_a_part_that_fails_is_null_and_named(terminal: Terminal, call: str) -> None:
    terminal.world.fail(call, AccessDenied("AWS denies", action="x:Y"))
    found = facts(terminal)
    failed = [name for name, source in found["sources"].items() if source["error"]]
    assert len(failed) == 1
    assert "AWS denies" in terminal("status").out


@pytest.mark.parametrize("name", sorted(worlds.BUILDERS))
def test_the_text_says_the_verdict_first(terminal: Terminal, name: str) -> None:
    terminal.world = worlds.BUILDERS[name]()
    ended = terminal("status")
    verdict = facts(terminal)["verdict"]
    place, first = ended.out.splitlines()[:2]
    assert place.startswith("account 123456789012 (demo) · us-east-1 · democluster-cluster")
    assert verdict["word"] in first
    assert verdict["sentence"] in first
    assert "\x1b" not in ended.out


def test_names_from_outside_are_made_plain(terminal: Terminal) -> None:
    stack = terminal.world.stacks.pop("demodb")
    evil = type(stack)("\x1b]0;owned\x07[/foo]", stack.arn, "CREATE_COMPLETE", "\x00")
    terminal.world.stacks["evil"] = evil
    assert "[/foo]" in terminal("status").out
    assert "\x1b" not in terminal("status").out


def test_watch_prints_what_changed(terminal: Terminal) -> None:
    terminal.world = worlds.deploying()
    looks = 0

    def settle_then_stop(world: ScriptedWorld) -> None:
        nonlocal looks
        looks += 1
        if looks == 2:
            worlds.settle(world)
        if looks == 4:
            raise KeyboardInterrupt

    terminal.at_wait = settle_then_stop
    ended = terminal("status", "--watch", "--json")
    assert ended.code == 130
    words = [json.loads(line)["verdict"]["word"] for line in ended.out.splitlines()]
    assert words[0] == "DEPLOYING"
    assert words[-1] == "STEADY"
    assert len(words) < 4, "unchanged looks are not repeated"


def test_watch_outlasts_trouble(terminal: Terminal) -> None:
    looks = 0

    def trouble(world: ScriptedWorld) -> None:
        nonlocal looks
        looks += 1
        if looks == 1:
            world.fail("services.describe", GatewayError("AWS cannot be reached"), times=2)
        if looks == 4:
            raise KeyboardInterrupt

    terminal.at_wait = trouble
    ended = terminal("status", "--watch")
    assert ended.err.count("AWS cannot be reached") == 1
    assert ended.code == 130


def test_the_only_service_needs_no_name(terminal: Terminal) -> None:
    assert terminal("status").code == 0
    assert terminal("--service", str(REF), "status").code == 0
    terminal.world.clusters.add("another")
    ended = terminal("status")
    assert ended.code == 2
    assert "clusters: another, democluster-cluster" in ended.err
    assert terminal("status", "--cluster", REF.cluster).code == 0
    assert terminal("--cluster", "x", "status", "--cluster", REF.cluster).code == 0, "later beats"


def test_unknown_names_are_1(terminal: Terminal) -> None:
    for arguments in (("--cluster", "x"), ("--cluster", "x", "--service", "y"), ("--service", "y")):
        ended = terminal(*arguments, "status")
        assert ended.code == 1
        assert "No such" in ended.err
    assert ended.err.count("No such service") == 1
    assert "`bgconsole status --all`" in ended.err
    assert terminal("status", "--all").code == 0


def test_a_wrong_configuration_is_2(terminal: Terminal) -> None:
    terminal.paths.config.write_text("regoin: x\n")
    ended = terminal("status")
    assert ended.code == 2
    assert "config.yml:1:1: unknown setting 'regoin'" in ended.err
    assert "→ Did you mean 'region'?" in ended.err


def test_the_audit_log_is_shown(terminal: Terminal) -> None:
    assert "Nothing on record" in terminal("audit").err
    receipt = terminal("rollback", "--confirm", "1").out
    assert terminal("audit", "--last").out == receipt
    lines = terminal("audit").out.splitlines()
    assert [line.split()[2] for line in lines] == ["started", "submitted", "finished"]
    assert lines[0].startswith("2026-03-01T14:00:00Z  ")
    assert "  123456789012 us-east-1  " in lines[0]
    records = [json.loads(line) for line in terminal("audit", "--json").out.splitlines()]
    assert records[0]["operation"] == "service.rollback"
    assert terminal("audit", "--since", "1h").out
    terminal.world.now = terminal.world.now.replace(year=2027)
    assert not terminal("audit", "--since", "1h").out


def test_the_audit_log_names_the_stacks_that_were_drafted(terminal: Terminal) -> None:
    record = {
        "at": "2026-03-01T14:00:00+00:00",
        "run": "r",
        "event": "drafted",
        "operation": "stacks.up",
        "target": "/",
        "account": "123456789012",
        "region": "us-east-1",
        "stacks": ["demo", "net"],
    }
    terminal.paths.audit.parent.mkdir(parents=True, exist_ok=True)
    terminal.paths.audit.write_text(json.dumps(record) + "\n")
    (line,) = terminal("audit").out.splitlines()
    assert "drafted      stacks.up  demo, net  123456789012" in line
    assert line.endswith("change sets, to show what would be done")


def test_the_audit_log_tells_the_sandbox_from_aws(terminal: Terminal) -> None:
    terminal.world.place = replace(terminal.world.place, endpoint="127.0.0.1:4566")
    assert terminal("rollback", "--confirm", "1").code == 0
    for line in terminal("audit").out.splitlines():
        assert "  123456789012 us-east-1 SANDBOX 127.0.0.1:4566  " in line


def test_the_settings_in_force_are_shown(terminal: Terminal) -> None:
    terminal.paths.config.write_text("risk: {service.rollback: disruptive}\nregion: eu-west-1\n")
    ended = terminal("--region", "us-west-2", "config", "--explain")
    assert "region: us-west-2   (flag --region)" in ended.out
    assert f"files: {terminal.paths.config}, {terminal.paths.project} (none)" in ended.out
    assert "risk: service.rollback=disruptive" in ended.out
    assert "The AWS region." in ended.out


def test_without_a_command_the_console_opens(terminal: Terminal) -> None:
    assert terminal("--read-only", "--region", "eu-west-1").code == 0
    (settings,) = terminal.opened
    assert (settings.read_only, settings.region) == (True, "eu-west-1")


@pytest.mark.parametrize("arguments", [("nonsense",), ("status", "--nonsense"), ("--region",)])
def test_usage_is_2(terminal: Terminal, arguments: tuple[str, ...]) -> None:
    assert terminal(*arguments).code == 2


def test_help_and_version(terminal: Terminal) -> None:
    assert terminal("--version").out.startswith("bgconsole ")
    assert "Exit codes" in terminal("--help").out
    assert terminal("-h").code == 0


def test_the_list_of_commands_cuts_no_sentence(terminal: Terminal) -> None:
    listed = terminal("--help").out.partition("Commands:")[2]
    assert "..." not in listed
    assert "Show what was done from this machine: who, when, to what," in listed


def broken(kind: type[BaseException]) -> Callable[[object], Gateway]:
    def connect(_: object) -> Gateway:
        raise kind("password=canary")

    return connect


def test_a_bug_is_70_and_keeps_a_private_report(terminal: Terminal) -> None:
    terminal.connect = broken(ZeroDivisionError)
    ended = terminal("status")
    assert ended.code == 70
    (report,) = terminal.paths.crashes.iterdir()
    assert str(report) in ended.err
    assert report.stat().st_mode & 0o777 == 0o600
    assert "ZeroDivisionError" in report.read_text()
    assert "canary" not in report.read_text() + ended.err


def test_a_report_that_cannot_be_kept_is_said(terminal: Terminal) -> None:
    terminal.paths.state.write_text("a file where the folder should be")
    terminal.connect = broken(ZeroDivisionError)
    ended = terminal("status")
    assert ended.code == 70
    assert "could not be kept" in ended.err


def test_an_interrupt_is_130(terminal: Terminal) -> None:
    terminal.connect = broken(KeyboardInterrupt)
    assert terminal("status").code == 130


@pytest.mark.parametrize("arguments", [["config", "--explain"], ["--help"]])
def test_a_reader_that_went_away_is_no_message(arguments: list[str], nowhere: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ended = subprocess.run(
            [sys.executable, "-c", _PROGRAM, *arguments],
            stdout=writing,
            stderr=subprocess.PIPE,
            cwd=nowhere,
            env={"HOME": str(nowhere), "PATH": os.environ["PATH"]},
            check=False,
            timeout=60,
        )
    finally:
        os.close(writing)
    assert ended.returncode == 141
    assert ended.stderr == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this machine")
@pytest.mark.parametrize("arguments", [["config", "--explain"], ["--help"], ["--version"]])
def test_a_full_disk_is_no_bug(arguments: list[str], nowhere: Path) -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-c", _PROGRAM, *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            cwd=nowhere,
            env={"HOME": str(nowhere), "PATH": os.environ["PATH"]},
            check=False,
            timeout=60,
            text=True,
        )
    assert ended.returncode == 1
    assert ended.stderr.splitlines() == [
        "bgconsole: The output could not be written",
        "  No space left on device",
    ]
    assert not list(nowhere.rglob("crash-*"))


_PROGRAM = """
import sys
from bgconsole.cli.build import build_cli
from bgconsole.cli.context import Context
from bgconsole.cli.failure import run
from bgconsole.config.paths import paths

group = build_cli(Context(connect=lambda settings: None), lambda settings: 0)
sys.exit(run(group, sys.argv[1:], paths))
"""


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_leaves_in_the_middle_is_told_by_the_code(
    unbuffered: str, nowhere: Path
) -> None:
    program = (
        "import click\n"
        "from bgconsole.main import paths\n"
        "from bgconsole.cli.failure import run\n"
        "long = click.Command('long', callback=lambda: click.echo('line\\n' * 100_000))\n"
        "raise SystemExit(run(click.Group('all', commands={'long': long}), ['long'], paths))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=nowhere,
        env={
            "HOME": str(nowhere),
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(Path(__file__).parents[3]),
            "PYTHONUNBUFFERED": unbuffered,
        },
    ) as ended:
        assert ended.stdout and ended.stderr
        assert ended.stdout.read(5) == b"line\n"
        ended.stdout.close()
        assert ended.stderr.read() == b""
        assert ended.wait(60) == 141


def test_outputs_are_told_as_json_too(terminal: Terminal) -> None:
    made = values.stack("demodb", "CREATE_COMPLETE", timedelta(hours=1), Host="db", DbPassword="p")
    other = values.stack("demonet", "CREATE_COMPLETE", timedelta(hours=2))
    terminal.world.stacks = {each.name: each for each in (made, other)}
    shown = {"DbPassword": "•••", "Host": "db"}
    told = [
        ((), {"demodb": shown, "demonet": {}}),
        (("demodb",), shown),
        (("demodb", "DbPassword"), "p"),
    ]
    for arguments, expected in told:
        ended = terminal("outputs", "--json", *arguments)
        assert (ended.code, ended.err) == (0, "")
        assert json.loads(ended.out) == expected
    assert terminal("outputs", "--json", "demodb", "Nothing").code == 1
