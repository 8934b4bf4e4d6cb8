"""The console: takes what other threads tell and hands it to the screens; keys start from here."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Any, ClassVar

from rich.text import Text
from textual import events, on
from textual.app import SystemCommand
from textual.binding import BindingType
from textual.screen import Screen

from bgconsole.config.keymap import KEYMAP, shown
from bgconsole.domain.plain import plain
from bgconsole.domain.services import ServiceRef
from bgconsole.gateway.port import Gateway
from bgconsole.ui import keys, theme
from bgconsole.ui.attention import Attention
from bgconsole.ui.background import start
from bgconsole.ui.commands import Command, Commands
from bgconsole.ui.connecting import Connecting, Reached
from bgconsole.ui.drafts import PATIENCE
from bgconsole.ui.drifting import Drifting
from bgconsole.ui.ended_by_signal import end_with, on_signals
from bgconsole.ui.guarded_app import GuardedApp
from bgconsole.ui.hand_over import hand_over
from bgconsole.ui.marking import Marking
from bgconsole.ui.messages import (
    Answered,
    BugFound,
    Judged,
    LinesCame,
    OperationEnded,
    OperationMoved,
    OverviewTaken,
    ProbeTaken,
    SnapshotTaken,
    StopAsked,
)
from bgconsole.ui.offers import Offers
from bgconsole.ui.operating import Operating
from bgconsole.ui.pages import Pages
from bgconsole.ui.panes.logs import LogsPane
from bgconsole.ui.panes.pane import Pane
from bgconsole.ui.panes.tasks import TasksPane
from bgconsole.ui.pickers import Pickers
from bgconsole.ui.probing import Probing
from bgconsole.ui.run_state import left_words
from bgconsole.ui.screens.opening import OpeningScreen
from bgconsole.ui.screens.quit import QuitScreen, StopScreen
from bgconsole.ui.screens.reading import ReadingScreen
from bgconsole.ui.screens.service import ServiceScreen
from bgconsole.ui.screens.services import ServicesScreen
from bgconsole.ui.screens.stopped import StoppedScreen
from bgconsole.ui.screens.task import TaskScreen
from bgconsole.ui.screens.timeline import TimelineScreen
from bgconsole.ui.service_list import ServiceList
from bgconsole.ui.session import Session
from bgconsole.ui.shelling import Shelling
from bgconsole.ui.silent_keys import SilentKeys
from bgconsole.ui.stack_commands import StackCommands
from bgconsole.ui.wiring import Wiring


class Console(GuardedApp):
    """Runs until it is quit; `run()` gives how it was left, None after a bug."""

    TITLE = "bgconsole"
    CSS_PATH = "console.tcss"
    COMMANDS: ClassVar[set[Any]] = {Commands}
    BINDINGS: ClassVar[list[BindingType]] = [
        *keys.read(KEYMAP, "palette", "command_palette"),
        *keys.read(KEYMAP, "help", "help"),
        *keys.read(KEYMAP, "operation", "show_run"),
        *keys.read(KEYMAP, "quit", "back_or_quit"),
    ]

    def __init__(self, wiring: Wiring) -> None:
        super().__init__(timing=wiring.timing, write_crash_log=wiring.write_crash_log)
        self.wiring = wiring
        self.session = Session(self, wiring)
        self.services = ServiceList(self, wiring)
        self.probing = Probing(self, wiring)
        self.operating = Operating(
            self,
            clock=wiring.clock,
            settle=wiring.timing.settle,
            changed=self._operation_changed,
        )
        self._offers = Offers(self, self.session, self.operating)
        self._marking = Marking(self, wiring, self.operating, self.services.gateway)
        self._silent_keys = SilentKeys(
            self, wiring, self.session, self.operating, self._offers, self._marking
        )
        self._drifting = Drifting(self, self.session.refresh)
        self._stack_commands = StackCommands(
            self, wiring, self.session, self._offers, self.operating, self._drifting
        )
        self._shelling = Shelling(self, wiring, wiring.clock)
        self.pickers = Pickers(
            self,
            wiring,
            self.session,
            watch=self.watch_service,
            connect=self.connect,
            watch_logs=self.action_watch_logs,
        )
        self._attention = Attention(wiring.attention, self.write_raw)
        self._pages = Pages(self, wiring, self.session)
        self._connecting = Connecting(
            self, wiring, began=self._trying, failed=self._not_reached, reached=self._reached
        )
        self._opening = OpeningScreen(wiring.clock)
        self._service: ServiceScreen | None = None
        self._bound: tuple[str, ...] = ()
        self._ending: Callable[[], None] | None = None
        """How it ends once the drafts are deleted that leaving waits for."""
        for each in theme.THEMES:
            self.register_theme(each)
        self.theme = wiring.theme or theme.DEFAULT
        self.set_keymap(keys.wishes(wiring.keymap))

    @property
    def _pane(self) -> Pane | None:
        """The pane in front, where a service is shown."""
        return self._service.pane if self._service is not None else None

    def clock(self) -> datetime:
        """The time of day, for ages."""
        return self.wiring.clock()

    def get_default_screen(self) -> Screen[None]:
        """What is seen before anything is known."""
        return self._opening

    def on_mount(self) -> None:
        """Connect."""
        if not self.is_headless:
            on_signals(self.end_by, PATIENCE + 2)
            end_with(sys.stdin.fileno())
        self._connecting.start()

    def on_unmount(self) -> None:
        """Let the threads end."""
        self.operating.leave()
        self._drifting.leave()
        self.session.stop()
        self.services.forget()
        self.probing.stop()

    # Connecting

    def connect(self, connect: Callable[[], Gateway]) -> None:
        """Leave what is shown and begin anew, by other means."""
        self.session.forget()
        self.services.forget()
        self.probing.stop()
        while len(self.screen_stack) > 1:
            self.pop_screen()
        self._service = None
        self._connecting.start(connect)

    def watch_service(self, ref: ServiceRef) -> None:
        """Show a service in place of the one before."""
        self._connecting.stop()
        again = ref == self.session.ref and self._service is not None
        self.session.watch(ref)
        self.probing.watch(ref)
        if self.session.gateway is not None:
            place = self.session.gateway.place
            start(self, partial(self.wiring.remember, place, ref), name="remember")
        if again:
            return
        self._uncover()
        self.services.rest()
        self._bind_operations()
        self._offers.clear()
        self._service = ServiceScreen(
            read_only=bool(self.wiring.why_read_only(ref)),
            keys=self._keys_of_operations(),
            probe_off=self.wiring.probe is None,
            save=self.wiring.save,
            log_lines=self.wiring.log_lines,
        )
        self._service.run_state = self._reminder()
        self._service.snapshot = self.session.snapshot
        self.push_screen(self._service)

    @on(ServicesScreen.Opened)
    def _open_listed(self, message: ServicesScreen.Opened) -> None:
        home, region = self.session.gateway, message.line.area.region
        if home is not None and home.place.region != region:
            gateway = self.services.gateway(region)
            self.probing.stop()
            self.session.forget()
            self.session.connected(gateway)
            self._connecting.by(lambda: gateway)
        self.watch_service(message.line.ref)

    @on(ServicesScreen.Operated)
    def _operate_marked(self, message: ServicesScreen.Operated) -> None:
        if isinstance(self.screen, ServicesScreen):
            self._marking.offer(message.operation_id, message.lines, self.screen)

    def _uncover(self) -> None:
        """Leave what lies over the services screen, or over the first one."""
        while len(self.screen_stack) > 1 and not isinstance(self.screen, ServicesScreen):
            self.pop_screen()

    def _trying(self) -> None:
        if self._service is None:
            where = self.session.ref or "AWS"
            self._opening.connecting(f"connecting to {where} …")

    def _not_reached(self, error: Any, retry_at: datetime) -> None:
        if self._service is None:
            self._opening.trouble(error, retry_at)

    def _reached(self, reached: Reached) -> None:
        self.session.connected(reached.gateway)
        if reached.ref is not None:
            self.watch_service(reached.ref)
        elif reached.choose:
            self._opening.nothing_chosen()
            self.pickers.first(reached.clusters)
        else:
            self.services.show(reached.gateway, reached.clusters)

    # What other threads tell. They may still talk when the last screen is gone already.

    @on(Answered)
    def _answered(self, answer: Answered) -> None:
        if self.screen_stack and not self._connecting.answered(answer):
            takers = (self._marking, self._drifting, self.operating)
            any(taker.answered(answer) for taker in takers)
            if self._ending is not None and not self.operating.drafts.open:
                self._ending()

    @on(SnapshotTaken)
    def _snapshot_taken(self, message: SnapshotTaken) -> None:
        if not self.screen_stack or not self.session.take(message) or self._service is None:
            return
        self._service.snapshot = self.session.snapshot
        self.probing.follow(message.snapshot)
        self._offers.renew(message.snapshot)
        self.operating.watch_over(message.snapshot)
        if isinstance(self.screen, ReadingScreen | StoppedScreen | TimelineScreen):
            self.screen.renew()
        if not self.session.locked_out:
            self._connecting.stop()
        elif not self._connecting.busy:
            self._connecting.start(ref=self.session.ref)

    @on(Judged)
    def _judged(self, message: Judged) -> None:
        self._attention.heed(message.before, message.verdict, message.name)

    @on(ProbeTaken)
    def _probe_taken(self, message: ProbeTaken) -> None:
        record = self.probing.take(message)
        if record is not None and self.session.ref is not None:
            self.operating.probed = (self.session.ref, record)
        if self.screen_stack and record is not None and self._service is not None:
            self._service.probe = record

    @on(OverviewTaken)
    def _overview_taken(self, message: OverviewTaken) -> None:
        if self.screen_stack:
            self.services.take(message)

    @on(LinesCame)
    def _lines_came(self, message: LinesCame) -> None:
        current = message.epoch == self.session.epoch and self.screen_stack
        if current and self._service is not None and self._service.is_attached:
            self._service.add_lines(message.batch)
            for screen in self.screen_stack:
                if isinstance(screen, TaskScreen):
                    screen.add(message.batch.lines)

    @on(LogsPane.Older)
    def _older_asked(self) -> None:
        self.session.older_lines()

    @on(LogsPane.Reread)
    def _reread_asked(self, message: LogsPane.Reread) -> None:
        self.session.reread(message.gap)

    @on(StopAsked)
    def _stop_asked(self) -> None:
        state = self.operating.state
        if state is None or not state.sending:
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self.operating.stop()
                self.notify("No further step is begun", title="Stopping", markup=False)

        screen = StopScreen(state.proposal.plan.summary, settle=self.wiring.timing.settle)
        self.push_screen(screen, answered)

    @on(OperationMoved)
    def _operation_moved(self, message: OperationMoved) -> None:
        if self.screen_stack:
            self.operating.moved(message)

    @on(OperationEnded)
    def _operation_ended(self, message: OperationEnded) -> None:
        if self.screen_stack:
            self.operating.ended(message)

    @on(BugFound)
    def _bug_found(self, message: BugFound) -> None:
        raise message.error

    def on_app_focus(self) -> None:
        """Somebody looks: the picture may be quicker again."""
        self.session.set_focused(True)
        self.services.set_focused(True)

    def on_app_blur(self) -> None:
        """Nobody types here now."""
        self.session.set_focused(False)
        self.services.set_focused(False)

    # Operations

    def action_operate(self, operation_id: str) -> None:
        """A write key: opens the operation's dialog, or its run where that goes on."""
        self._offers.begin(operation_id, self._pane)

    def action_show_run(self) -> None:
        """The operation that goes on, or the last one."""
        if self.operating.state is None:
            self.notify("No operation was begun here", severity="warning")
        self.operating.show()

    def on_key(self, event: events.Key) -> None:
        """A write key that may do nothing now says why."""
        self._silent_keys.heard(event.key, self._service)

    def _bind_operations(self) -> None:
        """Bind the keys of the operations that exist for this service: in read-only none."""
        for name in self._bound:
            del self._bindings.key_to_bindings[name]
        self._bound = ()
        for operation in self._offers.existing():
            names = keys.keys_of(self.wiring.keymap, operation)
            if not names:
                continue
            words = keys.words_of(self.wiring.keymap, operation)
            self.bind(",".join(names), f"operate('{operation.id}')", description=words)
            self._bound += names

    def _keys_of_operations(self) -> Mapping[str, str]:
        """What is bound, as a person reads it, by operation."""
        named = {o.id: keys.keys_of(self.wiring.keymap, o) for o in self._offers.existing()}
        return {operation: shown(names[0]) for operation, names in named.items() if names}

    def _operation_changed(self) -> None:
        self.session.set_operating(self.operating.busy)
        if self._service is not None:
            self._service.run_state = self._reminder()
        self.services.remind(self._reminder())
        self.refresh_bindings()

    def _reminder(self) -> Any:
        hidden = self.operating.seen and not self.operating.running
        return None if hidden else self.operating.state

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that make no sense here are not shown; operations that may not run are dimmed."""
        if action != "operate":
            return True
        if self._service is None or isinstance(self.screen, OpeningScreen):
            return False
        operation_id = str(parameters[0])
        if self._offers.may_press(operation_id):
            return True
        return False if self._offers.is_passing(operation_id) else None

    # Looking

    def action_refresh(self) -> None:
        """Ask AWS for everything now."""
        self._connecting.now()
        self.session.refresh()
        if self._service is None:
            self.services.refresh()

    def action_describe(self) -> None:
        """All that is known of the highlighted row."""
        if self._service is not None:
            self._pages.describe(self._service.pane)

    def action_open(self) -> None:
        """The highlighted row: a task with its log, or all that is known of it."""
        if self._service is not None:
            self._pages.open(self._service.pane, self._service.logs)

    def action_logs_of_row(self) -> None:
        """The logs of the highlighted task alone."""
        if self._service is not None and self._pages.show_logs(
            self._service.pane, self._service.logs
        ):
            self._service.action_pane("logs")

    def action_definition_diff(self) -> None:
        """Old against new task definition."""
        self._pages.tasks.diff()

    def action_browse(self) -> None:
        """The site, or AWS's page of the highlighted row."""
        if self._service is not None:
            self._pages.browse(self._service.pane)

    def action_shell(self) -> None:
        """A shell in the highlighted task."""
        snapshot = self.session.snapshot
        if self._service is None or snapshot is None:
            return
        arn = self._pane.selection if isinstance(self._pane, TasksPane) else None
        self._shelling.offer(snapshot, arn or "")

    def action_events(self) -> None:
        """The service's events, in AWS's words."""
        self._pages.events()

    def action_history(self) -> None:
        """The service's deployments."""
        self._pages.history()

    def action_timeline(self) -> None:
        """What happened, in one list by time."""
        self._pages.timeline()

    def action_watch_logs(self, group: str = "", stream: str = "") -> None:
        """`awslogs get GROUP STREAM --watch` on the bare terminal; the group shown, all streams."""
        gateway, service, run = self.session.gateway, self._service, self.wiring.watch_logs
        if not group and service is not None:
            group = service.logs.state.group
        if gateway is None or not group or run is None:
            self.notify("No log group is known to be read", title="awslogs", severity="warning")
            return
        place = gateway.place

        async def leave_and_return() -> None:
            problem = await hand_over(self, lambda: run(place, group, stream))
            if problem:
                self.notify(plain(problem), title="awslogs", severity="warning", markup=False)

        self.run_worker(leave_and_return(), description="awslogs")

    def action_help(self) -> None:
        """Every key."""
        screen = self.screen
        marked = screen.of_marked if isinstance(screen, ServicesScreen) else ()
        self._pages.help(self._offers.listed, marked)

    def action_leave_service(self) -> None:
        """`esc` on a service: the list, unless something else was opened meanwhile."""
        left = self.screen

        def leave() -> None:
            if self.screen is left:
                self.action_services()

        self.when_sure(leave)

    def action_services(self) -> None:
        """Every service of the cluster, worst first, in place of the one that is shown."""
        gateway, ref = self.session.gateway, self.session.ref
        if gateway is None or ref is None or self._service is None:
            return
        self._connecting.stop()
        self._uncover()
        # The probe goes on: it counts what fails during a deployment, seen or not.
        self.session.stop()
        self._service = None
        self._offers.clear()
        self.services.show(gateway, (ref.cluster,), of=ref)
        self.services.remind(self._reminder())

    def action_pick(self) -> None:
        """Another cluster and service."""
        if self.session.gateway is None:
            self._connecting.start(choose=True)
        else:
            self.pickers.cluster()

    def commands(self) -> tuple[Command, ...]:
        """What the palette lists: what may be done now and read first, what may not now last."""
        leave = Command("quit", "Leave the console", self.action_quit)
        pick = [Command(name, words, run) for name, words, run in self.pickers.commands()]
        again = self._command("refresh", "refresh", self.action_refresh)
        help_ = self._command("help", "help", self.action_help)
        if self._service is None:
            return (*pick, again, help_, leave) if self.services.screen else (leave,)
        now: list[Command] = []
        not_now: list[Command] = []
        for operation, no in self._offers.listed:
            run = partial(self.action_operate, operation.id)
            told = f"not now: {no.reason}" if no else operation.help
            command = Command(operation.title, told, run, self._key(operation.id))
            (not_now if no else now).append(command)
        if self.operating.state is not None:
            now.append(Command("last operation", "How it goes or ended", self.operating.show))
        to_awslogs = "Leave the screen to awslogs get GROUP ALL --watch"
        return (
            *now,
            self._command("describe", "describe", self.action_describe),
            self._command("definition diff", "definition-diff", self.action_definition_diff),
            self._command("events", "events", self.action_events),
            self._command("history", "history", self.action_history),
            self._command("timeline", "timeline", self.action_timeline),
            *pick,
            Command("services", "Every service, worst first", self.action_services),
            Command("awslogs", to_awslogs, self.action_watch_logs),
            *self._stack_commands.commands(self._pane),
            again,
            help_,
            leave,
            *not_now,
        )

    def _command(self, title: str, name: str, run: Callable[[], object]) -> Command:
        """What a key of the table does, by its name."""
        return Command(title, KEYMAP[name].help, run, self._key(name))

    def _key(self, name: str) -> str:
        """A key as the footer shows it with its word; empty where it has none."""
        key = self.wiring.keymap.get(name)
        return f"{key.shown} {key.words}" if key is not None and key.keys else ""

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """None of Textual's own: a screenshot is a file on the disk that nobody asked for."""
        del screen
        return ()

    # Leaving

    def action_back_or_quit(self) -> None:
        """Back from a page; from the service, out."""
        if isinstance(self.screen, ServiceScreen | ServicesScreen | OpeningScreen):
            self._quit()
        else:
            self.screen.dismiss(None)

    async def action_quit(self) -> None:
        """Out, from anywhere; asks while an operation runs."""
        self._quit()

    def _quit(self) -> None:
        state = self.operating.state
        if not self.operating.running or state is None:
            self._out()
        elif not isinstance(self.screen, QuitScreen):
            screen = QuitScreen(
                state.proposal.plan.summary,
                settle=self.wiring.timing.settle,
                endpoint=state.proposal.snapshot.place.endpoint_words,
            )
            self.push_screen(screen, lambda leave: self._leave() if leave else None)

    def _leave(self) -> None:
        """Out; what goes on is told on the terminal that is seen then."""
        state = self.operating.state
        self._out(left_words(state) if state is not None and not state.ended else "")

    def _out(self, told: str = "") -> None:
        """Out, and what is told on the terminal that is seen then."""

        def gone() -> None:
            lines = filter(None, (told, *map(plain, self.operating.drafts.left)))
            words = "\n".join(lines)
            self.exit("quit", message=Text(words) if words else None)

        self.operating.leave()
        self._end(gone)

    def end_by(self, die: Callable[[], None]) -> None:
        """A signal ends it: the terminal was closed, the link is gone."""

        def gone() -> None:
            self.give_terminal_back()
            die()

        self._end(gone)

    def _end(self, end: Callable[[], None]) -> None:
        """End once what was drafted for a question is deleted; where that is asked again, at once.

        It is waited for no longer than `PATIENCE`.
        """
        again, self._ending = self._ending is not None, end
        self.operating.drop_question()
        if again or not self.operating.drafts.open:
            end()
        else:
            self.notify("Deleting a draft change set …", title="Leaving", timeout=PATIENCE)
            self.set_timer(PATIENCE, end)
