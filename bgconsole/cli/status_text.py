"""A snapshot as a few lines of plain text: the verdict first, then what it rests on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from bgconsole.domain.duration import age
from bgconsole.domain.images import named_digest
from bgconsole.domain.join import SideView, sides
from bgconsole.domain.masking import mask
from bgconsole.domain.plain import plain
from bgconsole.domain.rollback import WayBack
from bgconsole.domain.services import ServiceDeployment, revision_of
from bgconsole.domain.snapshot import Snapshot
from bgconsole.domain.targets import TargetGroup
from bgconsole.domain.verdict import verdict
from bgconsole.operations.words import place_words

HISTORY = 3
"""How many ended deployments are shown."""


def status_lines(snapshot: Snapshot, now: datetime) -> Iterator[str]:
    """State is a glyph and a word, never a colour alone; every line is safe to print."""
    return (plain(mask(line)).rstrip() for line in _lines(snapshot, now))


def _lines(snapshot: Snapshot, now: datetime) -> Iterator[str]:
    found = verdict(snapshot, now)
    yield place_words(snapshot)
    yield f"{found.glyph} {found.word}  {found.sentence}"
    if found.since and found.since.what != "deployed":  # that is told with the deployments
        yield f"    {found.since.words(now, ago=True)}"
    yield from (f"    {line}" for line in found.evidence)
    if found.progress:
        yield f"    {found.progress.words}"
    if found.way_back:
        yield f"    {way_back_words(found.way_back)}"
    both = sides(snapshot)
    yield from (line for side in (both.old, both.new) if side for line in _side(side, now))
    yield from _deployments(snapshot, now)
    if snapshot.targets.value:
        yield from (_group(group) for group in snapshot.targets.value.groups)
        if snapshot.targets.value.url:
            yield f"site         {snapshot.targets.value.url}"
    for stack in snapshot.stacks.value or ():
        yield f"stack        {stack.name}  {_words(stack.status)}  {age(stack.changed_at, now)} ago"
    yield from _unseen(snapshot)


def way_back_words(back: WayBack) -> str:
    """How an old version comes back, as a command: there is no key to press here."""
    return f"way back: `bgconsole rollback` to {back.to}" + (f" ({back.how})" if back.how else "")


def _side(side: SideView, now: datetime) -> Iterator[str]:
    name = "tasks" if side.side.value == "sole" else f"{side.side.value} tasks"
    digest = f" · {named_digest(side.digest)}" if side.digest else ""
    tag = f" · {side.tag}" if side.tag else ""
    counts = f"{side.running}/{side.requested} run, {side.healthy} healthy"
    failed = f", {len(side.failed)} failed" if side.failed else ""
    yield f"{name:<12} revision {side.revision}{tag}{digest}   {counts}{failed}"
    for row in side.rows:
        reason = f" ({row.health_reason})" if row.health_reason else ""
        yield (
            f"             {row.id[:8]}  {row.status:<12} {row.health + reason:<12} "
            f"{row.zone:<12} {age(row.since, now)}"
        )
    for ending, count in Counter(row.ending for row in side.failed).most_common(3):
        yield f"             {count} stopped: {ending or 'no reason given'}"


def _deployments(snapshot: Snapshot, now: datetime) -> Iterator[str]:
    history = snapshot.deployments.value
    if history is None:
        return
    ongoing = [d for d in history.history if d.ongoing]
    ended = [d for d in history.history if not d.ongoing][:HISTORY]
    for deployment in (*ongoing, *ended):
        known = history.revisions.get(deployment.target.arn)
        revision = revision_of(known.task_definition) if known else "?"
        yield f"deployment   revision {revision}  {_outcome(deployment)}  {_when(deployment, now)}"


def _outcome(deployment: ServiceDeployment) -> str:
    stage = f" · {_words(deployment.lifecycle_stage)}" if deployment.lifecycle_stage else ""
    return f"{_words(deployment.status)}{stage}"


def _when(deployment: ServiceDeployment, now: datetime) -> str:
    if deployment.ongoing:
        return f"for {age(deployment.created_at, now)}"
    return f"{age(deployment.finished_at or deployment.created_at, now)} ago"


def _group(group: TargetGroup) -> str:
    share = group.production_share
    production = "no production traffic" if share is None else f"production {share:g} %"
    test = f", test {group.test_share:g} %" if group.test_share is not None else ""
    states = Counter(target.state for target in group.targets)
    told = ", ".join(f"{count} {state}" for state, count in states.most_common()) or "no targets"
    return f"targets      {group.name}  {production}{test}  {told}"


def _unseen(snapshot: Snapshot) -> Iterator[str]:
    """What could not be read, each with its own words."""
    for source in ("deployments", "tasks", "targets", "stacks", "identity", "images"):
        failure = snapshot.part(source).failure
        if failure:
            yield f"? {source}: {failure.error}"
    identity = snapshot.identity.value
    if identity is not None and identity.unread:
        yield f"? account alias: {identity.unread}"


def _words(constant: str) -> str:
    return constant.replace("_", " ").lower()
