"""Follow a task that runs one command to its end: its state, its output, and what came of it.

It is looked at for as long as it takes: a migration that waits for a lock is never called failed.
Its log is read by the way, and told in full; where it cannot be read the task is followed without.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

from bgconsole.domain.duration import spell
from bgconsole.domain.errors import (
    CredentialsProblem,
    GatewayError,
    NotThere,
    Throttled,
    Unreachable,
)
from bgconsole.domain.logs import LogLine, to_milliseconds
from bgconsole.domain.masking import mask
from bgconsole.domain.migrations import applied, judge
from bgconsole.domain.plain import plain
from bgconsole.domain.services import LogTarget, Task
from bgconsole.gateway.port import Gateway
from bgconsole.watch.merge import Overlap
from bgconsole.watch.onlooker import Onlooker
from bgconsole.watch.telling import End, Note, Result, Story

LAST_LINES = 3
"""Lines of output that are told again where it failed."""
LATE = 3
"""Looks at the log after the end that bring nothing new: CloudWatch takes lines in seconds late."""
OVERLAP = 15_000
"""Milliseconds that each look at the log reads again."""
LONG = timedelta(minutes=10)
"""From here on it is said that it only takes long."""


def follow_task(
    gateway: Gateway, cluster: str, arn: str, container: str, onlooker: Onlooker
) -> Story:
    """Tell what happens until the task has ended; the last thing told is the end.

    Args:
        gateway: only read.
        cluster: where the task is.
        arn: the task's.
        container: whose exit code counts.
        onlooker: who wants to know, and for how long.

    Raises:
        CredentialsProblem: the credentials ended.
        AccessDenied: the task may not be read.
        NotThere: AWS does not know the task any more.
    """
    states = _States(onlooker.clock)
    output: _Output | None = None

    def tell(task: Task) -> Story:
        nonlocal output
        yield from states.tell(task)
        output = output or _output(gateway, task, container)
        yield from output.read(ended=task.stopped)
        if task.stopped and (output.over or task.started_at is None):
            yield _end(task, container, output, onlooker.clock)

    return onlooker.look_on(lambda: gateway.services.task(cluster, arn), tell)


class _States:
    """The task's states, each told once."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._told = ""
        self._long = False

    def tell(self, task: Task) -> Story:
        if task.last_status != self._told:
            self._told = task.last_status
            yield Note(f"task {task.id[:8]} is {task.last_status}")
        if not task.stopped and not self._long and task.started_at is not None:
            took = self._clock() - task.started_at
            if took >= LONG:
                self._long = True
                words = (
                    f"it runs for {spell(took)}: it is slow, or waits for a lock; it is followed"
                )
                yield Note(words)


class _Output:
    """What a container prints, each line once."""

    def __init__(self, gateway: Gateway, task: Task, target: LogTarget | None) -> None:
        self._gateway = gateway
        self._target = target
        self._task = task
        self._overlap = Overlap()
        self._idle = 0
        self._trouble = ""
        self.applied: list[str] = []
        self.last: deque[str] = deque(maxlen=LAST_LINES)

    @property
    def over(self) -> bool:
        """Whether nothing more is to be expected of a task that has ended."""
        return self._target is None or bool(self._trouble) or self._idle >= LATE

    def read(self, *, ended: bool) -> Story:
        if self._target is None or self._trouble:
            return
        try:
            lines = self._lines(self._target)
        except NotThere:
            lines = []  # the stream begins with the first line
        except (CredentialsProblem, Throttled, Unreachable):
            raise
        except GatewayError as error:
            self._trouble = f"its output is not shown: {error}"
            yield Note(self._trouble)
            return
        self._idle = self._idle + 1 if ended and not lines else 0
        for line in lines:
            self.last.append(line)
            yield Note(line, "output")
        self.applied += applied(lines)

    def _lines(self, target: LogTarget) -> list[str]:
        began = self._task.created_at
        first = to_milliseconds(began) if began else 0
        start = max(first, self._overlap.newest - OVERLAP)
        stream = f"{target.stream_prefix}/{target.container}/{self._task.id}"
        found: list[LogLine] = []
        token = None
        while True:
            page = self._gateway.logs.page(target.group, start=start, token=token, streams=stream)
            found += page.lines
            token = page.token
            if token is None:
                return [mask(plain(line.message)) for line in self._overlap.take(found)]


def _output(gateway: Gateway, task: Task, container: str) -> _Output:
    """Where the container's output is read; nowhere, where it does not go to this region's logs."""
    definition = gateway.services.task_definition(task.task_definition)
    target = next((c.log for c in definition.containers if c.name == container), None)
    readable = (
        target is not None
        and target.driver == "awslogs"
        and bool(target.group and target.stream_prefix)
        and target.region in ("", gateway.place.region)
    )
    return _Output(gateway, task, target if readable else None)


def _end(task: Task, container: str, output: _Output, clock: Callable[[], datetime]) -> End:
    judged = judge(task, container)
    result: Result = "reached" if judged.ending == "succeeded" else "failed"
    sentence = judged.sentence
    if result == "reached":
        done = ", ".join(output.applied)
        sentence += f" Applied: {done}." if done else ""
    elif output.last and judged.ending != "not started":
        quoted = " ".join(f'"{line}"' for line in output.last if line.strip())
        sentence += f" Its last lines: {quoted}"
    return End(result, sentence, clock())
