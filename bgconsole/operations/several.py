"""One operation on several services: one plan, one confirmation, one after the other."""

from __future__ import annotations

from dataclasses import dataclass

from bgconsole.domain.errors import Refused
from bgconsole.operations.spec import Proposal, Risk

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

    def left(self, done: int) -> str:
        """Names what was not begun after so many, in words; empty where nothing was left."""
        names = ", ".join(each.ref.name for each in self.proposals[done:])
        return f"Not begun: {names}." if names else ""


def several(proposals: tuple[Proposal, ...]) -> Several:
    """Join them.

    Raises:
        Refused: two of them are of one service.
    """
    refs = [each.ref for each in proposals]
    if len(set(refs)) < len(refs):
        raise Refused("Refused", "A service is named twice.")
    return Several(proposals)
