"""The verdict with what the probe saw: whether users notice, and whether it is safe to leave.

A probe looks from one place at one page, so it never makes a verdict red by itself, and a site that
it cannot reach at all is its own trouble while targets are healthy.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from bgconsole.domain.duration import rounded
from bgconsole.domain.how_many import how_many
from bgconsole.domain.probe import During, ProbeRecord
from bgconsole.domain.probe_words import deployment_sentence, serves, standing
from bgconsole.domain.services import ServiceDeployment
from bgconsole.domain.severity import Severity
from bgconsole.domain.since import RECENT
from bgconsole.domain.snapshot import Snapshot
from bgconsole.domain.verdict import Verdict

ENOUGH_REQUESTS = 20
ENOUGH_TIME = timedelta(minutes=2)
"""What must have gone well since a deployment ended before it is called safe to leave."""


def probed(
    found: Verdict, snapshot: Snapshot, record: ProbeRecord | None, now: datetime
) -> Verdict:
    """The verdict of a snapshot, refined by the probe's record where there is one."""
    if record is None or record.latest is None:
        return found
    stand = standing(record, healthy=serves(snapshot))
    if (trouble := record.trouble) is not None:
        if trouble.last.status and found.severity in (Severity.GOOD, Severity.BUSY):
            return replace(
                found,
                severity=Severity.WAITING,
                word=f"{found.word.removesuffix(', ERRORS')}, ERRORS",
                sentence=f"{found.sentence}. The site {stand.words.partition(';')[0]}",
            )
        return replace(found, evidence=(f"the site {stand.words}", *found.evidence))
    ended = _ended(snapshot, now)
    if found.word == "STEADY" and ended is not None:
        return replace(found, sentence=f"{found.sentence}, {_since(record, ended, now)}")
    during = _of_newest(record.during, snapshot)
    if during is not None and (found.severity is not Severity.GOOD or ended is not None):
        return replace(found, evidence=(deployment_sentence(during), *found.evidence))
    return found


def _of_newest(during: During | None, snapshot: Snapshot) -> During | None:
    """What was asked, unless the deployment spoken of is a later one, too short to watch."""
    history = snapshot.deployments.value
    newest = history.latest if history else None
    if during is not None and during.key and newest is not None and during.key != newest.arn:
        return None
    return during


def _ended(snapshot: Snapshot, now: datetime) -> datetime | None:
    """When the newest deployment succeeded, where that was lately."""
    history = snapshot.deployments.value
    latest: ServiceDeployment | None = history.latest if history else None
    if latest is None or latest.status != "SUCCESSFUL" or latest.finished_at is None:
        return None
    return latest.finished_at if now - latest.finished_at <= RECENT else None


def _since(record: ProbeRecord, ended: datetime, now: datetime) -> str:
    """`0 of 61 requests failed in 2 min: safe to leave`, or why that cannot be said yet."""
    asked = [answer for answer in record.answers if answer.at >= ended]
    failed = sum(map(record.failed, asked))
    if not asked:
        return "no request asked since"
    watched = now - asked[0].at
    counted = f"{failed} of {how_many(len(asked), 'request')} failed in {rounded(watched)}"
    if failed:
        return counted
    if len(asked) < ENOUGH_REQUESTS or watched < ENOUGH_TIME:
        return f"{counted}: too little to judge yet"
    return f"{counted}: safe to leave"
