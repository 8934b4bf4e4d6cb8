"""CloudFormation stacks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Stack:
    """DescribeStacks, one stack."""

    name: str
    arn: str
    status: str
    reason: str = ""
    created_at: datetime | None = None
    updated_at: datetime | None = None
    outputs: tuple[tuple[str, str], ...] = ()
    description: str = ""

    @property
    def changed_at(self) -> datetime | None:
        """When it was last created or updated."""
        return self.updated_at or self.created_at

    @property
    def moving(self) -> bool:
        """Whether CloudFormation works on it."""
        return self.status.endswith("IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"

    @property
    def failed(self) -> bool:
        """Whether its last change did not end as it was meant."""
        return "FAILED" in self.status or (
            "ROLLBACK" in self.status and not self.status.endswith("IN_PROGRESS")
        )
