"""CloudFormation stacks, what is in them, and what happens to it."""

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
    parameters: tuple[tuple[str, str], ...] = ()
    """A NoEcho one's value is `****`, as AWS gives it."""
    parent: str = ""
    """The ARN of the stack that this one is nested in."""
    protected: bool = False
    """Whether CloudFormation refuses to delete it."""
    drift: str = ""
    """IN_SYNC, DRIFTED, NOT_CHECKED or empty, as of the last check."""

    def output(self, key: str) -> str | None:
        """The value of one output."""
        return dict(self.outputs).get(key)

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


@dataclass(frozen=True, slots=True)
class StackResource:
    """One resource of a stack."""

    logical_id: str
    kind: str
    """Such as `AWS::ECS::Service`."""
    status: str
    physical_id: str = ""
    reason: str = ""
    drift: str = ""
    """MODIFIED, DELETED, IN_SYNC or empty, as of the last check."""


@dataclass(frozen=True, slots=True)
class StackEvent:
    """One line of DescribeStackEvents."""

    id: str
    at: datetime
    logical_id: str
    kind: str
    status: str
    stack: str = ""
    """The stack's name."""
    reason: str = ""
    physical_id: str = ""

    @property
    def of_stack(self) -> bool:
        """Whether it tells of the stack itself, not of a resource (a nested stack is one)."""
        return self.kind == STACK and self.logical_id == self.stack


STACK = "AWS::CloudFormation::Stack"
