"""A pipeline's last execution: what feeds a service, and where it stands."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from bgconsole.domain.duration import age
from bgconsole.domain.identity import principal

PIPELINE = "AWS::CodePipeline::Pipeline"
COMMIT = 8
"""Characters of a commit that are shown."""


@dataclass(frozen=True, slots=True)
class PipelineRun:
    """The newest execution of a CodePipeline; `status` is empty where it never ran."""

    pipeline: str
    status: str = ""
    """InProgress, Succeeded, Failed, Stopped, Stopping, Superseded or Cancelled."""
    started_at: datetime | None = None
    commit: str = ""
    summary: str = ""
    """What the source says of the revision: its message, from some sources as JSON."""
    trigger: str = ""
    """Who or what started it: a caller's ARN, or the kind of trigger. AWS names no author."""
    stage: str = ""
    """The stage that it is in, or that it failed in."""
    problem: str = ""
    """What its failed action says."""

    @property
    def wrong(self) -> bool:
        """Whether it ended otherwise than well."""
        return self.status in ("Failed", "Stopped", "Cancelled")

    def words(self, now: datetime) -> str:
        """`Failed in Build, 3 min ago · 1f3c2aa9 “Add posts” · by role/ci: exit status 1`."""
        if not self.status:
            return "has never run"
        where = f" in {self.stage}" if self.stage and self.status != "Succeeded" else ""
        when = f", {age(self.started_at, now)} ago" if self.started_at else ""
        message = _message(self.summary)
        commit = " ".join(filter(None, (self.commit[:COMMIT], message and f"“{message}”")))
        by = principal(self.trigger) if self.trigger.startswith("arn:") else self.trigger
        told = " · ".join(filter(None, (f"{self.status}{where}{when}", commit, by and f"by {by}")))
        return f"{told}: {self.problem}" if self.problem else told


def _message(summary: str) -> str:
    """The first line of the commit's message."""
    try:
        told = json.loads(summary)
    except ValueError:
        told = summary
    text = told.get("CommitMessage", "") if isinstance(told, dict) else summary
    return str(text).strip().partition("\n")[0]
