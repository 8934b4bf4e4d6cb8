"""What the panes are shown in tests: snapshots of scripted worlds, log batches, and a small host.

The host stands in for the console: a clock that tests turn, one snapshot bound to every pane.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from textual.app import ComposeResult
from textual.reactive import reactive
from textual.screen import Screen
from textual.widget import Widget

import bgconsole.ui
from bgconsole.domain.errors import AccessDenied, GatewayError, Throttled, Unreachable
from bgconsole.domain.identity import Place
from bgconsole.domain.logs import LogLine, to_milliseconds
from bgconsole.domain.probe import Answer, ProbeRecord
from bgconsole.domain.snapshot import Failure, Part, Snapshot, Source
from bgconsole.gateway.scripted import ScriptedWorld, scripted_gateway
from bgconsole.ui.panes.probe import ProbePane
from bgconsole.ui.screens.service import ServiceScreen
from bgconsole.ui.theme import DEFAULT, THEMES
from bgconsole.ui.thrifty_app import ThriftyApp
from bgconsole.watch.batch import LogBatch, TailState
from bgconsole.watch.once import read
from bgconsole.watch.sources import SOURCES
from tests import two_groups, worlds
from tests.values import LOG_GROUP, NOW, REF

ALL: tuple[Source, ...] = (
    "identity", "service", "deployments", "tasks", "targets", "stacks", "images",
)  # fmt: skip


def snapshot(world: ScriptedWorld, **changes: Any) -> Snapshot:
    """The whole picture of a world, as polled at `NOW`."""
    taken = read(scripted_gateway(world), REF, lambda: NOW, SOURCES)
    return replace(taken, generation=1, interval=2.0 if taken.deploying else 10.0, **changes)


def again(taken: Snapshot, at: datetime) -> Snapshot:
    """The next picture: polled at that moment, and nothing has changed."""
    parts = {name: replace(taken.part(name), fetched_at=at) for name in SOURCES}
    return replace(taken, generation=taken.generation + 1, **parts)  # type: ignore[arg-type]


def failed(
    taken: Snapshot, error: GatewayError, *sources: Source, ago: float = 34, ever: bool = True
) -> Snapshot:
    """The same with sources that fail since `ago` seconds; not `ever`: they never answered."""
    since = NOW - timedelta(seconds=ago)
    parts: dict[str, Part[Any]] = {}
    for source in sources:
        part = taken.part(source)
        parts[source] = replace(
            part if ever else Part(),
            fetched_at=since if ever else None,
            failure=Failure(error, since, NOW + timedelta(seconds=8), 3),
        )
    return replace(taken, **parts)  # type: ignore[arg-type]


THROTTLED = Throttled("throttled", "DescribeServices")
DENIED = AccessDenied(
    "AccessDenied",
    "not allowed",
    "ask for it",
    action="elasticloadbalancing:DescribeTargetHealth",
)
CLOSED = Unreachable("no answer from 127.0.0.1:4566", "connection refused", "is it running?")


def waiting() -> Snapshot:
    """Nothing has answered."""
    return Snapshot(REF, Place(region="us-east-1", profile="demo"))


def steady() -> Snapshot:
    """Revision 2 serves alone."""
    return snapshot(worlds.steady())


def deploying() -> Snapshot:
    """Revision 2 comes up beside 1."""
    return snapshot(worlds.deploying())


def crash_looping() -> Snapshot:
    """Revision 3 exits at once; its last words are known."""
    taken = snapshot(worlds.crash_looping())
    assert taken.tasks.value
    ended = next(t for t in taken.tasks.value.tasks if t.stopped)
    return replace(taken, last_words={ended.id: "PG::UndefinedColumn: ERROR: posts.summary"})


def rolled_back() -> Snapshot:
    """The circuit breaker took revision 3 back."""
    return snapshot(worlds.rolled_back())


def stale() -> Snapshot:
    """Every source fails since 34 s; the last picture stays."""
    return failed(deploying(), THROTTLED, *ALL)


def denied() -> Snapshot:
    """The load balancer may not be read, and never could."""
    return failed(steady(), DENIED, "targets", ever=False)


def shifted_for_test() -> Snapshot:
    """Blue/green: the new side has the test traffic alone."""
    return snapshot(two_groups.shifted_for_test())


def paused() -> Snapshot:
    """Blue/green: a hook waits for somebody."""
    return snapshot(two_groups.paused())


def baking() -> Snapshot:
    """Blue/green: all traffic is on the new side, the old one stays warm."""
    return snapshot(two_groups.baking())


def canary() -> Snapshot:
    """A tenth of the traffic is on the new side."""
    return snapshot(two_groups.canary())


def going_back() -> Snapshot:
    """An alarm went off: ECS takes the deployment back."""
    return snapshot(two_groups.going_back())


def alarmed() -> Snapshot:
    """An alarm took the deployment back two minutes ago."""
    return snapshot(two_groups.alarmed())


def no_load_balancer() -> Snapshot:
    """A worker: both run, and nothing is balanced to either."""
    return snapshot(worlds.no_load_balancer())


def none_wanted() -> Snapshot:
    """A service that is asked to run no task."""
    world = worlds.steady()
    service = world.services[REF]
    none = tuple(replace(each, desired=0, running=0) for each in service.deployments)
    world.services[REF] = replace(service, desired=0, running=0, deployments=none)
    world.tasks[REF] = ()
    [group] = world.balancing[REF].groups
    world.balancing[REF] = replace(world.balancing[REF], groups=(replace(group, targets=()),))
    return snapshot(world)


SCENES: dict[str, Callable[[], Snapshot]] = {
    "waiting": waiting,
    "steady": steady,
    "deploying": deploying,
    "crash_looping": crash_looping,
    "rolled_back": rolled_back,
    "stale": stale,
    "denied": denied,
    "shifted_for_test": shifted_for_test,
    "paused": paused,
    "baking": baking,
    "canary": canary,
    "going_back": going_back,
    "alarmed": alarmed,
    "no_load_balancer": no_load_balancer,
    "none_wanted": none_wanted,
}


def line(number: int, message: str, task: str = "", *, at: datetime = NOW) -> LogLine:
    """One event; `number` orders events of one moment."""
    moment = to_milliseconds(at)
    stream = f"ecs/democluster-container/{task}" if task else "something"
    return LogLine(moment, moment + 900, f"{number:056d}", LOG_GROUP, stream, message)


def batch(lines: Iterable[LogLine], *, read_at: datetime = NOW, **state: Any) -> LogBatch:
    """Lines with a tail that is well."""
    return LogBatch(
        tuple(sorted(lines, key=lambda entry: entry.order)),
        TailState(group=LOG_GROUP, read_at=read_at, lag_seconds=4.0, **state),
    )


def probed(*answers: tuple[int, str], deploying: bool = False, ended: bool = False) -> ProbeRecord:
    """What a probe every 2 s saw until `NOW`: statuses (0: connect timeout) and versions."""
    record = ProbeRecord.of("http://demo-1234.us-east-1.elb.amazonaws.com/posts", 2.0)
    for n, (status, version) in enumerate(answers):
        at = NOW - timedelta(seconds=2 * (len(answers) - n))
        if deploying and n == len(answers) // 3:
            record = record.deploying("arn:1", at, at)
        latency = 8 + (n * 7) % 13 + (40 if n % 17 == 5 else 0) if status else 3000
        error = "" if status else "connect timeout"
        record = record.add(Answer(at, float(latency), status, error, version))
    return record.steady() if ended else record


CALM = ((200, "MEOW"),) * 80
TURNING = (*CALM[:40], *(((200, "MEOW"), (200, "Posts")) * 6), *((200, "Posts"),) * 24)
BROKEN = (*CALM[:40], (502, ""), (502, ""), *CALM[:6], (0, ""), (0, ""), (0, ""))


MESSAGES = (
    'I, [2026-03-01T13:59:58.123456 #1]  INFO -- : [a2213956] Started GET "/posts" for 10.0.0.7',
    "I, [2026-03-01T13:59:58.127001 #1]  INFO -- : [a2213956] Completed 200 OK in 4ms"
    " (Views: 2.4ms | ActiveRecord: 1.1ms | Allocations: 1834)",
    "W, [2026-03-01T13:59:58.131001 #1]  WARN -- : [77ab10c2] slow query: SELECT posts.*",
)


def talk(taken: Snapshot, count: int = 60) -> LogBatch:
    """Rails-like lines of every task of a snapshot, the crashed ones crashing."""
    tasks = taken.tasks.value.tasks if taken.tasks.value else ()
    running = [t for t in tasks if t.last_status == "RUNNING"]
    lines = [
        line(
            n,
            MESSAGES[n // len(running) % 8 % 3],
            running[n % len(running)].id,
            at=NOW - timedelta(milliseconds=170 * (count - n)),
        )
        for n in range(count if running else 0)
    ]
    for n, task in enumerate(t for t in tasks if t.stopped and t.stopped_at):
        assert task.stopped_at
        moment = max(task.stopped_at, NOW - timedelta(seconds=3 + n))
        text = (
            "PG::UndefinedColumn: ERROR:  column posts.summary does not exist\n"
            "  from app/models/post.rb:12:in `digest'"
        )
        lines.append(line(1000 + n, text, task.id, at=moment))
    return batch(lines)


class Host(ThriftyApp[None]):
    """A clock and one screen: the main screen, or one with only what is given."""

    CSS_PATH = Path(bgconsole.ui.__file__).with_name("console.tcss")
    TITLE = "bgconsole"

    def __init__(
        self,
        *only: Callable[[], Widget],
        shown: Snapshot | None = None,
        probe: ProbeRecord | None = None,
    ) -> None:
        super().__init__()
        self.animation_level = "none"
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = DEFAULT
        self.moment = NOW
        self._only = only
        self._first = shown
        self._probe = probe

    def clock(self) -> datetime:
        """What the panes take for now."""
        return self.moment

    def get_default_screen(self) -> Screen[Any]:
        """The main screen, or one with only what was asked for."""
        return Only(self._only) if self._only else ServiceScreen()

    def on_mount(self) -> None:
        """Show the first picture."""
        self.show(self._first)
        self.screen.probe = self._probe  # type: ignore[attr-defined]

    def show(self, taken: Snapshot | None) -> None:
        """A new snapshot for every pane."""
        screen = self.screen
        assert isinstance(screen, (ServiceScreen, Only))
        screen.snapshot = taken

    def later(self, seconds: float) -> None:
        """Turn the clock, and let every pane count its seconds."""
        self.moment += timedelta(seconds=seconds)
        for widget in self.screen.query("Header, Top, Pane"):
            widget.paint()  # type: ignore[attr-defined]


class Only(Screen[None]):
    """One widget alone."""

    snapshot: reactive[Snapshot | None] = reactive(None)
    probe: reactive[ProbeRecord | None] = reactive(None)

    def __init__(self, make: tuple[Callable[[], Widget], ...]) -> None:
        super().__init__()
        self._make = make

    def compose(self) -> ComposeResult:
        """Bound to the screen's snapshot as in the console."""
        for make in self._make:
            made = make()
            bound = (Only.snapshot, Only.probe) if isinstance(made, ProbePane) else (Only.snapshot,)
            yield made.data_bind(*bound)
