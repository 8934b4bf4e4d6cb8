"""What an operation *is*: one value that feeds every surface.

From it come the key binding, footer, palette entry, help, sub-command, confirmation, dry run and
audit record. An operation says what it would do (`plan`, pure) apart from what it has looked up
(`gather`, reads only) and from doing it (its steps, see `step`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, Generic, Literal, TypeVar, cast

if TYPE_CHECKING:
    from bgconsole.domain.services import ServiceRef
    from bgconsole.domain.snapshot import Snapshot, Source
    from bgconsole.gateway.port import Gateway
    from bgconsole.operations.audit import Record
    from bgconsole.operations.step import Step
    from bgconsole.watch.follow import Expected


class Risk(Enum):
    """How hard an operation asks."""

    SAFE = "safe"
    """Reads, or is undone by pressing the key again: no question."""
    DISRUPTIVE = "disruptive"
    """Replaces running tasks: yes or no, the cursor on No."""
    DANGEROUS = "dangerous"
    """Moves production traffic or cannot be undone: what is at stake is typed."""


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter, as a flag of the sub-command and a field of the dialog."""

    name: str
    help: str
    default: str = ""
    flag: bool = False
    """Whether it is given or not, without a value: it is `yes` then."""
    argument: bool = False
    """Whether the sub-command takes it by its place rather than by its name."""
    row: bool = False
    """Whether the console gives it the highlighted task."""
    many: bool = False
    """Whether several of it may be given, by their place; one a line."""


Params = Mapping[str, str]


def items_in(params: Params) -> list[str]:
    """What was given by its place, where several may be: the parameter `items`."""
    return [item for item in params.get("items", "").split("\n") if item]


CheckState = Literal["ok", "warning", "problem", "not checked", "checking"]
CHECK_GLYPHS: Mapping[CheckState, str] = MappingProxyType(
    {"ok": "✓", "warning": "▲", "problem": "✖", "not checked": "?", "checking": "◌"}
)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at before acting."""

    words: str
    state: CheckState
    """`not checked` carries the reason in `words`; it never reads as ok and never blocks."""

    @property
    def glyph(self) -> str:
        """The state, readable without colour."""
        return CHECK_GLYPHS[self.state]

    @property
    def told(self) -> str:
        """The words, with the state where they do not say that there is no answer."""
        silent = self.state in ("checking", "not checked") and self.state not in self.words
        return f"{self.words} · {self.state}" if silent else self.words


def not_checked(what: str, why: str, rest: str = "") -> Check:
    """A check that could not be made, with the reason."""
    return Check(f"{what}: not checked ({why}){rest}", "not checked")


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of the preview, such as `from  revision 43 …`. Changed facts change the plan."""

    label: str
    value: str
    decides: bool = True
    """Whether it belongs to what would be done; ages and comfort lines do not."""
    aside: str = ""
    """Shown behind the value, never decides: `live since 13:40`."""
    loud: bool = False
    """Whether it tells of something that is lost."""


@dataclass(frozen=True, slots=True)
class Otherwise:
    """Another way to the same end, offered beside a plan."""

    words: str
    params: Params
    """What is given besides, to go that way."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Exactly what the confirmation and the dry run show, and what is done."""

    summary: str
    """One line: `Roll back democluster-service from revision 43 to 42`."""
    facts: tuple[Fact, ...]
    checks: tuple[Check, ...]
    steps: tuple[Step, ...]
    confirm: str = ""
    """What must be typed where the risk is DANGEROUS: the target revision's number."""
    expect: Expected | None = None
    """What the end must look like, for the follower; None where nothing is followed."""
    notes: tuple[str, ...] = ()
    """What else to know before."""
    left_to_do: tuple[str, ...] = ()
    """What is left to do after it; shown before, and again on the receipt."""
    otherwise: Otherwise | None = None
    """What may be wanted instead: a key of the dialog, a flag of the sub-command."""
    raised: Risk | None = None
    """A higher risk than the operation's own, where what would be done is more than usual."""
    before: str = ""
    """What is live now, in words, for the audit record and the receipt."""
    after: str = ""
    """What is to be live."""
    stacks: tuple[str, ...] = ()
    """The stacks that an operation on a service changes: they must be within `operate` as well."""
    target: str = ""
    """What it is about, for lock, audit and receipt; the service where it is empty."""
    in_view: tuple[str, ...] = ("from", "to")
    """Labels of the facts that stay in view while the rest is read; the first two where there are
    none of these."""

    def decides(self) -> tuple[tuple[str, str], ...]:
        """The facts that count when the plan is compared with one made again."""
        return tuple((fact.label, fact.value) for fact in self.facts if fact.decides)


@dataclass(frozen=True, slots=True)
class No:
    """Why an operation may not run; the same words reach footer, palette, dialog and CLI."""

    reason: str
    choices: tuple[tuple[str, str], ...] = ()
    """Where the user may pick instead: values for a parameter, each with its words."""
    param: str = "to"
    """The parameter that the choices are values of."""
    free: bool = False
    """Whether a value that is none of the choices may be typed as well."""
    secrets: tuple[str, ...] = ()
    """Secret values that are lacking: a parameter `secret-NAME` each, asked for, never in argv."""
    command: str = ""
    """What the user may run in its place, where this is only named here."""


Found = TypeVar("Found")


@dataclass(frozen=True)  # without slots: `Question[int]("…")` sets an attribute of typing's
class Question(Generic[Found]):
    """The name that a look-up is kept under; its type is that of the answer."""

    name: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What `gather` looked up, by name; a look-up that failed holds its error's words instead."""

    found: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    missing: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    ours: tuple[Record, ...] = ()
    """What the audit log holds of this service, oldest first."""
    drafts: tuple[tuple[str, str], ...] = ()
    """The draft change sets that were made to see what would change: stack and name."""

    def answer(self, question: Question[Found]) -> Found | None:
        """What was found; None where it was not, or not asked for."""
        return cast("Found | None", self.found.get(question.name))

    def why_not(self, question: Question[Found]) -> str:
        """Why a look-up failed; empty where it did not, or was not made."""
        return self.missing.get(question.name, "")

    def asked(self, question: Question[Found]) -> bool:
        """Whether it was looked up, with whatever result."""
        return question.name in self.found or question.name in self.missing

    def joined(self, other: Evidence) -> Evidence:
        """With what was looked up besides."""
        return Evidence(
            {**self.found, **other.found},
            {**self.missing, **other.missing},
            self.ours + other.ours,
            self.drafts + other.drafts,
        )


NO_EVIDENCE = Evidence()
"""Nothing was looked up."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that a key, a palette entry and a sub-command do."""

    id: str
    """`service.force-redeploy`; the part behind the dot is the sub-command."""
    title: str
    key: str
    """Empty where there is none: it is begun by name then, in the palette or as a sub-command."""
    help: str
    risk: Risk
    allowed: Callable[[Snapshot], No | None]
    """Pure and quick; None lets it run."""
    gather: Callable[[Gateway, Snapshot, Params], Evidence]
    """Reads only; blocks; off the UI loop."""
    plan: Callable[[Snapshot, Params, Evidence | None], Plan | No]
    """Pure. Without evidence: the plan as far as the snapshot tells, checks "checking"."""
    params: tuple[Param, ...] = ()
    footer: str = ""
    """A shorter title for the footer."""
    ask_first: Callable[[Snapshot, Params], No | None] | None = None
    """What the console lets the user choose before it plans, given what is configured."""
    aside: Callable[[Gateway, Snapshot, Params, Evidence], Evidence] | None = None
    """Looks up what only the reader wants to know, once: it may take long, decides nothing, and is
    not asked again when the plan is carried out."""
    several: bool = False
    """Whether it may be done on several services, one after the other."""
    shared: bool = False
    """Whether what it makes is of no one service: where several ask for the same it is done once.
    """
    about: Literal["service", "stacks"] = "service"
    """`stacks` needs no service: its snapshot holds who we are and the stacks."""
    sources: tuple[Source, ...] = ()
    """What of a snapshot it goes by; only this is read for it. Empty: all that decides anything."""
    discard: Callable[[Gateway, Evidence], None] | None = None
    """Takes back what `gather` drafted, where a plan is not carried out (to its end)."""
    passing: bool = False
    """Whether it makes sense in passing states only: elsewhere the footer leaves it out."""

    @property
    def command(self) -> str:
        """`service.force-redeploy` is `bgconsole force-redeploy`."""
        return self.id.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Proposal:
    """A plan for one frozen target, ready to be shown and confirmed."""

    operation: Operation
    ref: ServiceRef
    params: Params
    plan: Plan
    snapshot: Snapshot
    evidence: Evidence | None
    """What the plan was made from; None before anything was looked up."""
    aside: Evidence
    """What was looked up for the reader alone."""
    risk: Risk
    """The operation's, as the configuration raises or lowers it."""

    @property
    def title(self) -> str:
        """The operation's."""
        return self.operation.title

    @property
    def confirm(self) -> str:
        """What must be typed where the risk is DANGEROUS."""
        return self.plan.confirm

    @property
    def target(self) -> str:
        """What it is about, in a word or two: the service, or stacks."""
        return self.plan.target or str(self.ref)

    @property
    def gathered(self) -> bool:
        """Whether evidence is in the plan."""
        return self.evidence is not None
