"""One sentence about the service: what it does, how bad, on what evidence, and the way back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bgconsole.domain import cause
from bgconsole.domain.doubts import doubts
from bgconsole.domain.duration import rounded
from bgconsole.domain.how_many import how_many
from bgconsole.domain.images import short_digest
from bgconsole.domain.join import (
    NO_CHECK,
    Sides,
    SideView,
    image_of,
    main_container,
    revision_by_number,
    sides,
    stopped_of,
)
from bgconsole.domain.metrics import latest
from bgconsole.domain.remedy import remedy
from bgconsole.domain.rollback import WayBack, way_back
from bgconsole.domain.rollout import Rollout, rollout
from bgconsole.domain.services import Service, ServiceDeployment, revision_of
from bgconsole.domain.severity import GLYPHS, Severity
from bgconsole.domain.since import RECENT, Since, deployed, ended, under_way, unsteady
from bgconsole.domain.snapshot import Snapshot
from bgconsole.domain.target_errors import target_errors
from bgconsole.domain.traffic import Traffic, traffic
from bgconsole.domain.traffic_words import served_by


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the deployment is, in tasks: what is done and what is left."""

    done: int
    of: int
    words: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The top of the screen."""

    severity: Severity
    word: str
    """STEADY, DEPLOYING, ROLLED BACK …"""
    sentence: str
    evidence: tuple[str, ...] = ()
    """What it rests on, a line each; what could not be seen is said too."""
    way_back: WayBack | None = None
    progress: Progress | None = None
    approvable: bool = False
    """A pause hook waits for somebody to say go on."""
    since: Since | None = None
    """When the deployment under way began, when the trouble did, or when what is live was deployed;
    None where AWS tells of none of them, or the sentence says it."""
    served: str = ""
    """Who serves, as the sentence says it: where there is little room the rest gives way first."""
    helps: str = ""
    """Whether a roll back would help, as the sentence says it: the cause gives way before it."""

    @property
    def glyph(self) -> str:
        """So that the state is readable without colour."""
        return GLYPHS[self.severity]


def verdict(snapshot: Snapshot, now: datetime) -> Verdict:
    """Judge a snapshot. Never green on nothing: every source it rests on must be fresh.

    Something bad that was seen stays said while other sources are missing; something good does not.
    """
    service = snapshot.service.value
    if service is None:
        return _no_service(snapshot)
    both = sides(snapshot)
    unseen = doubts(snapshot, service, now)
    served = served_by(snapshot, service, both)
    if unseen:
        served = f"Last seen: {served}"
    found = _with_errors(_judge(snapshot, service, both, served, now), snapshot, now)
    found = _with_codedeploy(found, snapshot, service, served, now)
    found = _with_nobody(found, snapshot, both, served)
    # What was cut ends in a sign of its own.
    found = replace(found, sentence=found.sentence.replace("…. ", "… "))
    found = replace(found, since=_since(found, snapshot, service, both))
    back = way_back(snapshot)
    if unseen and found.severity in (Severity.GOOD, Severity.BUSY):
        return replace(
            found,
            severity=Severity.UNKNOWN,
            word="CANNOT TELL",
            sentence=f"{unseen[0]}. {found.sentence}"
            if served in found.sentence
            else f"{unseen[0]}. Last seen: {found.sentence}",
            evidence=(*found.evidence, *unseen[1:]),
            way_back=back,
            served=served,
        )
    evidence = (*found.evidence, *unseen)
    return replace(found, evidence=evidence, way_back=back, served=served)


def _since(found: Verdict, snapshot: Snapshot, service: Service, both: Sides) -> Since | None:
    if found.word == "ROLLED BACK" or service.by_codedeploy:
        return None  # the sentence says when
    if begun := under_way(snapshot, service, both):
        return begun
    if found.severity is Severity.BAD:
        return ended(snapshot, service) or unsteady(service)
    return deployed(snapshot) if found.word != "SCALED TO 0" else None


def _with_nobody(found: Verdict, snapshot: Snapshot, both: Sides, served: str) -> Verdict:
    """That nobody is answered comes first, whatever the deployment does meanwhile."""
    routes = traffic(snapshot)
    if not (routes.balanced and routes.known and routes.live) or routes.healthy or routes.astray:
        return found
    if found.severity not in (Severity.BUSY, Severity.WAITING, Severity.BAD):
        return found
    if found.severity is not Severity.BAD and both.old is None:
        return found  # the first deployment of a service: nobody was answered before either
    before, _, after = found.sentence.partition(f". {served}")
    rest = before[:1].upper() + before[1:]
    told = f"{served}. {rest}{after}" if before != found.sentence else found.sentence
    return replace(found, severity=Severity.BAD, word="DOWN", sentence=told)


def _with_errors(found: Verdict, snapshot: Snapshot, now: datetime) -> Verdict:
    """What CloudWatch tells of errors: amber where it is much and nothing worse is said."""
    told = target_errors(snapshot)
    if told is None or not told.errors:
        return found
    if told.many and found.severity in (Severity.GOOD, Severity.BUSY):
        return replace(
            found,
            severity=Severity.WAITING,
            word=f"{found.word}, ERRORS",
            sentence=f"{found.sentence}. Its {told.words(now)}",
        )
    return replace(found, evidence=(*found.evidence, told.words(now)))


def _with_codedeploy(
    found: Verdict, snapshot: Snapshot, service: Service, served: str, now: datetime
) -> Verdict:
    """What CodeDeploy says of its deployment, where it deploys the service."""
    if not service.by_codedeploy:
        return found
    deployment, unread = snapshot.codedeploy.value, _codedeploy_unread(snapshot, now)
    if deployment is None:
        return replace(found, evidence=(*found.evidence, unread))
    severity, word = found.severity, found.word
    well = severity in (Severity.GOOD, Severity.BUSY)
    ended = deployment.completed_at
    if deployment.going_back:
        severity, word = Severity.BAD, "ROLLING BACK"
    elif deployment.status == "Ready" and well:
        severity, word = Severity.WAITING, "WAITING FOR YOU"
    elif (deployment.ongoing or deployment.another) and severity is Severity.GOOD:
        severity, word = Severity.BUSY, "DEPLOYING"
    elif deployment.status == "Failed" and well and ended is not None and now - ended <= RECENT:
        severity = Severity.BAD
        word = "ROLLED BACK" if deployment.went_back else "DEPLOY FAILED"
    told = tuple(filter(None, (*found.evidence, unread)))
    if word == found.word:
        return replace(found, evidence=(deployment.words, *told))
    sentence = f"{deployment.words}. {served}"
    return replace(found, severity=severity, word=word, sentence=sentence, evidence=told)


def _codedeploy_unread(snapshot: Snapshot, now: datetime) -> str:
    """Why nothing newer is known of CodeDeploy's deployment; empty where it is fresh."""
    part = snapshot.codedeploy
    if part.failure is not None:
        at = (part.fetched_at or part.failure.since).astimezone(now.tzinfo)
        error = part.failure.error
        return f"CodeDeploy is not read since {at:%H:%M:%S}: {error.what}"
    return "" if part.value else part.absent or "CodeDeploy is not read yet"


def _judge(
    snapshot: Snapshot, service: Service, both: Sides, served: str, now: datetime
) -> Verdict:
    history = snapshot.deployments.value
    current = history.current if history else None
    if current is not None and current.ongoing:
        return _under_way(snapshot, service, current, both, served, now)
    if current is not None and current.status == "ROLLBACK_SUCCESSFUL" and both.old is not None:
        return _leaving(service, current, both, served)
    if both.old is not None:
        return _under_way(snapshot, service, None, both, served, now)
    if current is not None and current.status == "ROLLBACK_FAILED":
        return Verdict(
            Severity.BAD,
            "ROLL BACK FAILED",
            f"{_revision(snapshot, current, both.new)} failed and so did the way back: "
            f"{current.status_reason or 'no reason given'}. {served}",
        )
    if current is not None and current.status == "ROLLBACK_SUCCESSFUL":
        return _rolled_back(snapshot, service, current, both, served, now)
    return _at_rest(snapshot, service, both, served, now)


def _under_way(
    snapshot: Snapshot,
    service: Service,
    current: ServiceDeployment | None,
    both: Sides,
    served: str,
    now: datetime,
) -> Verdict:
    new, old = both.new, both.old
    if new is None:
        return Verdict(Severity.BUSY, "DEPLOYING", f"a deployment has begun. {served}")
    wanted = new.requested or service.desired
    # What ended before does not count once as many tasks as wanted are well.
    why = _why(snapshot, service, new) if new.healthy < wanted else ""
    breaker = _breaker(current)
    strip = rollout(snapshot)
    alarms = strip.alarms.triggered if strip and strip.alarms else ()
    why = why or (f"alarm {', '.join(alarms)}" if alarms else "")
    helps = remedy(snapshot, service, both, current)
    helps = helps if why else ""
    aside = f"; {helps}" if helps else ""
    if current is not None and current.status.startswith("ROLLBACK"):
        reason = why or current.rollback_reason or current.status_reason or "asked for"
        reason = reason.removesuffix(".")
        to = f" to {old.revision}" if old and old.revision else ""
        return Verdict(
            Severity.BAD,
            "ROLLING BACK",
            f"{_named(new, old)} is taken back{to}: {reason}{aside}. {served}",
            progress=_progress(service, old, new) if old else None,
            helps=helps,
        )
    to = f"revision {old.revision} → {new.revision}" if old else f"revision {new.revision}"
    if old and old.revision == new.revision:
        to = f"revision {new.revision} again, {_images(old, new)}"
    count = f"{new.healthy}/{wanted} new tasks healthy"
    progress = _progress(service, new, old)
    if strip and strip.waiting and not why:
        return _waiting(strip, _named(new, old), count, served, progress, now)
    if strip and strip.current:
        count = f"{strip.current.words} · {count}"
    if why:
        word = "FAILING" if new.healthy == 0 else "DEPLOYING, NOT WELL"
        return Verdict(
            Severity.BAD,
            word,
            f"{_named(new, old)} is not coming up: {why}{aside}. {served}",
            evidence=breaker,
            progress=progress,
            helps=helps,
        )
    return Verdict(
        Severity.BUSY, "DEPLOYING", f"{to}: {count}. {served}", breaker, progress=progress
    )


def _leaving(service: Service, current: ServiceDeployment, both: Sides, served: str) -> Verdict:
    """ECS has gone back; what it tried is still leaving."""
    view = (both.old, both.new)
    tried = next((v for v in view if v and v.number == current.target.number), None)
    other = next((v for v in view if v and v is not tried), None)
    who = cause.rolled_back_by(current.rollback_reason or current.status_reason)
    named = _named(tried, other) if tried else "the new revision"
    return Verdict(
        Severity.BAD if who else Severity.BUSY,
        "ROLLING BACK",
        f"{named} was taken back {who or 'by hand'}: its last tasks are leaving. {served}",
        progress=_progress(service, other, tried) if tried and other else None,
    )


def _waiting(
    strip: Rollout, named: str, count: str, served: str, progress: Progress, now: datetime
) -> Verdict:
    """A pause hook waits: what for, and what ECS does when nobody acts."""
    hook = strip.waiting[0]
    stage = strip.current.words if strip.current else "a hook"
    then = "goes on" if hook.timeout_action == "CONTINUE" else "goes back"
    when = f" in {rounded(hook.expires_at - now)}" if hook.expires_at else ""
    return Verdict(
        Severity.WAITING,
        "WAITING FOR YOU",
        f"{named} waits at {stage}: {count}. {served}. It {then} by itself{when}",
        progress=progress,
        approvable=True,
    )


def _rolled_back(
    snapshot: Snapshot,
    service: Service,
    current: ServiceDeployment,
    both: Sides,
    served: str,
    now: datetime,
) -> Verdict:
    ended = current.finished_at or current.updated_at or current.created_at
    reason = current.rollback_reason or current.status_reason
    who = cause.rolled_back_by(reason)
    calm = _at_rest(snapshot, service, both, served, now)
    if calm.severity is Severity.BAD or service.desired == 0:
        return calm
    failed = _revision(snapshot, current, both.new)
    why = _why_of_number(snapshot, current.target.number)
    at = ended.astimezone(now.tzinfo)
    told = f"{failed} was rolled back {who or 'by hand'} at {at:%H:%M}"
    told += f": {why}" if why else ""
    if not who or now - ended > RECENT:
        return replace(calm, evidence=(*calm.evidence, told))
    return Verdict(Severity.BAD, "ROLLED BACK", f"{told}. {served}", evidence=calm.evidence)


def _at_rest(
    snapshot: Snapshot, service: Service, both: Sides, served: str, now: datetime
) -> Verdict:
    side = both.new
    primary = service.primary
    name = f"revision {side.revision}" if side else "the service"
    if service.desired == 0:
        asked = f"{name} is set to 0 tasks: nothing runs, as asked"
        return Verdict(Severity.GOOD, "SCALED TO 0", asked)
    if primary is not None and primary.rollout_state == "FAILED":
        why = primary.rollout_reason or "no reason given"
        return Verdict(Severity.BAD, "DEPLOY FAILED", f"{name}: {why}. {served}")
    healthy = side.healthy if side else 0
    routes = traffic(snapshot)
    if contradiction := _contradiction(routes):
        return contradiction
    if healthy >= service.desired:
        steady = Verdict(Severity.GOOD, "STEADY", served)
        return steady if side is None or routes.balanced else _worker(snapshot, side, steady, now)
    if snapshot.tasks.value is None or (routes.balanced and not routes.known):
        return Verdict(Severity.UNKNOWN, "CANNOT TELL", f"{name} {_unread(snapshot, service)}")
    why = (_why(snapshot, service, side) if side else "") or "tasks are still starting"
    word = "DOWN" if healthy == 0 else "DEGRADED"
    return Verdict(
        Severity.BAD, word, f"{name} has {healthy}/{service.desired} tasks healthy: {why}"
    )


def _unread(snapshot: Snapshot, service: Service) -> str:
    """`runs 4/4 tasks, as ECS counts; their health cannot be read`: not "yet" where it failed."""
    failed = any(part.failure for part in (snapshot.tasks, snapshot.targets))
    health = "cannot be read" if failed else "is not read yet"
    counted = f"{service.running}/{how_many(service.desired, 'task')}"
    return f"runs {counted}, as ECS counts; their health {health}"


def _worker(snapshot: Snapshot, side: SideView, steady: Verdict, now: datetime) -> Verdict:
    """Without a load balancer: by container health, by tasks that ended, and by its own metric."""
    metrics = snapshot.metrics.value
    if metrics and (value := latest(metrics.own)) is not None:
        at = metrics.own[-1][0].astimezone(now.tzinfo)
        told = f"{metrics.own_name} {value:g} at {at:%H:%M}"
        steady = replace(steady, evidence=(told, *steady.evidence))
    ended = tuple(row for row in side.failed if row.since and now - row.since <= LATELY)
    if len(ended) >= RESTLESS:
        why = f"in {rounded(LATELY)} {cause.of_stopped(ended, snapshot.last_words)}"
        sentence = f"{steady.sentence}, but {why}"
        return replace(steady, severity=Severity.WAITING, word="RESTARTING", sentence=sentence)
    if steady.evidence or any(row.health != NO_CHECK for row in side.rows):
        return steady
    unproven = f"{steady.sentence}: running, not proven (nothing checks its tasks)"
    return replace(steady, sentence=unproven)


LATELY = timedelta(minutes=15)
RESTLESS = 3
"""So many tasks that ended by themselves lately are more than bad luck."""


def _contradiction(routes: Traffic) -> Verdict | None:
    """Where listener and targets disagree, whatever ECS says of the deployment."""
    if routes.balanced and routes.known and not routes.live:
        return Verdict(
            Severity.BAD, "NO TRAFFIC", "no listener sends traffic to the service's target groups"
        )
    if astray := routes.astray:
        idle = sum(group.healthy for group in routes.idle)
        return Verdict(
            Severity.BAD,
            "SENT ASTRAY",
            f"the listener sends {astray.production_share:.0f} % to {astray.name}, where nobody is "
            f"healthy; {idle} healthy targets get no traffic",
        )
    return None


def _why(snapshot: Snapshot, service: Service, side: SideView) -> str:
    told = (
        cause.of_stopped(side.failed, snapshot.last_words),
        cause.of_unhealthy(side),
        cause.of_events(service) if side.healthy < service.desired else "",
    )
    return next((words for words in told if words), "")


def _why_of_number(snapshot: Snapshot, number: str) -> str:
    """Why the tasks of a deployment that is gone ended."""
    return cause.of_stopped(stopped_of(snapshot, number), snapshot.last_words)


def _revision(snapshot: Snapshot, deployment: ServiceDeployment, live: SideView | None) -> str:
    known = revision_by_number(snapshot, deployment.target.number)
    if known is None:
        return "the new revision"
    number = revision_of(known.task_definition)
    image = image_of(known.images, main_container(snapshot.service.value))
    same = bool(live and live.revision == number)
    return _told(number, image.digest if image else "", live.digest if live else "", same=same)


def _breaker(current: ServiceDeployment | None) -> tuple[str, ...]:
    breaker = current.breaker if current else None
    if breaker is None or not breaker.failures:
        return ()
    return (f"circuit breaker at {breaker.failures} of {breaker.threshold}",)


def _named(new: SideView, old: SideView | None) -> str:
    """`revision 3`, or what tells it from the other side of the same revision number."""
    same = bool(old and old.revision == new.revision)
    return _told(new.revision, new.digest, old.digest if old else "", same=same)


def _told(number: str, digest: str, other: str, *, same: bool) -> str:
    """The side that failed, told from one of the same number: by its image, else by what it was."""
    if same and digest and digest != other:
        return f"revision {number} ({short_digest(digest)})"
    return f"the redeploy of revision {number}" if same else f"revision {number}"


def _images(old: SideView, new: SideView) -> str:
    if not old.digest or not new.digest or old.digest == new.digest:
        return "same task definition"
    before, after = short_digest(old.digest), short_digest(new.digest)
    return f"with a NEW image ({before} → {after})"


def _progress(service: Service, coming: SideView, going: SideView | None) -> Progress:
    left = sum(1 for row in going.rows if row.status != "stopped") if going else 0
    wanted = coming.requested or service.desired
    # Old tasks that left before new ones are well were lost, not replaced: no progress.
    done = min(coming.healthy, wanted) + min(coming.healthy, max(0, wanted - left))
    words = f"{coming.healthy}/{wanted} healthy"
    if left:
        words += f" · {left} old still to go"
    return Progress(done, max(1, 2 * wanted), words)


def _no_service(snapshot: Snapshot) -> Verdict:
    part = snapshot.service
    if part.failure:
        return Verdict(
            Severity.UNKNOWN,
            "CANNOT TELL",
            part.failure.error.what,
            evidence=tuple(filter(None, (part.failure.error.hint,))),
        )
    if part.absent:
        return Verdict(Severity.UNKNOWN, "NOT THERE", part.absent)
    return Verdict(Severity.UNKNOWN, "CONNECTING", f"asking AWS about {snapshot.ref}")
