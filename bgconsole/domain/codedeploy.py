"""A deployment of AWS CodeDeploy: where it stands, in words, and what would take it back.

Words are those of CodeDeploy's API reference; one that is not known here is taken as it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from bgconsole.domain.services import Service, TaskSet, revision_of

ENDED = frozenset({"Succeeded", "Failed", "Stopped"})
"""Statuses that are an end. An unknown status counts as under way: then it can be stopped."""
_DEFINITION = re.compile(r"arn:[\w-]+:ecs:[\w-]*:\d*:task-definition/[\w.-]+:\d+")


@dataclass(frozen=True, slots=True)
class Revision:
    """What a deployment deployed: RevisionLocation, as far as CodeDeploy tells it."""

    kind: str
    """S3, String or AppSpecContent."""
    document: str = ""
    """As JSON, ready for CreateDeployment; empty where the content is lacking."""
    sha256: str = ""
    """Of an AppSpecContent: GetDeployment tells no more, GetApplicationRevision all."""

    @property
    def task_definition(self) -> str:
        """The ARN that its AppSpec names; empty where it is in S3 or not known."""
        found = _DEFINITION.search(self.document)
        return found.group() if found else ""


@dataclass(frozen=True, slots=True)
class CodeDeployment:
    """GetDeployment, the part that the console reads."""

    id: str
    """`d-…`."""
    status: str
    """Created, Queued, InProgress, Baking, Ready, Succeeded, Failed or Stopped."""
    application: str = ""
    group: str = ""
    configuration: str = ""
    """The name of the deployment configuration: AllAtOnce, Linear…, Canary…."""
    created_at: datetime | None = None
    completed_at: datetime | None = None
    problem: str = ""
    """Why it failed or was stopped, as its error information says."""
    shifted: bool = False
    """Whether the traffic is on the new tasks, and the old ones wait for their end."""
    keeps: int | None = None
    """Minutes for which the old tasks run on after that."""
    waits: int | None = None
    """Minutes after which it stops by itself where nobody reroutes; None where it goes on."""
    back_id: str = ""
    """The deployment that takes it back, once CodeDeploy has made one."""
    back_words: str = ""
    """What CodeDeploy says of that."""
    previous: Revision | None = None
    """What was deployed before the most recent deployment that succeeded."""
    back: CodeDeployment | None = None
    """The deployment `back_id`, where it was read."""
    takes_back: str = ""
    """The deployment that this one takes back, where it is a roll back."""
    another: CodeDeployment | None = None
    """One of the same group that runs while this one has succeeded: no task set names it yet."""

    @property
    def ongoing(self) -> bool:
        """Whether CodeDeploy works on it, so that it can be stopped."""
        return self.status not in ENDED

    @property
    def going_back(self) -> bool:
        """Whether it ended badly and the deployment that takes it back is not through."""
        return not self.ongoing and self.back is not None and self.back.ongoing

    @property
    def went_back(self) -> bool:
        """Whether it ended badly and was taken back."""
        return not self.ongoing and self.back is not None and self.back.status == "Succeeded"

    @property
    def words(self) -> str:
        """Where it stands: `CodeDeploy deployment d-X is in progress`."""
        return f"CodeDeploy deployment {self.id} {self._stands()}"

    def _stands(self) -> str:
        match self.status:
            case "Created" | "Queued":
                stands = "is queued"
            case "Ready":
                ends = f"; it stops by itself within {self.waits} min" if self.waits else ""
                stands = f"waits until traffic is rerouted{ends}"
            case "InProgress" if self.shifted:
                kept = f" for {self.keeps} min at most" if self.keeps else ""
                stands = f"has shifted the traffic and keeps the old tasks{kept}"
            case "InProgress":
                stands = "is in progress"
            case "Succeeded":
                stands = f"has succeeded{self._begun()}"
            case "Failed" | "Stopped":
                stands = "failed" if self.status == "Failed" else "was stopped"
                stands += f" ({self.problem.rstrip('.')})" if self.problem else ""
                stands += self._taken_back()
            case _:
                stands = f"is {self.status or 'in a state that it does not tell'}"
        return stands

    def _begun(self) -> str:
        if self.another is None:
            return ""
        if self.another.takes_back:
            return f"; {self.another.id} takes {self.another.takes_back} back"
        return f"; {self.another.id} has begun, and ECS shows no task set of it yet"

    def _taken_back(self) -> str:
        if self.back is None:
            told = f": {self.back_words.rstrip('.')}" if self.back_words else ""
            return f"; {self.back_id} takes it back" if self.back_id else told
        match self.back.status:
            case "Succeeded":
                return f" and {self.back.id} took it back"
            case "Failed" | "Stopped":
                return f", and {self.back.id}, which was to take it back, {self.back._stands()}"
        return f"; {self.back.id} takes it back"


def newest_id(service: Service) -> str:
    """The id of the CodeDeploy deployment that made the newest task set; empty where none did.

    Before its task set is made a deployment is not to be seen here (API reference: TaskSet).
    """
    made = (one.external_id for one in service.task_sets)
    return next((name for name in made if name.startswith("d-")), "")


def sides_of(service: Service, deployment: str) -> tuple[TaskSet | None, TaskSet | None]:
    """The task sets that a deployment replaces and brings: old, new."""
    new = next((one for one in service.task_sets if one.external_id == deployment), None)
    others = [one for one in service.task_sets if one is not new and one.status != "DRAINING"]
    serving = next((one for one in others if one.status == "PRIMARY"), None)
    return serving or next(iter(others), None), new


def way_back_how(service: Service, deployment: CodeDeployment) -> tuple[str, str]:
    """To which revision number stopping it goes back, and how warm; empty where there is none."""
    old, _ = sides_of(service, deployment.id)
    if old is None or not deployment.ongoing:
        return "", ""
    warm = old.running >= service.desired
    how = "warm: old tasks still run" if warm else f"{old.running}/{service.desired} old tasks run"
    return revision_of(old.task_definition), how
