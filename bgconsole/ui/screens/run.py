"""An operation while it runs and after: steps, what AWS answered, milestones, end, receipt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from bgconsole.config.keymap import KEYMAP
from bgconsole.domain import amount_words
from bgconsole.domain.duration import spell
from bgconsole.domain.plain import plain
from bgconsole.domain.superseded import WATCHED
from bgconsole.operations.outcome import Outcome
from bgconsole.ui import plan_text
from bgconsole.ui.copying import copy
from bgconsole.ui.keys import read
from bgconsole.ui.messages import StopAsked
from bgconsole.ui.outside import one_line
from bgconsole.ui.run_state import RunState, StepState, Told
from bgconsole.ui.widgets.hanging_text import HangingText, Line
from bgconsole.ui.widgets.steady_footer import SteadyFooter
from bgconsole.watch.telling import Amount

_STEP: dict[StepState, tuple[str, str, str]] = {
    "waits": ("·", "not started", "dim"),
    "runs": ("◐", "running", "bold $text-primary"),
    "done": ("✓", "done", "$text-success"),
    "failed": ("✖", "failed", "bold $text-error"),
}


MOST_AMOUNTS = 5
"""Bars at once: the newest."""
_STOP = read(KEYMAP, "service.stop", "stop", footer=True)


class RunScreen(Screen[None]):
    """Leaving it never stops the work."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *read(KEYMAP, "back", "leave", footer=True),
        *read(KEYMAP, "copy", "copy", footer=True),
        *(replace(binding, description="stop") for binding in _STOP),
    ]

    def __init__(self, state: RunState, clock: Callable[[], datetime]) -> None:
        super().__init__()
        self._clock = clock
        self.state = state
        """What is shown; `show` replaces it."""
        self._composed = False

    def compose(self) -> ComposeResult:
        """Where, what and how far on top; steps and the story below; the end last."""
        yield Static(plan_text.target(self.state.proposal), id="run-target")
        yield HangingText(id="run-headline")
        yield Static(id="run-now")
        yield HangingText(id="run-amounts")
        with VerticalScroll(id="run-body"):
            yield HangingText(id="run-steps")
            yield HangingText(id="run-story")
            yield HangingText(id="run-end")
        yield SteadyFooter()

    def on_mount(self) -> None:
        """The seconds run while it runs."""
        self._composed = True
        self._seconds = self.set_interval(1.0, self._tick)
        self._paint()

    def on_resize(self) -> None:
        """More or less of it is in view."""
        self.call_after_refresh(self._pin)

    def on_screen_suspend(self) -> None:
        """Nobody looks."""
        self._seconds.pause()

    def on_screen_resume(self) -> None:
        """Somebody looks again."""
        self._seconds.resume()
        self._paint()

    def show(self, state: RunState) -> None:
        """Paint what has happened since."""
        if state.sending != self.state.sending:
            self.refresh_bindings()
        self.state = state
        # While the console ends, the rows go before the screen does.
        if self._composed and self.query("#run-target, #run-end"):
            self.query_one("#run-target", Static).update(plan_text.target(state.proposal))
            self._paint()

    def action_leave(self) -> None:
        """Back to the service; the work goes on."""
        self.dismiss(None)

    def action_stop(self) -> None:
        """Ask whether no further step is to be begun."""
        self.post_message(StopAsked())

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Once all is sent there is nothing of it left to stop: the key stops the deployment."""
        del parameters
        return action != "stop" or self.state.sending

    def action_copy(self) -> None:
        """Copy the receipt, or the story so far."""
        outcome = self.state.outcome
        told = outcome.receipt if outcome and outcome.receipt else self._story_lines()
        copy(self.app, "\n".join(plain(line) for line in told))

    def _tick(self) -> None:
        if not self.state.ended:
            self._paint_headline()

    def _paint(self) -> None:
        state = self.state
        body = self.query_one("#run-body", VerticalScroll)
        followed = body.is_vertical_scroll_end
        self._paint_headline()
        steps = [Line(one_line(f"✓ {words}", "$text-success"), 2) for words in state.earlier]
        for number, ((words, command), become) in enumerate(
            zip(state.said, state.steps, strict=True), 1
        ):
            glyph, word, style = _STEP[become]
            steps.append(
                Line(
                    Content.assemble(
                        (f"{glyph} ", style), f"{number} {plain(words)}  ", (word, style)
                    ),
                    4,
                )
            )
            if command and become != "waits":
                # What is still to be called was read in the plan; here it would push out of sight
                # what happens now.
                steps.append(Line(Content.styled(f"    {plain(command)}", "dim"), 6))
        self.query_one("#run-steps", HangingText).show(steps)
        amounts = self.query_one("#run-amounts", HangingText)
        amounts.show(map(_amount, tuple(state.amounts.values())[-MOST_AMOUNTS:]))
        amounts.display = bool(state.amounts) and not state.ended
        story = [Line(_told(each), 11) for each in state.told if _worth_telling(each)]
        self.query_one("#run-story", HangingText).show(story)
        end = self.query_one("#run-end", HangingText)
        end.display = state.outcome is not None
        if state.outcome is not None:
            end.show([*_end(state.outcome), *_after(state)])
        if followed or state.outcome is not None:
            # What comes last is seen, until somebody scrolls. (An anchor of Textual's, 8.2.8, would
            # push what is shorter than the screen to its bottom.)
            body.scroll_end(animate=False)
        self.call_after_refresh(self._pin)

    def _pin(self) -> None:
        """The step that runs or failed, above what scrolls, where not all of that is in view."""
        if not self.is_attached:
            return
        now, body = self.query_one("#run-now", Static), self.query_one("#run-body", VerticalScroll)
        steps = enumerate(zip(self.state.said, self.state.steps, strict=True), 1)
        telling = [each for each in steps if each[1][1] in ("runs", "failed")]
        wanted = bool(telling) and body.max_scroll_y > 0
        if wanted != now.display:
            at_end = body.is_vertical_scroll_end
            now.display = wanted
            if at_end:
                body.scroll_end(animate=False)
        if telling:
            number, ((words, _), become) = telling[-1]
            glyph, _, style = _STEP[become]
            told = Content.assemble((f"{glyph} ", style), one_line(f"{number} {words}"))
            now.update(told)

    def _paint_headline(self) -> None:
        told = headline(self.state, self._clock())
        self.query_one("#run-headline", HangingText).show([Line(told)])

    def _story_lines(self) -> tuple[str, ...]:
        told = (str(_told(each)) for each in self.state.told if _worth_telling(each))
        return (self.state.proposal.plan.summary, *told)


def headline(state: RunState, now: datetime, width: int = 0) -> Content:
    """One line: what, how far, how long; the end in green or red once it is there.

    Args:
        state: of the run.
        now: for how long it takes.
        width: cells, where there are no more: the summary gives way, neither outcome nor time.
    """
    summary, outcome = plain(state.proposal.plan.summary), state.outcome
    took = spell((state.ended_at or now) - state.started_at)
    if state.superseded:
        told = Content.assemble(("✖ ", "bold $text-error"), one_line(state.superseded, "bold"))
        return told.truncate(width, ellipsis=True) if width else told
    if outcome is not None:
        glyph, style = ("✓", "bold $text-success") if outcome.ok else ("✖", "bold $text-error")
        first = Content.assemble((f"{glyph} {plain(outcome.title)}", style), "  ")
        return _in(width, first, summary, f" · took {took}")
    steps = len(state.proposal.plan.steps)
    if count := len(state.earlier) + len(state.later):
        summary = f"{len(state.earlier) + 1} of {count + 1}: {summary}"
    at = f"step {state.current} of {steps}" if state.current else "reading the world once more"
    first = Content.assemble(("◐ ", "bold $text-primary"))
    return _in(width, first, summary, f" · {at} · {took}")


def _in(width: int, first: Content, summary: str, last: str) -> Content:
    """The three in so many cells; 0 is as many as they take."""
    told = Content(summary)
    if width:
        room = width - first.cell_length - Content(last).cell_length
        told = told.truncate(max(1, room), ellipsis=True)
    return Content.assemble(first, told, last)


def _after(state: RunState) -> list[Line]:
    """What came after the end, or until when that is watched for."""
    if state.not_begun:
        return [Line(Content("")), Line(one_line(f"✖ {state.not_begun}", "bold $text-error"), 2)]
    if state.superseded:
        return [Line(Content("")), Line(one_line(f"✖ {state.superseded}", "bold $text-error"), 2)]
    if state.outcome is None or not state.outcome.deployment or state.ended_at is None:
        return []
    until = (state.ended_at + WATCHED).astimezone()
    words = f"watched until {until:%H:%M}: what is deployed over it is told here"
    return [Line(Content("")), Line(Content.styled(words, "dim"))]


def _amount(amount: Amount) -> Line:
    bar = amount_words.bar(amount.done, amount.total, 20) if amount.total else ""
    told = amount_words.progress(amount.done, amount.total)
    return Line(
        Content.assemble("  ", (f"{bar} ", "$text-primary"), f"{plain(amount.of)}  {told}"), 2
    )


def _worth_telling(each: Told) -> bool:
    return each.progress.kind in ("step done", "note", "output", "milestone")


def _told(each: Told) -> Content:
    progress = each.progress
    at = f"{each.at:%H:%M:%S} "
    if progress.kind == "step done":
        if not progress.request_id:
            return Content.assemble((at, "dim"), f"step {progress.step}: done")
        request = f"request id {plain(progress.request_id)}"
        return Content.assemble((at, "dim"), f"step {progress.step}: AWS took it · {request}")
    if progress.kind == "output":
        return Content.assemble((at, "dim"), ("│ ", "dim"), plain(progress.text))
    if progress.request_id:
        words = f"{plain(progress.text)} · request id {plain(progress.request_id)}"
        return Content.assemble((at, "dim"), f"step {progress.step}: {words}")
    mark, style = ("◆ ", "bold") if progress.kind == "milestone" else ("  ", "")
    return Content.assemble((at, "dim"), (mark, style), (plain(progress.text), style))


def _end(outcome: Outcome) -> list[Line]:
    glyph, style = ("✓", "bold $text-success") if outcome.ok else ("✖", "bold $text-error")
    # The title stands in the headline.
    first, *more = outcome.sentence.split("\n")
    told = [Line(Content.assemble((f"{glyph} ", style), one_line(first)), 2)]
    told += [Line(one_line(line)) for line in more]
    if outcome.go_on:
        told.append(Line(Content.assemble("→ ", (plain(outcome.go_on), "bold")), 2))
    if outcome.receipt:
        told += [Line(Content("")), *(Line(one_line(line), 2) for line in outcome.receipt)]
    return told
