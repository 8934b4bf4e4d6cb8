"""Containers as local child processes: each on a free loopback port, none outlives the sandbox."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections import defaultdict
from pathlib import Path

from ..clock import Clock, Timer
from ..migrations import Database
from .port import Address, ContainerEvents, ContainerSpec
from .programs import Run, Serve, program

STANDIN = Path(__file__).parent.parent / "standin.py"
LONGEST_LINE = 256 * 1024
"""Bytes; the awslogs driver cuts longer lines too."""
KILL_FLOOR = 1.0
"""Real seconds between SIGTERM and SIGKILL at least, however fast the world runs."""
CLOSE_PATIENCE = 1.0
HANGS = 30 * 24 * 3600.0
"""Seconds until the lock of a migration that never ends is given up; its end gives it up too."""
CRASH_AFTER = 0.3
"""Real seconds from boot to the exception of a crashing image."""


class ProcessRuntime:
    """Starts each container as a process of its own group, with an environment of its own."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lifeline_read, self._lifeline_write = os.pipe()
        self._containers: set[ProcessContainer] = set()
        self._addresses: dict[Address, Address] = {}
        self._databases: defaultdict[str, Database] = defaultdict(Database)

    def start(self, spec: ContainerSpec, events: ContainerEvents) -> ProcessContainer:
        """Reserve a port and begin to start the process."""
        container = ProcessContainer(self, self._clock, spec, events)
        self._containers.add(container)
        if spec.address is not None:
            self._addresses[spec.address] = container.endpoint
        container.task = asyncio.get_running_loop().create_task(container.run(self._lifeline_read))
        return container

    def database_of(self, spec: ContainerSpec) -> Database:
        """The database that the container's DATABASE_URL names."""
        return self._databases[spec.environment.get("DATABASE_URL", "")]

    def resolve(self, address: Address) -> Address | None:
        """The loopback socket behind a task's private address."""
        return self._addresses.get(address)

    def pids(self) -> list[int]:
        """The ids of the processes that run now."""
        return [c.pid for c in self._containers if c.pid is not None]

    def forget(self, container: ProcessContainer) -> None:
        """A container ended: nothing answers at its address any more."""
        self._containers.discard(container)
        if container.spec.address is not None:
            self._addresses.pop(container.spec.address, None)

    async def close(self) -> None:
        """SIGTERM to all, SIGKILL a second later to those that remain; close the lifeline."""
        ending = [c.task for c in self._containers if c.task is not None]
        for container in list(self._containers):
            container.terminate()
        if ending:
            _, late = await asyncio.wait(ending, timeout=CLOSE_PATIENCE)
            for container in list(self._containers):
                container.kill()
            if late:
                await asyncio.wait(late, timeout=CLOSE_PATIENCE)
        for end in (self._lifeline_write, self._lifeline_read):
            os.close(end)


class ProcessContainer:
    """One child process and the news of it."""

    def __init__(
        self, runtime: ProcessRuntime, clock: Clock, spec: ContainerSpec, events: ContainerEvents
    ) -> None:
        self.spec = spec
        self.task: asyncio.Task[None] | None = None
        self._runtime = runtime
        self._clock = clock
        self._events = events
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = False
        self._orders: dict[str, object] = {}
        self._database = runtime.database_of(spec)
        self._migrating: list[Run] = []
        self._migration: Timer | None = None
        info = spec.info
        self._program = program(spec.words, info.labels, self._database, info.migrations)
        self._socket = socket.socket()
        # Bound here, listening there: until the app is up a connection is refused, as it should be.
        self._socket.bind(("127.0.0.1", 0))
        name: tuple[str, int] = self._socket.getsockname()
        self.endpoint: Address = name

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    def stop(self) -> None:
        """SIGTERM now, SIGKILL when the stop timeout ends."""
        self.terminate()
        self._clock.call_later(self.spec.stop_timeout, self.kill, floor=KILL_FLOOR)

    def terminate(self) -> None:
        """SIGTERM; kept for later when the process is only being started."""
        self._stopping = True
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()

    def fall_ill(self) -> None:
        """Tell the stand-in to answer 503 at the health check's path."""
        self._order(ill=True)

    def fail(self, percent: float) -> None:
        """Tell the stand-in to answer so many of a hundred requests for a page with 500."""
        self._order(failing=percent)

    def _order(self, **order: object) -> None:
        """One line to the stand-in's standard input, kept for it while it is being started."""
        self._orders |= order
        process = self._process
        if process is not None and process.stdin is not None and process.returncode is None:
            process.stdin.write(json.dumps(self._orders).encode() + b"\n")

    def kill(self) -> None:
        """SIGKILL to the whole group, if it still runs."""
        if self._process is not None and self._process.returncode is None:
            os.killpg(self._process.pid, signal.SIGKILL)

    async def run(self, lifeline: int) -> None:
        """Start the process, pass its lines on, and tell of its end."""
        self._hold_database()
        try:
            code = await self._live(lifeline)
        except OSError as error:
            self._events.output(f"the sandbox could not start a process: {error}")
            code = 128
        self._socket.close()
        self._runtime.forget(self)
        self._release_database(migrated=code == 0)
        self._events.exited(code if code >= 0 else 128 - code)

    def _hold_database(self) -> None:
        self._migrating = [s for s in self._program if isinstance(s, Run) and s.migrates]
        if self._migrating:
            self._database.migrating = True
            self._await_migration()

    def _await_migration(self) -> None:
        """Record the first migration when its time is over; the process keeps the same time."""
        first = self._migrating[0]
        ends_well = first.seconds is not None and first.exit_code == 0
        seconds = first.seconds if ends_well and first.seconds else HANGS
        self._migration = self._clock.call_later(seconds, self._next_migration)

    def _next_migration(self) -> None:
        done = self._migrating.pop(0)
        if done.version:
            self._database.record(done.version)
        if self._migrating:
            self._await_migration()
        else:
            # What comes behind it, as `&& rails server`, runs without the lock.
            self._release_database(migrated=False)

    def _release_database(self, *, migrated: bool) -> None:
        timer, self._migration = self._migration, None
        if timer is None:
            return
        timer.cancel()
        self._database.migrating = False
        for left in self._migrating if migrated else ():
            self._database.record(left.version)

    async def _live(self, lifeline: int) -> int:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            "-S",
            str(STANDIN),
            json.dumps(self._facts(lifeline)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=dict(self.spec.environment),
            cwd="/",
            pass_fds=(self._socket.fileno(), lifeline),
            start_new_session=True,
        )
        self._process = process
        self._socket.close()
        if self._stopping:
            process.terminate()
        if self._orders:
            self._order()
        if process.stdout is not None:
            await self._pass_on(process.stdout)
        return await process.wait()

    def _facts(self, lifeline: int) -> dict[str, object]:
        labels = self.spec.info.labels
        return {
            "socket": self._socket.fileno(),
            "lifeline": lifeline,
            "port": self.spec.address[1] if self.spec.address else 0,
            "task": self.spec.task_id,
            "digest": self.spec.info.digest,
            "heading": labels.get("bgconsole.heading", "Posts"),
            "revision": labels.get("bgconsole.revision", ""),
            "behaviour": labels.get("bgconsole.behaviour", ""),
            "failing": float(labels.get("bgconsole.failing", "0")),
            "crash_after": CRASH_AFTER,
            "boot_seconds": self._clock.real(float(labels.get("bgconsole.boot_seconds", "0"))),
            "program": [self._told(step) for step in self._program],
        }

    def _told(self, step: Run | Serve) -> dict[str, object] | None:
        if isinstance(step, Serve):
            return None
        seconds = step.seconds
        return {
            "lines": step.lines,
            "seconds": None if seconds is None else self._clock.real(seconds),
            "exit_code": step.exit_code,
        }

    async def _pass_on(self, stream: asyncio.StreamReader) -> None:
        rest = b""
        while chunk := await stream.read(65536):
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) > LONGEST_LINE:
                lines.append(rest)
                rest = b""
            for line in lines:
                self._events.output(line.decode("utf-8", "replace"))
        if rest:
            self._events.output(rest.decode("utf-8", "replace"))
