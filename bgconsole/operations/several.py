"""One operation on several services: one plan, one confirmation, one after the other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain

from bgconsole.domain.errors import Refused
from bgconsole.domain.services import ServiceRef
from bgconsole.domain.snapshot import Snapshot
from bgconsole.operations.spec import NO_EVIDENCE, Fact, Plan, Proposal, Risk

IN_VIEW = 6
"""Services that stay in view while the rest of a plan is read."""
_NEVER = datetime.min.replace(tzinfo=UTC)
_ORDER = (Risk.SAFE, Risk.DISRUPTIVE, Risk.DANGEROUS)


@dataclass(frozen=True, slots=True)
class Several:
    """The proposals in the order in which they are carried out; the first failure ends it."""

    proposals: tuple[Proposal, ...]

    @property
    def risk(self) -> Risk:
        """The highest of them."""
        return max((each.risk for each in self.proposals), key=_ORDER.index)

    @property
    def confirm(self) -> str:
        """What must be typed: the word of each, in their order, such as `42,17`."""
        return ",".join(each.plan.confirm for each in self.proposals)

    @property
    def title(self) -> str:
        """`Roll back`, of them all."""
        return self.proposals[0].operation.title

    @property
    def whole(self) -> Proposal:
        """All of them as one, to be shown and confirmed once; each is carried out for itself."""
        first = self.proposals[0]
        names = ", ".join(each.ref.name for each in self.proposals)
        clusters = dict.fromkeys(each.ref.cluster for each in self.proposals)
        return replace(
            first,
            ref=ServiceRef(", ".join(clusters), names),
            plan=self._plan(),
            snapshot=self._seen(),
            evidence=NO_EVIDENCE,
            risk=self.risk,
        )

    def _plan(self) -> Plan:
        numbered = tuple(enumerate(self.proposals, 1))
        where = {(each.snapshot.place.region, each.ref.cluster) for each in self.proposals}
        ways = tuple(
            Fact(f"{number} of {len(numbered)}", each.plan.summary, aside=_place(each, where))
            for number, each in numbered
        )
        facts = (
            replace(fact, label=f"{number} {fact.label}")
            for number, each in numbered
            for fact in each.plan.facts
        )
        return Plan(
            summary=f"{self.title}: {len(numbered)} services, one after the other",
            facts=(*ways, *facts),
            checks=tuple(
                replace(check, words=f"{number} {check.words}")
                for number, each in numbered
                for check in each.plan.checks
            ),
            steps=tuple(chain.from_iterable(each.plan.steps for each in self.proposals)),
            confirm=self.confirm,
            in_view=tuple(way.label for way in ways[:IN_VIEW]),
            notes=(
                "The first that does not end well ends it: those after it are not begun.",
                *(f"{number} {note}" for number, each in numbered for note in each.plan.notes),
            ),
            left_to_do=tuple(
                f"{number} {words}" for number, each in numbered for words in each.plan.left_to_do
            ),
        )

    def _seen(self) -> Snapshot:
        """The picture that is oldest, in the name of all regions."""
        snapshots = [each.snapshot for each in self.proposals]
        oldest = min(snapshots, key=lambda each: each.service.fetched_at or _NEVER)
        regions = ", ".join(dict.fromkeys(each.place.region for each in snapshots))
        return replace(oldest, place=replace(oldest.place, region=regions))

    def left(self, done: int) -> str:
        """Names what was not begun after so many, in words; empty where nothing was left."""
        names = ", ".join(each.ref.name for each in self.proposals[done:])
        return f"Not begun: {names}." if names else ""


def _place(proposal: Proposal, among: set[tuple[str, str]]) -> str:
    """Where it is, as far as the others are elsewhere."""
    several_regions = len({region for region, _ in among}) > 1
    several_clusters = len({cluster for _, cluster in among}) > 1
    told = (
        proposal.snapshot.place.region if several_regions else "",
        proposal.ref.cluster if several_clusters else "",
    )
    return " · ".join(filter(None, told))


def several(proposals: tuple[Proposal, ...]) -> Several:
    """Join them.

    Raises:
        Refused: two of them are of one service.
    """
    refs = [(each.snapshot.place, each.ref) for each in proposals]
    if len(set(refs)) < len(refs):
        raise Refused("Refused", "A service is named twice.")
    return Several(proposals)
