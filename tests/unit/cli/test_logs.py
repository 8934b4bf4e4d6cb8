"""`bgconsole logs` over a scripted world: what is printed, what is refused, how it ends."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import click
import pytest

from bgconsole.cli.durations import duration, moment
from bgconsole.cli.log_lines import Output, Text
from bgconsole.domain.errors import ExpiredCredentials, Throttled
from bgconsole.domain.logs import LogLine, to_milliseconds
from bgconsole.domain.services import LogTarget
from tests import two_groups, worlds
from tests.unit.cli.conftest import Terminal
from tests.values import LOG_GROUP
from tests.worlds import NOW


def test_a_group_is_printed_oldest_first_as_awslogs_does(terminal: Terminal) -> None:
    ended = terminal("logs", LOG_GROUP, "ALL", "-s", "1d")
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    kept = sorted(terminal.world.logs[LOG_GROUP], key=lambda line: line.order)
    assert lines == [f"{LOG_GROUP} {line.stream} {line.message}" for line in kept]


def test_without_a_group_it_is_the_services(terminal: Terminal) -> None:
    for arguments in (["logs"], ["logs", "ALL"]):
        ended = terminal(*arguments, "-s1d", "-GS")
        assert ended.code == 0
        assert len(ended.out.splitlines()) == 40


def test_lines_can_be_chosen(terminal: Terminal) -> None:
    everything = terminal.world.logs[LOG_GROUP]
    stream = everything[0].stream
    one = stream.rpartition("/")[2]
    of_one = sum(1 for line in everything if line.stream == stream)
    assert 0 < of_one < 40
    for flags in ([stream], ["ALL", "--task", one[:8]]):
        assert len(terminal("logs", LOG_GROUP, *flags, "-s1d").out.splitlines()) == of_one
    word = everything[0].message.split()[-1]
    found = terminal("logs", LOG_GROUP, "-s1d", "-GS", "--grep", re.escape(word)).out.splitlines()
    assert found
    assert all(word in line for line in found)
    terminal("logs", LOG_GROUP, "-s1d", "-f", '"GET"')
    assert terminal.world.calls[-1].arguments["pattern"] == '"GET"'


def test_a_side_is_of_the_deployment(terminal: Terminal) -> None:
    terminal.world = two_groups.canary()
    world = terminal.world
    tasks = next(iter(world.tasks.values()))
    world.logs[LOG_GROUP] = [
        LogLine(ms(NOW) - 60_000 + n, ms(NOW), f"{n:056d}", LOG_GROUP, f"ecs/web/{name}", name)
        for n, name in enumerate([*(task.id for task in tasks), "forgotten"])
    ]
    old = set(terminal("logs", "--side", "old", "-GS").out.split())
    new = terminal("logs", "--side", "new", "-GS")
    assert old
    assert set(new.out.split())
    assert not old & set(new.out.split())
    assert "1 lines left out" in new.err
    row = json.loads(terminal("logs", "--side", "new", "--json").out.splitlines()[0])
    assert row["side"] == "new"
    assert row["timestamp"].endswith("Z")
    assert row["task"] == row["message"]


def test_control_characters_reach_no_terminal(terminal: Terminal) -> None:
    line = terminal.world.logs[LOG_GROUP][0]
    evil = "\x1b]2;PWNED\x07 \x1bc \x9b2J \x00 a\rb \u202e end\nsecond"
    terminal.world.logs[LOG_GROUP] = [replace(line, message=evil, stream="ecs/\x1b[2Jx/y")]
    for flags in ([], ["--json"], ["--color", "always"]):
        out = terminal("logs", LOG_GROUP, "-s1d", *flags).out
        assert "end" in out
        ours = out.replace("\x1b[2m", "").replace("\x1b[0m", "").replace("\n", "")
        assert ours.isprintable(), ascii(ours)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--wach"], "No such option"),
        (["-s", "yesterday"], "no time"),
        (["-s", "2 months ago"], "no time"),
        (["-s", "10 dec 2025"], "no time"),
        (["-s", "7D"], "no time"),
        (["-s", "12:30"], "no time"),
        (["-s", "1772373600000"], "no time"),
        (["-s", "2026-03-01T14:00"], "names no zone"),
        (["-s", "2026-02-30T14:00Z"], "is no time"),
        (["-s", "2026-03-01"], "is no time"),
        (["-s", "999999d"], "before 1970"),
        (["-s", "1h", "-e", "2h"], "before the start"),
        (["--live"], "goes with -w"),
        (["-w", "-e", "1m"], "together"),
        (["--grep", "("], "no regular expression"),
        (["-i", "0", "-w"], "range"),
    ],
)
def test_what_is_not_understood_is_an_error(
    terminal: Terminal, arguments: list[str], says: str
) -> None:
    ended = terminal("logs", LOG_GROUP, "ALL", *arguments)
    assert ended.code == 2
    assert says in ended.err
    assert ended.out == ""


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("5m", 300), ("1h30m", 5400), ("1d", 86_400), ("1d 2h", 93_600), ("30 s", 30)],
)
def test_durations(text: str, seconds: int) -> None:
    assert duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "5", "m", "30m1h", "1.5h", "-5m", "5 minutes", "1h 1h"])
def test_no_durations(text: str) -> None:
    with pytest.raises(click.BadParameter):
        duration(text)


def test_moments() -> None:
    assert moment("1h30m", NOW) == NOW - timedelta(minutes=90)
    at = datetime(2026, 3, 1, 13, 0, tzinfo=UTC)
    for text in ("2026-03-01T13:00Z", "2026-03-01 14:00:00+01:00", "2026-03-01T13:00:00.000+0000"):
        assert moment(text, NOW) == at


def test_an_unknown_group_is_told(terminal: Terminal) -> None:
    for flags in ([], ["-w"]):
        ended = terminal("logs", "no-such-group", *flags)
        assert ended.code == 1
        assert "No such log group" in ended.err


def test_throttling_is_waited_out_and_said(terminal: Terminal) -> None:
    terminal.world.fail("logs.page", Throttled("AWS throttles"), times=3)
    ended = terminal("logs", LOG_GROUP, "-s1d")
    assert ended.code == 0
    assert len(ended.out.splitlines()) == 40
    assert ended.err.count("AWS throttles; again in") == 3


def test_ended_credentials_end_it(terminal: Terminal) -> None:
    terminal.world.fail("logs.page", ExpiredCredentials("expired"))
    assert terminal("logs", LOG_GROUP).code == 4


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--task", "no-such"), r"none of the \d+ lines since 2026-03-01 .* UTC matches"),
        (("-s", "9h", "-e", "8h"), "there is no line since 2026-03-01 05:00:00 UTC; -s says from"),
    ],
)
def test_where_nothing_is_printed_it_says_so_beside_the_output(
    terminal: Terminal, arguments: tuple[str, ...], says: str
) -> None:
    ended = terminal("logs", *arguments)
    assert (ended.code, ended.out) == (0, "")
    assert re.search(says, ended.err), ended.err


def test_a_service_that_is_not_there_is_told_as_by_any_command(terminal: Terminal) -> None:
    ended = terminal("logs", "--service", "nope")
    assert ended.code == 1
    assert ended.err.startswith("bgconsole: No such service\n"), ended.err


def test_other_drivers_are_told(terminal: Terminal) -> None:
    world = terminal.world
    for arn, definition in list(world.definitions.items()):
        containers = tuple(
            replace(c, log=LogTarget(c.name, "splunk")) for c in definition.containers
        )
        world.definitions[arn] = replace(definition, containers=containers)
    ended = terminal("logs")
    assert ended.code == 1
    assert "Splunk" in ended.err


def test_stamps_and_regions_are_told() -> None:
    line = LogLine(1_000, 2_500, "1", "group", "stream", "words", "eu-west-1")
    text = Text(timestamp=True, ingestion=True).of([line])
    assert text == (
        "group (eu-west-1) stream 1970-01-01T00:00:01.000Z 1970-01-01T00:00:02.500Z words\n"
    )


def test_following_prints_what_comes(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    polls = 0

    def at_wait(world: worlds.ScriptedWorld) -> None:
        nonlocal polls
        polls += 1
        if polls == 2:
            line = world.logs[LOG_GROUP][0]
            at = ms(world.now)
            made = replace(line, timestamp=at, ingestion=at, event_id="new", message="new line")
            world.logs[LOG_GROUP].append(made)

    terminal.at_wait = at_wait
    # The reader leaves when it has seen enough.
    monkeypatch.setattr(Output, "left", lambda output: "new line" in printed)
    printed: list[str] = []
    write = Output.write

    def written(output: Output, text: str) -> None:
        printed.extend(text.splitlines())
        write(output, text)

    monkeypatch.setattr(Output, "write", written)
    ended = terminal("logs", LOG_GROUP, "ALL", "-s1d", "-w", "-GS")
    assert ended.code == 141
    lines = ended.out.splitlines()
    assert len(lines) == 41
    assert lines[-1] == "new line"


def ms(at: datetime) -> int:
    """Epoch milliseconds."""
    return to_milliseconds(at)
