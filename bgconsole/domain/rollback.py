"""Where a roll back goes and by which means: rules over one snapshot, never "revision - 1".

While a service deployment is under way the way back is its own source revision, and ECS is asked to
go there. After it ended it is the newest SUCCESSFUL service deployment that ran something else than
what is live. Where the account has no record, or where what is live came from a roll back itself,
nothing is guessed: the candidates are listed and one is named.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from bgconsole.domain.codedeploy import way_back_how
from bgconsole.domain.how_many import how_many
from bgconsole.domain.images import ImageReference
from bgconsole.domain.services import Service, ServiceDeployment, TaskDefinition
from bgconsole.domain.snapshot import Deployments, Snapshot
from bgconsole.domain.versions import (
    NO_DEFINITIONS,
    Definitions,
    Version,
    alike,
    live_version,
    named,
    outcome,
    source_of,
    version_of,
)


@dataclass(frozen=True, slots=True)
class WayBack:
    """What R would do now."""

    to: str
    """The revision number, as shown and typed."""
    how: str = ""
    """`warm, about 45 s`, `cold: 4 new tasks, about 2 min`."""

    @property
    def words(self) -> str:
        """`back to 42 (warm, about 45 s)`: behind the key that does it."""
        return f"back to {self.to}" + (f" ({self.how})" if self.how else "")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A version that ran well once, by the record of a SUCCESSFUL service deployment."""

    version: Version
    since: datetime
    """When its deployment finished."""
    until: datetime | None
    """When something else had replaced it; None while it is live."""
    same_as_live: bool = False
    deployments: int = 1
    """How many SUCCESSFUL deployments on record brought it."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What a roll back would do; without a `target` it may do nothing, for the `reason` given."""

    live: Version | None
    """What runs now; while a deployment is under way, what it brings."""
    target: Version | None = None
    stop: ServiceDeployment | None = None
    """The deployment under way that ECS is to roll back; None where the service is updated."""
    ran: Candidate | None = None
    """The record of the target, where there is one."""
    candidates: tuple[Candidate, ...] = ()
    """Newest first, each version once, those that are the same as live included."""
    reason: str = ""
    undecided: tuple[str, ...] = ()
    """Task definitions (ARN) that were not at hand and could change the choice."""


def way_back(snapshot: Snapshot) -> WayBack | None:
    """What R would do now, for the top line; None where there is no way back to name."""
    service = snapshot.service.value
    if service is not None and service.by_codedeploy:
        return _through_codedeploy(snapshot, service)
    choice = choose(snapshot)
    if choice.target is None:
        return None
    if choice.stop is not None:
        number = choice.target.service_revision.rpartition("/")[2]
        old = [d for d in service.deployments if d.number == number] if service else []
        if not any(d.running for d in old):
            how = "cold: old tasks start again"
        elif choice.stop.strategy == "ROLLING":
            how = "warm: old tasks still run"
        else:
            how = f"warm, about {WEIGHT_FLIP:.0f} s"
    else:
        count = service.desired if service else 0
        took = _took(snapshot)
        how = f"cold: {how_many(count, 'new task')}" + (f", {took}" if took else "")
    to = choice.target.revision
    return WayBack(to, how)


def _through_codedeploy(snapshot: Snapshot, service: Service) -> WayBack | None:
    """While its deployment runs; after that only another deployment goes back."""
    deployment = snapshot.codedeploy.value
    to, how = way_back_how(service, deployment) if deployment else ("", "")
    if deployment is None or not to:
        return None
    how = f"CodeDeploy stops {deployment.id}, {how}"
    return WayBack(to, how)


WEIGHT_FLIP = 45.0
"""Seconds from StopServiceDeployment to all traffic on the old tasks (observed)."""
_NOT_MEASURED = 10.0
"""Seconds; a deployment on record that took less replaced no task."""


def _took(snapshot: Snapshot) -> str:
    """`about 2 min`: as long as the newest deployment that succeeded needed up to its bake time."""
    history = snapshot.deployments.value.history if snapshot.deployments.value else ()
    ended = next((d for d in history if d.status == "SUCCESSFUL" and d.finished_at), None)
    if ended is None or ended.finished_at is None:
        return ""
    took = (ended.finished_at - (ended.started_at or ended.created_at)).total_seconds()
    took -= 60 * (ended.bake_minutes or 0)
    if took < _NOT_MEASURED:
        return ""
    return f"about {5 * round(took / 5)} s" if took < 100 else f"about {round(took / 60)} min"


def choose(snapshot: Snapshot, definitions: Definitions = NO_DEFINITIONS, to: str = "") -> Choice:
    """Find the version to go back to.

    Args:
        snapshot: what is known.
        definitions: task definitions beyond those of the running tasks.
        to: the revision number that was asked for, or `number@digest` for one of several versions
            of it; empty for the rule above.
    """
    service, deployments = snapshot.service.value, snapshot.deployments.value
    if service is None:
        return Choice(None, reason="The service has not been read yet.")
    known = {**(snapshot.tasks.value.definitions if snapshot.tasks.value else {}), **definitions}
    live = live_version(snapshot)
    if live is None or deployments is None or not deployments.history:
        return _without_record(snapshot, live, to)
    current = deployments.current
    if current is not None and current.ongoing:
        return _in_flight(snapshot, deployments, current, known, to)
    candidates, undecided = _candidates(snapshot, deployments, live, known)
    if to:
        return _asked(candidates, live, to, undecided)
    ran = next((c for c in candidates if not c.same_as_live), None)
    reason = _came_back(snapshot, deployments, live, known) if ran else _nothing_older(candidates)
    if ran is None or reason:
        return Choice(live, candidates=candidates, undecided=undecided, reason=reason)
    return Choice(live, ran.version, ran=ran, candidates=candidates, undecided=undecided)


def pins(
    target: Version, definition: TaskDefinition | None, means_now: Mapping[str, str]
) -> Mapping[str, str]:
    """The containers whose image must be pinned so that what runs is what ran, with the reference.

    A reference by digest needs none. A tag needs one unless `means_now` (image as written → digest,
    empty where the tag is gone) says that it still means the digest that ran. What is not known
    counts as changed: a pin is right either way. An INACTIVE definition is copied with all pinned.
    """
    inactive = definition is not None and definition.status == "INACTIVE"
    written = {c.name: c.image for c in definition.containers} if definition else {}
    found: dict[str, str] = {}
    for image in target.images:
        reference = ImageReference.parse(written.get(image.container, image.image))
        if reference.digest or not image.digest:
            continue
        as_written = written.get(image.container, image.image)
        if inactive or means_now.get(as_written) != image.digest:
            found[image.container] = reference.pinned(image.digest)
    return found


def _in_flight(
    snapshot: Snapshot,
    deployments: Deployments,
    current: ServiceDeployment,
    known: Definitions,
    to: str,
) -> Choice:
    new = version_of(snapshot, current.target.arn) or live_version(snapshot)
    source = _source(deployments, current)
    old = version_of(snapshot, source) if source else None
    candidates, undecided = _candidates(snapshot, deployments, new, known) if new else ((), ())
    if to and not (old and _matches(old, to)):
        return _asked(candidates, new, to, undecided)
    if current.status in ("ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS", "STOP_REQUESTED"):
        back = f" to revision {old.revision}" if old else ""
        return Choice(new, candidates=candidates, reason=f"A roll back{back} is under way already.")
    if old is None:
        what = "starts the service" if not current.sources else "has no single source on record"
        return Choice(
            new,
            candidates=candidates,
            reason=f"The deployment under way {what}: there is nothing it could go back to.",
        )
    ran = next((c for c in candidates if alike(c.version, old, known)), None)
    return Choice(new, old, stop=current, ran=ran, candidates=candidates)


def _source(deployments: Deployments, current: ServiceDeployment) -> str:
    """What ECS goes back to: the only source, else the one that last ended well."""
    arns = {source.arn for source in current.sources}
    return source_of(current) or next(
        (arn for d in deployments.history if (arn := outcome(d)) in arns), ""
    )


def _without_record(snapshot: Snapshot, live: Version | None, to: str) -> Choice:
    if to:
        return _asked((), live, to, ())
    if failure := snapshot.deployments.failure:
        words = f"The record of earlier deployments could not be read ({failure.error.brief})"
    else:
        words = "There is no record of earlier deployments"
    return Choice(live, reason=f"{words}: name a revision.")


def _candidates(
    snapshot: Snapshot, deployments: Deployments, live: Version, known: Definitions
) -> tuple[tuple[Candidate, ...], tuple[str, ...]]:
    """Every version that a SUCCESSFUL deployment brought, newest first, each once."""
    found: list[Candidate] = []
    undecided: dict[str, None] = {}
    replaced: datetime | None = None
    for deployment in deployments.history:
        if deployment.status != "SUCCESSFUL":
            continue
        at = deployment.finished_at or deployment.updated_at or deployment.created_at
        version = version_of(snapshot, deployment.target.arn)
        known_at = [i for i, c in enumerate(found) if version and _identical(c.version, version)]
        if known_at:
            again = found[known_at[0]]
            found[known_at[0]] = replace(again, deployments=again.deployments + 1)
        elif version is not None:
            same = alike(version, live, known)
            if same is None:
                both = (version.task_definition, live.task_definition)
                undecided.update(dict.fromkeys(arn for arn in both if arn not in known))
            found.append(Candidate(version, at, None if same else replaced, same is True))
        replaced = at
    return tuple(found), tuple(undecided)


def _identical(one: Version, other: Version) -> bool:
    return one.task_definition == other.task_definition and one.digests == other.digests


def _nothing_older(candidates: tuple[Candidate, ...]) -> str:
    if candidates:
        return "No earlier version is on record: every deployment ran what is live now."
    return "No earlier version is on record: no deployment of the last 90 days succeeded."


def _came_back(
    snapshot: Snapshot, deployments: Deployments, live: Version, known: Definitions
) -> str:
    """Why what is live counts as the result of a roll back; empty where it does not.

    What was rolled back to and deployed again since is live for the later deployment's sake; where
    that one would go back to is guessed no more than before.
    """
    between: Version | None = None
    deployed = 0
    for deployment in deployments.history:
        version = version_of(snapshot, outcome(deployment)) if outcome(deployment) else None
        if version is None:
            continue
        identical = _identical(version, live)
        if between is not None and (identical or _same_images(version, live, between)):
            since = (
                ", and was deployed once more since:"
                if deployed > 1
                else ": it is the result of a roll back, and"
            )
            return (
                f"{_capital(named(live, between))} is live again after {named(between, live)}"
                f"{since} going further back is not guessed."
            )
        if identical and deployment.status == "ROLLBACK_SUCCESSFUL" and between is None:
            failed = version_of(snapshot, deployment.target.arn)
            what = f"the deployment of {named(failed, live)}" if failed else "a deployment"
            back = _capital(named(live, failed or live))
            why = (
                f"was deployed again after {what} had been rolled back to it"
                if deployed
                else f"is live because {what} was rolled back"
            )
            return f"{back} {why}: going further back is not guessed."
        if between is None and alike(version, live, known) is not True:
            between = version
        elif between is None:
            deployed += 1
    return ""


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _same_images(version: Version, live: Version, between: Version) -> bool:
    """Whether what is live is a copy of an earlier version: written alike, or pinned to digests.

    The same image under another tag is a new deployment of somebody's, not a roll back.
    """
    if not live.digests or version.digests != live.digests or between.digests == live.digests:
        return False
    pinned = all(ImageReference.parse(image.image).digest for image in live.images)
    return pinned or {i.container: i.image for i in version.images} == {
        i.container: i.image for i in live.images
    }


def _asked(
    candidates: tuple[Candidate, ...], live: Version | None, to: str, undecided: tuple[str, ...]
) -> Choice:
    """The newest candidate of the number that was asked for and is not live, else by the number."""
    fitting = [c for c in candidates if _matches(c.version, to)]
    ran = next((c for c in fitting if not c.same_as_live), None)
    if ran is not None:
        return Choice(live, ran.version, ran=ran, candidates=candidates, undecided=undecided)
    if fitting or (live is not None and _matches(live, to)):
        return Choice(live, candidates=candidates, reason=f"Revision {to} is what is live.")
    number, at, _ = to.partition("@")
    if live is None or at or not number.isdigit():
        reason = f"No deployment on record ran revision {to}."
        return Choice(live, candidates=candidates, reason=reason)
    family = live.task_definition.rpartition(":")[0]
    return Choice(live, Version(f"{family}:{number}"), candidates=candidates)


def _matches(version: Version, to: str) -> bool:
    """`42`, or `42@9d1d599a` with the beginning of a digest."""
    number, _, digest = to.partition("@")
    wanted = digest.removeprefix("sha256:")
    return version.revision == number and (
        not wanted
        or any(d.removeprefix("sha256:").startswith(wanted) for d in version.digests.values())
    )
