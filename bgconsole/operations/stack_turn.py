"""One stack's turn as steps: make the change set, show it, carry it out, follow it to its end."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field, replace
from shlex import quote

from bgconsole.domain.change_set import Change, ChangeSet
from bgconsole.domain.errors import NotThere, Refused
from bgconsole.domain.identity import Place
from bgconsole.domain.images import Image
from bgconsole.domain.stack_states import WAYS_BACK, way_back
from bgconsole.domain.stacks import Stack
from bgconsole.gateway.port import Submitted
from bgconsole.operations.change_set_steps import CarryingOut, newest_event
from bgconsole.operations.image_steps import PUSHED
from bgconsole.operations.stack_layout import Turn
from bgconsole.operations.step import Bench, Step, Told
from bgconsole.operations.words import command
from bgconsole.watch.stack_follow import follow_stack
from bgconsole.watch.telling import End, Note

EVERY = frozenset(WAYS_BACK)
"""The states in which a stack that was at work may rest."""


@dataclass(slots=True)
class TurnSteps:
    """The steps of one turn, and what the first of them leaves for the second."""

    turn: Turn
    shown: ChangeSet | None
    """What was shown before; None where it could not be drafted yet."""
    place: Place
    again: str
    """The command that goes on."""
    image: Image | None = None
    """The newest image, where the turn waits for one."""
    registry: str = ""
    site: bool = False
    """Whether the end tells where the site answers."""
    _out: CarryingOut = field(init=False)

    def __post_init__(self) -> None:
        """What is carried out is looked at first."""
        self._out = CarryingOut(self._showing, self.again)

    def steps(self) -> tuple[Step, Step]:
        """Change it; follow it."""
        turn = self.turn
        verb = "create" if turn.creates else "update"
        present = turn.present
        before = ""
        if present and present.moving:
            before = f"wait until {present.name} is no more {present.status}, then "
        elif present and turn.creates:
            before = f"delete what is left of {present.name} ({present.status}), then "
        kind = "CREATE" if turn.creates else "UPDATE"
        return (
            Step(
                f"{before}{verb} the stack {turn.stack} from {turn.template.file}",
                command(
                    f"cloudformation create-change-set --stack-name {turn.stack} "
                    f"--change-set-name {turn.draft_name} --change-set-type {kind} "
                    f"--template-body {quote('file://' + turn.template.file)} …",
                    self.place,
                ),
                work=self._change,
                go_on=self._go_on,
            ),
            Step(
                f"follow {turn.stack} until it is {verb.removesuffix('e')}ed",
                work=self._follow,
                effect="looks",
                go_on=self._go_on,
            ),
        )

    def _go_on(self, made: Mapping[str, str]) -> str:
        del made
        return self.again

    def _change(self, bench: Bench) -> Told:
        present = self._present(bench)
        if present and present.moving:
            yield Note(f"{present.name} is {present.status}: waiting for its end")
            if not (yield from _rest(bench, present, EVERY)):
                return
            present = self._present(bench)
        if present and way_back(present.status).recreate and not _is_draft(present):
            yield bench.gateway.stack_changes.delete(present.arn)
            if not (yield from _rest(bench, present, frozenset({"DELETE_COMPLETE"}))):
                return
            present = None
        if present and _is_draft(present):
            present = None
        turn = replace(self._resolved(bench), present=present)
        yield from self._out.change(bench, turn)

    def _showing(self, found: ChangeSet) -> Told:
        """Tell the changes that could not be shown before; what destroys must have been."""
        known = set(_destroying(self.shown.changes)) if self.shown else set()
        new = [change for change in found.changes if change.loses and _key(change) not in known]
        if new and not self.turn.creates:
            raise Refused(
                f"{self.turn.stack} would lose more than was shown",
                "\n".join(change.words for change in new),
                f"See it, and confirm it: {self.again}",
            )
        if self.shown is None or self.shown.changes != found.changes:
            for change in found.changes:
                yield Note(change.words, "output")

    def _resolved(self, bench: Bench) -> Turn:
        """The turn with the values that earlier stacks gave meanwhile."""
        turn, values = self.turn, dict(self.turn.values)
        for name, feed in turn.waits.items():
            if feed.output == "RepositoryUri" and name == "DockerImage":
                values[name] = bench.made.get(PUSHED) or self._newest()
                continue
            value = bench.gateway.stacks.stack(feed.stack).output(feed.output)
            if value is None:
                raise NotThere(
                    f"{turn.stack} needs {name}", f"the stack {feed.stack} has no {feed.output}"
                )
            values[name] = value
        return replace(turn, values=values, waits={})

    def _newest(self) -> str:
        if self.image is None:
            raise NotThere(f"{self.turn.stack} needs an image", "the repository has none")
        return f"{self.registry}@{self.image.digest}"

    def _present(self, bench: Bench) -> Stack | None:
        try:
            return bench.gateway.stacks.stack(self.turn.stack)
        except NotThere:
            return None

    def _follow(self, bench: Bench) -> Told:
        for told in self._out.follow(bench, self.turn.stack):
            yield self._ended(told, bench) if isinstance(told, End) else told

    def _ended(self, end: End, bench: Bench) -> End:
        if end.ok and self.site and not self._out.idle:
            url = bench.gateway.stacks.stack(self.turn.stack).output("LoadBalancerUrl")
            if url:
                return replace(end, sentence=f"{end.sentence} {url}", now=f"{end.now} · {url}")
        return end


def _rest(
    bench: Bench, stack: Stack, good: frozenset[str]
) -> Generator[Note | Submitted | End, None, bool]:
    """Follow a stack to its rest; false, the end told, where it is not a good one."""
    since = newest_event(bench, stack.arn)
    for told in follow_stack(bench.gateway, stack.arn, since, bench.onlooker, good=good):
        if isinstance(told, End) and told.ok:
            return True
        yield told
    return False


def _key(change: Change) -> tuple[str, str]:
    return change.logical_id, change.verb


def _destroying(changes: tuple[Change, ...]) -> Iterator[tuple[str, str]]:
    return (_key(change) for change in changes if change.loses)


def _is_draft(stack: Stack) -> bool:
    return stack.status == "REVIEW_IN_PROGRESS"
