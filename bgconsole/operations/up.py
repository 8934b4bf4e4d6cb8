"""Up: make or update stacks from their templates, in the order that feeds them, by change sets.

It can be run again at any time: what is done already has nothing to change, what was left half-way
is waited for or made anew. Only what was shown is replaced or removed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from shlex import quote

from bgconsole.domain.change_set import ChangeSet
from bgconsole.domain.errors import BgconsoleError, GatewayError
from bgconsole.domain.hourly_costs import hourly
from bgconsole.domain.how_many import how_many
from bgconsole.domain.images import Image, ImageReference, named_digest
from bgconsole.domain.snapshot import Snapshot
from bgconsole.domain.stack_cause import reason_words
from bgconsole.domain.stack_states import way_back
from bgconsole.domain.stacks import Stack
from bgconsole.gateway.port import Gateway
from bgconsole.operations.build import CONTEXT, ENGINE, SOURCE
from bgconsole.operations.first_image import first_image
from bgconsole.operations.package_steps import package_facts, package_steps
from bgconsole.operations.spec import (
    Check,
    Evidence,
    Fact,
    Found,
    No,
    Operation,
    Param,
    Params,
    Plan,
    Question,
    Risk,
    items_in,
)
from bgconsole.operations.stack_conditions import standing
from bgconsole.operations.stack_drafts import change_fact, discard_all, draft
from bgconsole.operations.stack_layout import Turn, Wishes, turns, wishes, with_package
from bgconsole.operations.stack_templates import folder_of, templates_in, wanted
from bgconsole.operations.stack_turn import TurnSteps
from bgconsole.operations.step import Step

_TURNS = Question[tuple[Turn, ...]]("turns")
_WISHES = Question[Wishes]("wishes")
_IMAGES = Question[tuple[Image, ...]]("images")
_REGISTRY = Question[str]("registry")
_PROBLEM = "problem"


def _about_draft(turn: Turn) -> Question[ChangeSet]:
    return Question(f"draft {turn.stack}")


def _gather(gateway: Gateway, snapshot: Snapshot, params: Params) -> Evidence:
    """Read the templates, draft what can be drafted, look for an image."""
    try:
        folder = folder_of(params.get("templates", ""))
        templates, wished = templates_in(folder), wishes(params, folder)
    except BgconsoleError as error:
        return Evidence(missing={_PROBLEM: str(error)})
    present = {stack.name: stack for stack in snapshot.stacks.value or ()}
    chosen = wanted(
        templates,
        wished.stacks,
        given=frozenset({*wished.values, *wished.shared}),
        there=frozenset(n for n, s in present.items() if s.status != "REVIEW_IN_PROGRESS"),
    )
    found: dict[str, object] = {_WISHES.name: wished}
    missing: dict[str, str] = {}
    if isinstance(chosen, str):
        return Evidence(found, {_PROBLEM: f"{chosen!r} is no stack of {folder}."})
    planned = turns(chosen, present, wished)
    found[_TURNS.name] = planned
    drafted: list[tuple[str, str]] = []
    if _refusal(planned, wished) is None:
        try:
            planned = tuple(_packaged(gateway, turn, folder, snapshot, params) for turn in planned)
        except BgconsoleError as error:
            return Evidence(found, {_PROBLEM: str(error)})
        found[_TURNS.name] = planned
        try:
            for turn in filter(_draftable, planned):
                drafted.append((turn.stack, turn.draft_name))
                _look(found, missing, _about_draft(turn), partial(draft, gateway, turn))
            _look_for_image(gateway, planned, present, found, missing)
        except BaseException:  # ctrl+c, too, leaves no draft behind
            with suppress(GatewayError):
                discard_all(gateway, tuple(drafted))
            raise
    return Evidence(found, missing, drafts=tuple(drafted))


def _packaged(
    gateway: Gateway, turn: Turn, folder: Path, snapshot: Snapshot, params: Params
) -> Turn:
    return with_package(
        turn, folder, params.get("artifact-bucket", ""), snapshot, gateway.artifacts
    )


def _look(
    found: dict[str, object],
    missing: dict[str, str],
    question: Question[Found],
    ask: Callable[[], Found],
) -> None:
    try:
        found[question.name] = ask()
    except GatewayError as error:
        missing[question.name] = str(error)


def _look_for_image(
    gateway: Gateway,
    planned: tuple[Turn, ...],
    present: Mapping[str, Stack],
    found: dict[str, object],
    missing: dict[str, str],
) -> None:
    """The newest image of the repository that feeds a stack, or what one could be built of."""
    feed = next((t.waits["DockerImage"] for t in planned if "DockerImage" in t.waits), None)
    if feed is None:
        return
    stack = present.get(feed.stack)
    uri = stack.output(feed.output) if stack else None
    if uri:
        repository = ImageReference.parse(uri).repository
        found[_REGISTRY.name] = uri
        _look(found, missing, _IMAGES, lambda: gateway.images.images(repository))
    if not {**found, **missing}.get(_IMAGES.name):
        _look(found, missing, SOURCE, lambda: gateway.docker.source(CONTEXT, ""))
        _look(found, missing, ENGINE, gateway.docker.engine)


def _draftable(turn: Turn) -> bool:
    """Whether it can be drafted now: values known, what it nests in its bucket, the stack at rest
    and not in the way."""
    if turn.waits or turn.lacks or turn.behind or (turn.package and turn.package.missing):
        return False
    present = turn.present
    return present is None or way_back(present.status).updates


def _refusal(planned: tuple[Turn, ...], wished: Wishes) -> No | None:
    """What is wrong with what was asked for."""
    known = {name for turn in planned for name in turn.template.parameters}
    if strangers := sorted(set(wished.values) - known):
        return No(f"No template of {_names(planned)} has a parameter {', '.join(strangers)}.")
    each = (_refused_turn(turn, wished) for turn in planned)
    return next((no for no in each if no is not None), None)


def _refused_turn(turn: Turn, wished: Wishes) -> No | None:
    secret = {name for name, told in turn.template.parameters.items() if told.secret}
    if shown := sorted(secret & set(wished.values)):
        return No(
            f"{', '.join(shown)} is secret and would be seen in the list of processes: give "
            "it by --parameter-file, or leave it out to be asked."
        )
    if turn.secrets:
        return No(
            f"{turn.stack} needs {', '.join(turn.secrets)}: give it by --parameter-file.",
            secrets=turn.secrets,
        )
    if turn.lacks:
        feeds = turn.template.feeds
        fed = (f"{name} (of {feeds[name].stack})" if name in feeds else name for name in turn.lacks)
        return No(f"{turn.stack} needs {', '.join(fed)}: give NAME=value, or that stack too.")
    if (there := turn.present) and not there.moving:
        way = way_back(there.status, there.name)
        if not way.updates and not way.recreate:
            return No(f"{there.name} is {there.status}: {way.words}")
    return None


def _plan(snapshot: Snapshot, params: Params, evidence: Evidence | None) -> Plan | No:
    if evidence is None:
        checking = Check("the templates, the stacks, and what would change", "checking")
        return Plan("Bring the stacks up", (), (checking,), ())
    if problem := evidence.missing.get(_PROBLEM):
        return No(problem)
    planned, wished = evidence.answer(_TURNS) or (), evidence.answer(_WISHES)
    if no := (wished and _refusal(planned, wished)) or _imageless(planned, evidence):
        return no
    parts = [_part(turn, snapshot, params, evidence) for turn in planned]
    names = _names(planned)
    packages = [turn.package for turn in planned if turn.package]
    facts = (
        *(fact for package in packages for fact in package_facts(package)),
        *_tag_facts(planned),
        *(fact for part in parts for fact in part.facts),
    )
    checks = _draft_checks(planned, evidence)
    steps = tuple(step for part in parts for step in part.steps)
    if not steps and not any(check.state == "problem" for check in checks):
        return Plan(f"Nothing to do: {names}", facts, checks, (), target=names)
    most = "up to " if any(part.at_most for part in parts) else ""
    kinds = [kind for part in parts for kind in part.kinds]
    notes = [f"costs {most}{line}" for line in hourly(kinds)]
    destroys = " ".join(part.stack for part in parts if part.destroys or part.hides)
    if any(part.destroys for part in parts):
        notes.append("± replaces and - removes what is there; what it holds may be lost with it.")
    hides = [name for part in parts for name in part.hides]
    if hides:
        notes.append(
            f"What changes inside {', '.join(hides)} is not known before: a change set tells only "
            "that a nested stack changes, and what is replaced there may be lost."
        )
    if evidence.drafts:
        notes.append(
            "To see this, draft change sets bgconsole-… were made for "
            f"{', '.join(stack for stack, _ in evidence.drafts)}"
            "; what is not carried out is deleted."
        )
    return Plan(
        summary=f"Bring up {names}",
        facts=facts,
        checks=checks,
        steps=steps,
        confirm=destroys or names,
        notes=tuple(notes),
        raised=Risk.DANGEROUS if destroys else None,
        before="; ".join(_state(turn) for turn in planned),
        after=f"{names} as in the templates",
        target=names,
    )


@dataclass(frozen=True, slots=True)
class _Part:
    """What one stack's turn adds to the plan."""

    stack: str
    facts: tuple[Fact, ...]
    steps: tuple[Step, ...] = ()
    kinds: tuple[str, ...] = ()
    at_most: bool = False
    """Whether the conditions of a template may leave some of them out."""
    destroys: bool = False
    hides: tuple[str, ...] = ()
    """Nested stacks that hold data and may change, nobody knows how."""


def _part(turn: Turn, snapshot: Snapshot, params: Params, evidence: Evidence) -> _Part:
    shown = evidence.answer(_about_draft(turn))
    facts = _facts(turn, shown)
    if shown is not None and shown.empty:
        return _Part(turn.stack, facts)
    steps: tuple[Step, ...] = ()
    images, source = evidence.answer(_IMAGES), evidence.answer(SOURCE)
    if "DockerImage" in turn.waits:
        if images:
            tag = ", ".join(images[0].tags) or "no tag"
            words = f"{tag} · {named_digest(images[0].digest)}, the newest"
            facts += (Fact("  image", words),)
        elif source:
            steps = first_image(turn.waits["DockerImage"], source, snapshot.place)
            facts += (Fact("  image", f"built of {source.folder}: there is none yet"),)
    if turn.package:
        steps += package_steps(turn.package, snapshot.place, _again(params))
    own = TurnSteps(
        turn,
        shown,
        snapshot.place,
        _again(params),
        image=images[0] if images else None,
        registry=evidence.answer(_REGISTRY) or "",
        site="LoadBalancerUrl" in turn.template.outputs,
    )
    return _Part(
        turn.stack,
        facts,
        (*steps, *own.steps()),
        tuple(_kinds(turn, shown)),
        at_most=shown is None or turn.package is not None,
        destroys=shown is not None
        and not turn.creates
        and any(change.loses for change in shown.changes),
        hides=_hides(turn, shown),
    )


def _hides(turn: Turn, shown: ChangeSet | None) -> tuple[str, ...]:
    """Nested stacks that hold data and change, or may: a change set does not tell what in them."""
    if turn.creates or turn.package is None:
        return ()
    if shown is None:
        return tuple(sorted(turn.package.keeps))
    return tuple(
        change.logical_id
        for change in shown.changes
        if change.verb == "change" and change.logical_id in turn.package.keeps
    )


def _imageless(planned: tuple[Turn, ...], evidence: Evidence) -> No | None:
    """Why a stack that needs an image cannot have one."""
    images = evidence.answer(_IMAGES)
    if images or not any("DockerImage" in turn.waits for turn in planned):
        return None
    if why := evidence.why_not(_IMAGES):
        return No(f"Which image there is could not be read ({why}). Give DockerImage=…")
    lacks = (
        (evidence.why_not(SOURCE), "nothing to build one of"),
        (evidence.why_not(ENGINE), "no Docker engine"),
    )
    for why, lack in lacks:
        if why:
            return No(f"There is no image yet, and {lack} ({why}). Give DockerImage=…")
    return None


def _draft_checks(planned: tuple[Turn, ...], evidence: Evidence) -> tuple[Check, ...]:
    """What AWS said against a draft."""
    problems = []
    for turn in planned:
        drafted = evidence.answer(_about_draft(turn))
        if why := evidence.why_not(_about_draft(turn)):
            problems.append(f"{turn.stack}: {why}")
        elif drafted and drafted.status == "FAILED" and not drafted.empty:
            problems.append(f"{turn.stack}: {reason_words(drafted.reason)}")
    return tuple(Check(problem, "problem") for problem in problems)


def _facts(turn: Turn, shown: ChangeSet | None) -> tuple[Fact, ...]:
    if shown is not None and shown.empty:
        return (Fact(turn.stack, "nothing to change"),)
    if turn.creates:
        kinds = Counter(kind.rpartition("::")[2] for kind in _kinds(turn, shown))
        words = ", ".join(f"{n} × {k}" if n > 1 else k for k, n in sorted(kinds.items()))
        made = sum(kinds.values())
        sure = shown and not turn.package
        many = f"{'' if sure else 'up to '}{how_many(made, 'resource')}"
        left = f" after {turn.present.status} is deleted" if turn.present else ""
        return (Fact(turn.stack, f"create{left}: {many}", aside=words),)
    if shown is None:
        after = ", ".join(sorted({*turn.behind, *(feed.stack for feed in turn.waits.values())}))
        present = turn.present
        if present and present.moving:
            return (Fact(turn.stack, f"update, if anything differs, once {present.status} ends"),)
        if not after:
            return (Fact(turn.stack, "update, if anything differs: known once it is uploaded"),)
        return (Fact(turn.stack, f"update, if anything differs after {after}"),)
    changes = (change_fact(change, loud=change.destroys) for change in shown.changes)
    differ = f"{len(shown.changes) or 'no resource'} to change"
    return (Fact(turn.stack, f"update: {differ}"), *changes)


def _tag_facts(planned: tuple[Turn, ...]) -> tuple[Fact, ...]:
    tags = planned[0].tags if planned else {}
    words = ", ".join(f"{name}={value}" for name, value in tags.items())
    return (Fact("tags", words, aside="on each stack and what is in it"),) if words else ()


def _kinds(turn: Turn, shown: ChangeSet | None) -> list[str]:
    """The types of what would be made, that in nested stacks too."""
    if shown is not None:
        added = [(each.logical_id, each.kind) for each in shown.changes if each.verb == "add"]
    else:
        stands = standing(turn.template.tree, turn.known)
        added = list(stands.items()) if turn.creates else []
    inside = turn.package.kinds if turn.package else {}
    return [kind for name, own in added for kind in (own, *inside.get(name, ()))]


def _names(planned: tuple[Turn, ...]) -> str:
    return ", ".join(turn.stack for turn in planned)


def _state(turn: Turn) -> str:
    return f"{turn.stack} {turn.present.status if turn.present else 'not there'}"


def _again(params: Params) -> str:
    words = ["bgconsole", "up"]
    words += map(quote, items_in(params))
    for name in ("parameters", "parameter-file", "templates", "artifact-bucket"):
        if value := params.get(name):
            words.append(f"--{name} {quote(value)}")
    return " ".join(words)


def _discard(gateway: Gateway, evidence: Evidence) -> None:
    discard_all(gateway, evidence.drafts)


UP = Operation(
    id="stacks.up",
    title="Bring up stacks",
    key="",
    help="Make or update stacks from their templates; run again, it goes on.",
    risk=Risk.DISRUPTIVE,
    allowed=lambda _: None,
    gather=_gather,
    plan=_plan,
    about="stacks",
    discard=_discard,
    params=(
        Param(
            "items",
            "Stacks (all that the site needs, where none is named) and NAME=value parameters",
            "STACK | NAME=value",
            many=True,
        ),
        Param("parameters", "A set of parameters of the templates' folder: dev or prod"),
        Param("parameter-file", "A JSON file of parameters, secret ones too"),
        Param("templates", "The folder of the templates; ./cfn or the installed ones"),
        Param("artifact-bucket", "The bucket for nested templates; by account and region else"),
    ),
)
