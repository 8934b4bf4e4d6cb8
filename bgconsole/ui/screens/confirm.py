"""Asks as hard as the operation's risk says, showing the plan that will be carried out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalGroup, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, Static

from bgconsole.domain.plain import plain
from bgconsole.operations.spec import Params, Plan, Proposal, Risk
from bgconsole.ui import plan_text
from bgconsole.ui.run_state import RunState
from bgconsole.ui.screens.dialog import Dialog
from bgconsole.ui.widgets.hanging_text import HangingText

KEYS_OF_WORD = "enter: do it, the word typed · esc: cancel · pgup pgdn: read on"
KEYS_OF_YES = "y: yes · n, esc: no · enter: what is marked · pgup pgdn: read on"


@dataclass(frozen=True, slots=True)
class Instead:
    """What was chosen in the place of a proposal: another way to the same end."""

    proposal: Proposal
    params: Params


class ConfirmScreen(Dialog[Proposal | Instead | None]):
    """Gives the proposal that was on the screen when it was confirmed, what instead, or None.

    The target is frozen: it is the proposal's, whatever the screens below show by now. Evidence
    comes in by `show`; where it changes what would be done, the keys read before the change was
    painted no longer count.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "cancel"),
        Binding("n", "cancel", "no", show=False),
        Binding("y", "confirm", "yes", show=False),
        Binding("ctrl+t", "instead", "the other way", show=False),
        Binding("left,right", "app.focus_next", show=False),
        Binding("up", "scroll(-1)", show=False),
        Binding("down", "scroll(1)", show=False),
        Binding("pageup", "scroll(-8)", show=False),
        Binding("pagedown", "scroll(8)", show=False),
    ]

    def __init__(
        self,
        proposal: Proposal,
        *,
        settle: float,
        clock: Callable[[], datetime],
        changed_from: Plan | None = None,
        beside: Callable[[], RunState | None] = lambda: None,
    ) -> None:
        """`beside` gives the run that is not followed any more once this is confirmed."""
        super().__init__(settle=settle)
        self._clock = clock
        self._asked_at = clock()
        self._beside = beside
        self.proposal = proposal
        """What is on the screen."""
        self._before = changed_from
        self._refusal = ""

    @property
    def word(self) -> str:
        """What must be typed; empty where yes or no is asked."""
        if self.proposal.risk is not Risk.DANGEROUS:
            return ""
        return self.proposal.plan.confirm or self.proposal.ref.name

    def compose(self) -> ComposeResult:
        """Target and way on top, what there is to read in the middle, the question below."""
        operation = self.proposal.operation
        with VerticalGroup(classes="dialog confirm") as box:
            about = self.proposal.plan.target or self.proposal.ref.name
            box.border_title = Content(plain(f"{operation.title} {about}"))
            box.border_subtitle = Content(KEYS_OF_WORD if self.word else KEYS_OF_YES)
            yield Static(plan_text.target(self.proposal), classes="target")
            yield Static(id="seen")
            yield Static(id="alert")
            yield HangingText(id="way")
            with VerticalScroll(id="rest", can_focus=False):
                yield HangingText(id="plan")
            if self.word:
                with Horizontal(classes="question"):
                    yield Static(plan_text.asked(self.proposal, self.word), id="asked")
                    yield Input(id="word", compact=True, select_on_focus=False)
                    yield Button("Cancel", id="no", compact=True)
            else:
                with Horizontal(classes="buttons"):
                    yield Button("No", id="no", compact=True)
                    yield Button(
                        Content(f"Yes, {operation.title.lower()}"),
                        id="yes",
                        variant="warning",
                        compact=True,
                    )

    def on_mount(self) -> None:
        """The cursor on No, or in the field."""
        self._paint()
        self.set_interval(1.0, self.paint_beside)
        self.query_one("#word" if self.word else "#no").focus()

    def show(self, proposal: Proposal) -> None:
        """Put the gathered plan in the place of the first one."""
        if proposal.plan.decides() != self.proposal.plan.decides() or (
            proposal.plan.confirm != self.proposal.plan.confirm
        ):
            if self.proposal.gathered:  # before that it was known to be open, and nothing changed
                self._before = self._before or self.proposal.plan
            self.rearm()
        typed = bool(self.word)
        self.proposal = proposal
        if bool(self.word) == typed:
            self._paint()
        else:  # what was looked up asks harder, or less hard: the question is another one
            self.rearm()
            self.call_later(self._ask_anew)

    async def _ask_anew(self) -> None:
        if not self.is_attached:
            return
        await self.recompose()
        self._paint()
        self.query_one("#word" if self.word else "#no").focus()

    def refuse(self, reason: str) -> None:
        """It turned out that this cannot be done: only leaving is left."""
        self._refusal = reason
        for control in self.query("#word, #yes"):
            control.disabled = True
        self.query_one("#no", Button).focus()
        self.rearm()
        self._paint()

    def _paint(self) -> None:
        plan = self.proposal.plan
        self.paint_beside()
        self.query_one("#way", HangingText).show(plan_text.way(plan, self._before))
        self.query_one("#plan", HangingText).show(plan_text.rest(plan, self._before))
        for question in self.query("#asked").results(Static):
            question.update(plan_text.asked(self.proposal, self.word))
        self.call_after_refresh(self._fit)

    def paint_beside(self) -> None:
        """What goes on beside the plan: how old the picture is, and what the other run does."""
        alert = plan_text.alert(
            self._refusal, changed=self._before is not None, beside=self._beside()
        )
        self.query_one("#alert", Static).update(alert)
        self.query_one("#alert").display = bool(alert)
        seen = plan_text.seen(self.proposal, self._asked_at, self._clock())
        self.query_one("#seen", Static).update(seen)
        self.query_one("#seen").display = bool(seen)

    def on_resize(self) -> None:
        """What there is to read has another height."""
        self.call_after_refresh(self._fit)

    def _fit(self) -> None:
        """Let what is read end above the question: there it scrolls to its very end."""
        if not self.is_attached:
            return
        box, rest = self.query_one(".confirm"), self.query_one("#rest")
        question = self.query_one(".question, .buttons")
        above = rest.region.y - box.region.y
        below = question.outer_size.height + question.styles.margin.height + box.gutter.bottom
        rest.styles.max_height = max(1, self.size.height - above - below)

    def action_cancel(self) -> None:
        """Leave; nothing was done."""
        self.dismiss(None)

    def action_confirm(self) -> None:
        """Yes, where yes is enough."""
        if not self.word:
            self._agree()

    def action_instead(self) -> None:
        """The other way, where the plan offers one; it asks for itself."""
        other = self.proposal.plan.otherwise
        if other is not None and self.armed:
            self.dismiss(Instead(self.proposal, {**self.proposal.params, **other.params}))

    def action_scroll(self, lines: int) -> None:
        """Read on while the field keeps the cursor."""
        self.query_one("#rest").scroll_relative(y=lines, animate=False)

    def _agree(self) -> None:
        # The app has dropped what came too early; no way round it leads to a write either.
        if self.armed and not self._refusal:
            self.dismiss(self.proposal)

    @on(Input.Submitted, "#word")
    def _submitted(self, event: Input.Submitted) -> None:
        if event.value == self.word:
            self._agree()
        else:
            self._say_wrong(event.value)

    @on(Input.Changed, "#word")
    def _changed(self) -> None:
        self._say_wrong("")

    def _say_wrong(self, typed: str) -> None:
        self.query_one("#word").set_class(bool(typed), "-wrong")
        self.query_one("#asked", Static).update(plan_text.asked(self.proposal, self.word, typed))

    @on(Button.Pressed, "#yes")
    def _yes(self) -> None:
        self.action_confirm()

    @on(Button.Pressed, "#no")
    def _no(self) -> None:
        self.dismiss(None)
