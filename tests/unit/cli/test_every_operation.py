"""Every operation of the catalogue through all that can go wrong, as its sub-command tells it.

The real gateway speaks AWS's protocols to a scripted world (`tests/wire.py`); time is virtual. What
each operation sends is a row of `operation_rows.py`; an operation without one fails here.
"""

from __future__ import annotations

import fcntl
import threading
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from bgconsole.cli.plan_lines import plan_lines
from bgconsole.domain.errors import AccessDenied, ExpiredCredentials, Rejected
from bgconsole.gateway.aws.clients import WRITE_ATTEMPTS
from bgconsole.operations.audit import AuditLog
from bgconsole.operations.catalog import OPERATIONS
from bgconsole.operations.spec import Proposal
from bgconsole.ui.plan_text import rest, way
from tests import wire
from tests.loopback import AwsError
from tests.unit.cli.conftest import Ended, Terminal
from tests.unit.cli.operation_rows import ROWS, SERVING, Row
from tests.wire import After, Fate, Wire

OUTAGE = timedelta(seconds=60)
UNREAD = ("RegisterTaskDefinition", "BatchDeleteImage")
"""Writes that another one may follow with no look between."""
RENEWAL = "aws sso login --profile demo"
HARD = "The moon is in the wrong place."


@dataclass
class Stage:
    """A row that is played."""

    row: Row
    terminal: Terminal
    wire: Wire = field(init=False)

    def __post_init__(self) -> None:
        self.again()

    def again(self) -> None:
        """Begin anew, in a fresh world."""
        world = self.row.scene()
        self.wire = Wire(world)
        self.terminal.world = world
        self.terminal.at_wait = self.row.settles
        self.terminal.connect = lambda _: wire.gateway(self.wire)

    def run(self, *more: str) -> Ended:
        """Type it."""
        return self.terminal(*self.row.arguments(self.terminal.folder), *more)

    def confirmed(self) -> Ended:
        """Type it with what confirms it."""
        return self.run(*self.row.confirmed)

    def spoilt(self, number: int, fate: Fate, times: int = 1) -> Ended:
        """Run it with one of its writes spoilt, so many times."""
        left = [times]

        def spoil(_: Wire, operation: str, __: str) -> Fate | None:
            due = len(self.took) == number and operation == self.row.sends[number]
            if not due or not left[0]:
                return None
            left[0] -= 1
            return fate

        self.wire.spoil = spoil
        ended = self.confirmed()
        assert not left[0], "it was never sent"
        return ended

    @property
    def tried(self) -> list[str]:
        """The writes that were sent, without those that take a draft back."""
        return [name for name in self.wire.tried if not self._tidies(name)]

    @property
    def took(self) -> list[str]:
        """Those that took effect."""
        return [name for name in self.wire.took if not self._tidies(name)]

    def _tidies(self, name: str) -> bool:
        return name == "DeleteChangeSet" or (bool(self.row.drafts) and name == "DeleteStack")

    @property
    def events(self) -> list[str]:
        """What the audit log tells, oldest first."""
        log = AuditLog(self.terminal.paths.audit)
        return [str(record["event"]) for record in log.records() if record["event"] != "drafted"]

    def tidy(self) -> None:
        """Nothing is left behind: no lock, no draft, no stack that is only a draft."""
        self.unlocked()
        assert self.terminal.world.change_sets == {}
        states = {stack.status for stack in self.terminal.world.stacks.values()}
        assert "REVIEW_IN_PROGRESS" not in states

    def unlocked(self) -> None:
        """Another console may begin."""
        for file in self.terminal.paths.locks.glob("*"):
            with file.open() as opened:
                fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def goes_on(self) -> None:
        """Typed again on a whole line it uses the draft that is left, and ends well."""
        self.wire.spoil = lambda *_: None
        ended = self.confirmed()
        assert ended.code == 0, ended.err
        assert self.took.count("ExecuteChangeSet") == self.row.sends.count("ExecuteChangeSet")
        self.tidy()


@pytest.fixture
def terminal(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """One whose waits, botocore's too, are virtual."""
    monkeypatch.setattr("botocore.endpoint.time", wire.SLEEPS)
    monkeypatch.setattr("tests.loopback.PAGE", 100)  # short ones are for the contract of the ports
    return terminal


every = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
FIRST = [next(row for row in ROWS if row.operation == each) for each in OPERATIONS]
"""One way of each operation."""
UNDER_WAY = [row for row in ROWS if row.name in ("rollback-under-way", "stop-a-deployment")]
each_write = pytest.mark.parametrize(
    ("row", "number"),
    [
        pytest.param(row, number, id=f"{row.name}-{number + 1}-{name}")
        for row in ROWS
        for number, name in enumerate(row.sends)
    ],
)


over_the_wire = pytest.mark.parametrize(
    ("row", "number"),
    [
        pytest.param(row, number, id=f"{row.name}-{number + 1}-{name}")
        for row in ROWS
        for number, name in enumerate(row.sends)
        if not name.startswith("docker.")
    ],
)


def action(name: str) -> str:
    """The IAM action of a call."""
    if name.startswith("docker."):
        return "ecr:PutImage"
    return f"{_SERVICES.get(name, 'ecs')}:{name}"


_SERVICES = {
    name: service
    for service, names in {
        "ecr": "BatchDeleteImage DescribeImages DescribeRepositories ListImages "
        "GetAuthorizationToken",
        "cloudformation": "CreateChangeSet ExecuteChangeSet DeleteChangeSet DeleteStack "
        "CancelUpdateStack ContinueUpdateRollback DescribeStacks DescribeStackEvents "
        "DescribeChangeSet ListChangeSets ListStackResources",
        "elasticloadbalancing": "DescribeTargetGroups DescribeLoadBalancers DescribeListeners "
        "DescribeRules DescribeTargetHealth",
        "logs": "FilterLogEvents",
        "sts": "GetCallerIdentity",
        "iam": "ListAccountAliases",
        "application-autoscaling": "DescribeScalableTargets",
        "secretsmanager": "DescribeSecret",
    }.items()
    for name in names.split()
}
"""Calls that are not of ECS."""


def refusal(name: str) -> Fate:
    """AWS, or the engine, understands it and refuses."""
    if name.startswith("docker."):
        return Rejected("The engine refuses", HARD)
    return AwsError("InvalidParameterException", HARD)


def denial(name: str) -> Fate:
    """A permission is missing."""
    needed = action(name)
    if name.startswith("docker."):
        return AccessDenied("AccessDenied", f"needs {needed}", action=needed)
    return AwsError("AccessDeniedException", f"User: ops is not authorized to perform: {needed}")


def expiry(name: str) -> Fate:
    """The credentials have come to their end."""
    if name.startswith("docker."):
        return ExpiredCredentials("Credentials expired", "", f"Run `{RENEWAL}`")
    return AwsError("ExpiredTokenException", "The security token is expired")


def test_every_operation_has_a_row() -> None:
    assert {row.operation for row in ROWS} == set(OPERATIONS)
    assert max(Counter(row.name for row in ROWS).values()) == 1
    for row in ROWS:
        assert row.typed[0] == OPERATIONS[row.operation].command


@every
def test_it_succeeds(row: Row, terminal: Terminal) -> None:
    stage = Stage(row, terminal)
    ended = stage.confirmed()
    assert ended.code == 0, ended.err
    assert tuple(stage.tried) == tuple(stage.took) == row.sends
    assert stage.events[-1] == "finished"
    assert OPERATIONS[row.operation].title in ended.out
    stage.tidy()


@every
def test_a_guard_refuses_it(row: Row, terminal: Terminal) -> None:
    stage = Stage(row, terminal)
    row.guard(terminal.world)
    ended = stage.confirmed()
    assert ended.code == 3, ended.err
    assert row.refusal in ended.err
    assert stage.took == []
    stage.tidy()


@every
def test_the_world_changed_after_it_was_confirmed(row: Row, terminal: Terminal) -> None:
    stage = Stage(row, terminal)
    terminal.typed = f"{row.word}\nn\n"
    terminal.at_prompt = row.meanwhile
    ended = stage.run()
    assert ended.code == 3, ended.err
    assert set(stage.took) <= set(row.sends[: row.drafts])
    assert stage.events == ["refused"]
    stage.tidy()


@each_write
def test_each_write_that_is_refused_ends_it_there(
    row: Row, number: int, terminal: Terminal
) -> None:
    stage = Stage(row, terminal)
    ended = stage.spoilt(number, refusal(row.sends[number]))
    assert ended.code == (3 if number < row.drafts else 1), ended.err
    assert HARD.rstrip(".") in ended.err
    ends_there(stage, number, ended)


@each_write
def test_access_denied_in_the_middle_names_the_action(
    row: Row, number: int, terminal: Terminal
) -> None:
    stage = Stage(row, terminal)
    ended = stage.spoilt(number, denial(row.sends[number]))
    assert ended.code == (3 if number < row.drafts else 4), ended.err
    assert action(row.sends[number]) in ended.err
    ends_there(stage, number, ended)


@each_write
def test_credentials_that_expire_in_the_middle_name_what_renews_them(
    row: Row, number: int, terminal: Terminal
) -> None:
    stage = Stage(row, terminal)
    again = 2 if row.sends[number] == "docker.push" else 1
    ended = stage.spoilt(number, expiry(row.sends[number]), again)
    assert ended.code == (3 if number < row.drafts else 4), ended.err
    assert RENEWAL in ended.err
    ends_there(stage, number, ended)


def ends_there(stage: Stage, number: int, ended: Ended) -> None:
    """Nothing is sent after it, and what was done before it is told."""
    row = stage.row
    assert tuple(stage.took) == row.sends[:number]
    assert set(stage.tried[number:]) == {row.sends[number]}
    stage.tidy()
    if number < row.drafts:
        return
    assert stage.events[-1] == "failed"
    told_so_far(row, number, ended)


def told_so_far(row: Row, number: int, ended: Ended) -> None:
    """What was done before a write, and whether that serves."""
    before = row.sends[:number]
    if "--service" in row.typed:  # a run for each: the first has its receipt
        assert ended.out.count("Roll back") == number
        assert ("Not begun: other" in ended.err) is (number == 0)
        return
    done = any(serving < number for serving in row.serving)
    assert ("Done before it: " in ended.err) is done
    assert ("What serves was not changed" in ended.err) is not done
    made = "RegisterTaskDefinition" in before or "docker.push" in before
    assert ("Made before it: " in ended.err) is made


@every
def test_throttled_throughout_it_only_takes_longer(row: Row, terminal: Terminal) -> None:
    stage = Stage(row, terminal)
    began = terminal.world.now
    assert stage.confirmed().code == 0
    untroubled = terminal.world.now - began
    stage.again()
    seen: Counter[tuple[str, str]] = Counter()

    def spoil(_: Wire, operation: str, body: str) -> Fate | None:
        seen[operation, body] += 1
        engine = operation.startswith("docker.")
        if engine or seen[operation, body] % 2 == 0:
            return None
        return AwsError("ThrottlingException", "Rate exceeded")

    stage.wire.spoil = spoil
    ended = stage.confirmed()
    assert ended.code == 0, ended.err
    assert tuple(stage.took) == row.sends
    sent_twice = [name for name in row.sends if not name.startswith("docker.")]
    assert len(stage.tried) == len(row.sends) + len(sent_twice)
    assert terminal.world.now - began >= untroubled + timedelta(seconds=0.5 * len(sent_twice))
    stage.tidy()


@over_the_wire
def test_a_write_that_is_throttled_to_the_end_ends_it_there(
    row: Row, number: int, terminal: Terminal
) -> None:
    stage = Stage(row, terminal)
    ended = stage.spoilt(number, AwsError("ThrottlingException", "Rate exceeded"), WRITE_ATTEMPTS)
    assert ended.code == (3 if number < row.drafts else 1), ended.err
    assert "Throttled: AWS said slow down" in ended.err
    assert "try again in a minute" in ended.err
    ends_there(stage, number, ended)


@over_the_wire
def test_an_error_on_the_side_of_aws_is_looked_at_and_not_sent_again(
    row: Row, number: int, terminal: Terminal
) -> None:
    stage = Stage(row, terminal)
    name = row.sends[number]
    ended = stage.spoilt(number, AwsError("InternalFailure", "Something broke.", 500))
    if name == "RunTask":  # its token lets it be asked again
        assert ended.code == 0, ended.err
        assert len(terminal.world.runs) == 1
        return
    assert ended.code == (3 if number < row.drafts else 1), ended.err
    assert "AWS answered 500" in ended.err
    assert stage.tried.count(name) == row.sends[: number + 1].count(name), "sent once"
    assert tuple(stage.took) == row.sends[:number]
    if row.drafts:  # what may be carried out is not taken back
        stage.unlocked()
        stage.goes_on()
    else:
        stage.tidy()
    if name in SERVING and name != "ExecuteChangeSet":
        shown = "it was not repeated, and AWS shows no effect" in ended.err
        assert shown or "Done before it" in ended.err


@each_write
def test_a_write_that_found_no_way_is_sent_again(row: Row, number: int, terminal: Terminal) -> None:
    stage = Stage(row, terminal)
    ended = stage.spoilt(number, "no way")
    if row.sends[number] == "docker.build":
        assert ended.code == 1
        return
    assert ended.code == 0, ended.err
    assert tuple(stage.took) == row.sends
    stage.tidy()


@each_write
def test_a_write_whose_answer_is_lost_is_found_or_told_but_never_sent_twice(
    row: Row, number: int, terminal: Terminal
) -> None:
    stage = Stage(row, terminal)
    found_again(stage, number, stage.spoilt(number, "no answer"))


@over_the_wire
def test_a_line_that_is_dead_for_a_minute_from_a_write_on(
    row: Row, number: int, terminal: Terminal
) -> None:
    stage = Stage(row, terminal)
    name, dead = row.sends[number], []

    def spoil(line: Wire, operation: str, body: str) -> Fate | None:
        del body
        if not dead and len(stage.took) == number and operation == name:
            dead.append(line.world.now + OUTAGE)
            return "no answer"
        return "no way" if dead and line.world.now < dead[0] else None

    stage.wire.spoil = spoil
    ended = stage.confirmed()
    assert dead
    if name == "CreateChangeSet":
        assert ended.code == 1, ended.err
        stage.unlocked()
        stage.goes_on()
        return
    found_again(stage, number, ended)


def found_again(stage: Stage, number: int, ended: Ended) -> None:
    """It goes on from what arrived; where that cannot be seen, it says so and ends."""
    row, name = stage.row, stage.row.sends[number]
    took = Counter(stage.took)
    repeatable = name in ("RunTask", "docker.push")  # by its token, by its layers
    if name not in row.never_found:
        assert ended.code == 0, ended.err
        assert tuple(dict.fromkeys(stage.took)) == tuple(dict.fromkeys(row.sends))
        assert repeatable or took == Counter(row.sends)
        assert len(stage.terminal.world.runs) == row.sends.count("RunTask")
    else:
        assert ended.code == 1, ended.err
        assert stage.tried == stage.took == [*row.sends[: number + 1]]
        told_so_far(row, number, ended)
    stage.tidy()


@pytest.mark.parametrize("sent", [False, True], ids=["before-it-is-sent", "before-its-answer"])
@each_write
def test_ctrl_c_at_each_write_tells_what_is_done(
    row: Row, number: int, sent: bool, terminal: Terminal
) -> None:
    stage = Stage(row, terminal)
    ended = stage.spoilt(number, After(KeyboardInterrupt()) if sent else KeyboardInterrupt())
    assert ended.code == 130, ended.err
    assert tuple(stage.took) == row.sends[: number + sent]
    assert "Interrupted" in ended.err
    stage.unlocked()
    under_way = sent and row.sends[number] == "ExecuteChangeSet" and not row.stacks
    if row.drafts and not under_way:  # a service that deploys is not deployed once more
        stage.goes_on()
    else:
        stage.tidy()
    if number < row.drafts:
        return
    assert "left" in stage.events
    if number in row.serving or any(serving < number for serving in row.serving):
        assert "whether AWS took the call is not known" in ended.err
    else:
        assert "What serves was not changed" in ended.err


@each_write
def test_ctrl_c_while_a_write_is_followed_says_that_aws_goes_on(
    row: Row, number: int, terminal: Terminal
) -> None:
    stage = Stage(row, terminal)
    read = looking_back(stage, number, KeyboardInterrupt())
    ended = stage.confirmed()
    if not read:
        assert ended.code == 0
        assert row.sends[number] in UNREAD
        return
    assert ended.code == 130, ended.err
    assert "Interrupted" in ended.err
    assert tuple(stage.took) == row.sends[: number + 1]
    if number < row.drafts or row.sends[number] == "CreateChangeSet":
        stage.unlocked()
        stage.goes_on()
        return
    stage.tidy()
    if number + 1 == len(row.sends):
        assert "Interrupted after it was sent" in ended.err
        assert "AWS goes on, and this is not followed" in ended.err
        assert stage.events[-1] == "left"
    elif number not in row.serving:
        assert "What serves was not changed" in ended.err or "is not known" in ended.err
    elif "--service" not in row.typed:
        assert "AWS goes on with that" in ended.err
        assert f"bgconsole {row.typed[0]}" in ended.err


@each_write
def test_credentials_that_expire_after_a_write_are_no_failure_of_it(
    row: Row, number: int, terminal: Terminal
) -> None:
    stage = Stage(row, terminal)
    read = looking_back(stage, number, expiry(""))
    ended = stage.confirmed()
    if not read:
        assert ended.code == 0
        assert row.sends[number] in UNREAD
        return
    assert ended.code == 4, ended.err
    assert RENEWAL in ended.err
    assert tuple(stage.took) == row.sends[: number + 1]
    stage.unlocked()
    if number + 1 == len(row.sends):
        assert stage.events[-1] == "left"
        stage.tidy()
    elif number >= row.drafts and "--service" not in row.typed:
        served = any(serving <= number for serving in row.serving)
        assert ("What serves was not changed" in ended.err) is not served


@each_write
def test_a_line_that_dies_for_a_minute_after_a_write(
    row: Row, number: int, terminal: Terminal
) -> None:
    stage = Stage(row, terminal)
    dead: list[datetime] = []

    def spoil(line: Wire, operation: str, _: str) -> Fate | None:
        if len(stage.took) <= number or operation.startswith("docker."):
            return None
        dead.append(dead[0] if dead else line.world.now + OUTAGE)
        return "no way" if line.world.now < dead[0] else None

    stage.wire.spoil = spoil
    ended = stage.confirmed()
    assert dead
    unsent = ended.code == 1 and row.sends[number] in UNREAD
    assert not unsent or "nothing was sent" in ended.err
    if row.sends[number] in ("docker.build", "docker.push", "CreateChangeSet") or unsent:
        assert ended.code == 1, ended.err
        assert tuple(stage.took) == row.sends[: number + 1]
        stage.unlocked()
        if row.drafts:
            stage.goes_on()
        return
    assert ended.code == 0, ended.err
    assert tuple(stage.took) == row.sends
    stage.tidy()


@pytest.mark.parametrize("row", [*FIRST, *UNDER_WAY], ids=lambda row: row.name)
def test_each_read_that_is_denied_is_named_and_never_a_bug(row: Row, terminal: Terminal) -> None:
    stage = Stage(row, terminal)
    assert stage.confirmed().code == 0
    wrong = []
    for operation in sorted(set(stage.wire.asked) - {"GetCallerIdentity"}):  # none can be denied it
        stage.again()
        deny(stage, operation)
        ended = stage.confirmed()
        named = action(operation) in ended.err + ended.out
        done = ended.code == 0 and stage.took[-1] == row.sends[-1]
        if not done and not (named and ended.code in (3, 4)):
            wrong.append(f"{operation}: {ended.code} after {stage.took}: {ended.err}")
        stage.unlocked()
    assert not wrong, "\n".join(wrong)


def deny(stage: Stage, operation: str) -> None:
    """Nobody may make this call."""
    refused = AwsError(
        "AccessDeniedException", f"User: ops is not authorized to perform: {action(operation)}"
    )
    stage.wire.spoil = lambda _, asked, __: refused if asked == operation else None


def looking_back(stage: Stage, number: int, fate: Fate) -> list[str]:
    """Spoil every read after one of the writes; they are noted."""
    read: list[str] = []

    def spoil(_: Wire, operation: str, __: str) -> Fate | None:
        main = threading.current_thread() is threading.main_thread()
        if not main or len(stage.took) != number + 1 or not operation.startswith(wire.READS):
            return None
        read.append(operation)
        return fate

    stage.wire.spoil = spoil
    return read


@every
def test_read_only_refuses_it(row: Row, terminal: Terminal) -> None:
    stage = Stage(row, terminal)
    ended = stage.run(*row.confirmed, "--read-only")
    assert ended.code == 3
    assert "read-only" in ended.err
    assert stage.wire.tried == []


@every
def test_a_dry_run_prints_what_the_dialog_shows(
    row: Row, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[Proposal] = []

    def lines(proposal: Proposal, changed: Collection[str] = ()) -> Iterator[str]:
        shown.append(proposal)
        return plan_lines(proposal, changed)

    monkeypatch.setattr("bgconsole.cli.operate.plan_lines", lines)
    stage = Stage(row, terminal)
    ended = stage.run("--dry-run")
    assert ended.code == 0
    assert tuple(stage.took) == row.sends[: row.drafts]
    assert stage.events == []
    stage.tidy()
    dialog = [
        line.content.plain
        for proposal in shown
        for line in (*way(proposal.plan, None), *rest(proposal.plan, None))
    ]
    assert words(ended.out.splitlines()) >= words(dialog)
    extra = words(ended.out.splitlines()) - words(dialog)
    assert not {line for line in extra if line.startswith("aws ")}


def words(lines: Iterable[str]) -> set[str]:
    """Lines as they are read: without the space that lays them out, nor the other way's key."""
    told = (" ".join(line.split()) for line in lines)
    return {line for line in told if line and not line.startswith("ctrl+t: ")}
