"""What a probe's record means, in words: how it stands now, and how a deployment was for users."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bgconsole.domain.duration import spell
from bgconsole.domain.how_many import how_many
from bgconsole.domain.probe import Answer, During, ProbeRecord, Tally, Trouble
from bgconsole.domain.severity import Severity
from bgconsole.domain.snapshot import Snapshot

ENDLESS = 3
"""So many failures one after the other: it fails always now, and not now and then."""
UNWATCHED = timedelta(seconds=15)
"""A deployment that began so long before the first request was not watched as a whole."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How the site answers now."""

    severity: Severity
    words: str
    """Empty where it answers as it did."""


def standing(record: ProbeRecord, *, healthy: bool | None) -> Standing:
    """What the newest answers say.

    A probe that fails is never by itself the worst there is: while targets are healthy the way from
    here, the probe's own path or one page may be what is broken.

    Args:
        record: what the probe saw.
        healthy: whether targets that get production traffic are healthy; None where it is not
            known now.
    """
    latest = record.latest
    if latest is None:
        return Standing(Severity.UNKNOWN, "no answer yet")
    if (trouble := record.trouble) is not None:
        severity = Severity.BAD if healthy is False else Severity.WAITING
        return Standing(severity, f"{_failing(trouble)}{_ASIDE[healthy]}")
    baseline = record.tally.baseline
    good_before = baseline is not None and not baseline.failed(baseline)
    if baseline is not None and good_before and baseline.status != latest.status:
        return Standing(Severity.GOOD, f"answers {latest.words}, {_before(baseline.words)}")
    if latest.status >= 300:
        return Standing(Severity.GOOD, f"answers {latest.words}, as at first")
    return Standing(Severity.GOOD, "")


_ASIDE = {True: "; its targets are healthy", False: "", None: "; its targets cannot be read now"}


def _failing(trouble: Trouble) -> str:
    """What fails, how much of it, and since when."""
    last, row = trouble.last, trouble.in_a_row
    all_of_it = trouble.failed == trouble.asked
    before = "before " if trouble.older and (all_of_it or len(row) < ENDLESS) else ""
    if all_of_it or len(row) >= ENDLESS:
        since = f" since {before}{_clock(row[0])}" if len(row) > 1 else ""
        if last.status:
            return f"answers {last.words}{since}"
        return f"cannot be reached from here{since} ({last.error})"
    here = "" if last.status else " from here"
    some = f"failed {trouble.failed} of {how_many(trouble.asked, 'request')}{here}"
    return f"{some} since {before}{_clock(trouble.first)} ({last.words})"


def _clock(answer: Answer) -> str:
    return f"{answer.at.astimezone():%H:%M:%S}"


def serves(snapshot: Snapshot) -> bool | None:
    """Whether targets that get production traffic are healthy; None while they cannot be read."""
    if snapshot.targets.failure is not None:
        return None
    balancing = snapshot.targets.value
    groups = balancing.groups if balancing else ()
    return any(group.healthy and group.production_share for group in groups)


def deployment_sentence(during: During) -> str:
    """`0 of 412 requests failed during this deployment, longest gap 210 ms`."""
    tally, began = during.tally, during.tally.baseline
    if began is None or tally.latest is None:
        return "no request was made during this deployment"
    what = "during this deployment"
    if during.started is not None and began.at - during.started > UNWATCHED:
        watched = spell(tally.latest.done - began.at)
        what = f"in the {watched} of this deployment that were watched"
    return counted(tally, what)


def since_key(record: ProbeRecord, pressed: datetime) -> str:
    """`last bad answer 12 s after the key (HTTP 502), 7 of 388 requests failed since`.

    Bad is a failure, or an answer of another version than the one that answers now. Empty where
    nothing was asked since.
    """
    answers = [answer for answer in record.answers if answer.done >= pressed]
    if not answers:
        return ""
    serving = next((a.version for a in reversed(answers) if a.version), "")
    bad = [
        a for a in answers if record.failed(a) or (a.version and serving and a.version != serving)
    ]
    failed = sum(record.failed(answer) for answer in answers)
    told = f"{failed} of {how_many(len(answers), 'request')} failed since"
    if answers[0] is record.answers[0] and record.tally.asked > len(record.answers):
        told += f" {answers[0].at.astimezone():%H:%M:%S}, as far back as answers are kept"
    if not bad:
        return f"no bad answer after the key, {told}"
    last = bad[-1]
    what = last.words if record.failed(last) else f"still {last.version}"
    return f"last bad answer {spell(last.done - pressed)} after the key ({what}), {told}"


def counted(tally: Tally, what: str = "") -> str:
    """`3 of 412 requests failed …, longest gap 6.2 s`, with what was so before and what changed."""
    if tally.baseline is None:
        return "no request was made"
    said = [f"{tally.failed} of {how_many(tally.asked, 'request')} failed"]
    if what:
        said[0] += f" {what}"
    said.append(f"longest gap {spell_ms(tally.longest_gap_ms)}")
    if tally.latest_failure is not None:
        said.append(f"last {tally.latest_failure.words}")
    if tally.latest_change is not None:
        told, before = tally.latest_change.words, _before(tally.baseline.words)
        said.append(f"{tally.changed} answered {told}, {before}")
    elif tally.baseline.error:
        said.append("the first one already")
    elif not 200 <= tally.baseline.status < 300:
        said.append(f"already {tally.baseline.words} before")
    return ", ".join(said)


def spell_ms(milliseconds: float) -> str:
    """A short time as a person reads it: `0 ms`, `210 ms`, `6.2 s`, `3:10`."""
    if round(milliseconds) < 1000:
        return f"{max(0, round(milliseconds))} ms"
    if milliseconds < 60_000:
        return f"{milliseconds / 1000:.1f} s"
    return spell(milliseconds / 1000)


def _before(words: str) -> str:
    return f"{words} before"
