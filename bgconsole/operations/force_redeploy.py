"""Force redeploy: replace every task, keeping the task definition.

The task definition stays, the image may not: a mutable tag is resolved again. So every tag is
looked up first, and one that means another digest now makes this the deploy of a new image, asked
for as such.
"""

from __future__ import annotations

from collections.abc import Mapping

from bgconsole.domain.how_many import how_many
from bgconsole.domain.images import ImageReference, named_digest
from bgconsole.domain.services import ContainerImage, Service
from bgconsole.domain.snapshot import Snapshot
from bgconsole.domain.versions import Version, live_version
from bgconsole.gateway.port import Gateway, Submitted
from bgconsole.operations import back_steps
from bgconsole.operations.guards import at_rest
from bgconsole.operations.lookup import (
    Lookup,
    about_tag,
    image_check,
    means_now,
    parts_in,
    why_not_known,
)
from bgconsole.operations.owning_stack import drifts
from bgconsole.operations.spec import (
    Check,
    Evidence,
    Fact,
    No,
    Operation,
    Otherwise,
    Param,
    Params,
    Plan,
    Risk,
    not_checked,
)
from bgconsole.operations.step import Step
from bgconsole.operations.words import at, command, following
from bgconsole.watch.follow import Expected

KEEP = "pinned"
"""The parameter that restarts what runs now, whatever its tag means."""


def _allowed(snapshot: Snapshot) -> No | None:
    return at_rest(snapshot, "a redeploy would take its place. Wait, or roll back.")


def _gather(gateway: Gateway, snapshot: Snapshot, params: Params) -> Evidence:
    lookup = Lookup(gateway, snapshot)
    for image in _images(snapshot):
        if params.get(KEEP):
            lookup.digest(image)
        else:
            lookup.tag(image.image)
    return lookup.evidence


def _plan(snapshot: Snapshot, params: Params, evidence: Evidence | None) -> Plan | No:
    if params.get(KEEP):
        return _kept(snapshot, evidence)
    service, live = snapshot.service.value, live_version(snapshot)
    if service is None or live is None:
        return No("The service has not been read yet.")
    checks, facts, digests = [], [], {}
    new = False
    for image in _images(snapshot):
        check, digest = _image(image, snapshot, evidence)
        checks.append(check)
        digests[image.container] = digest
        new = new or digest != image.digest
        facts.append(Fact(f"image {image.container}", _deploys(image, digest)))
    tags = ", ".join(filter(None, (ImageReference.parse(i.image).tag for i in _images(snapshot))))
    what = "deploying a NEW image" if new else f"same image {tags}".rstrip()
    after = Version(
        service.task_definition,
        tuple(
            ContainerImage(i.container, i.image, digests[i.container]) for i in _images(snapshot)
        ),
    )
    ref = snapshot.ref
    return Plan(
        summary=f"Force a redeploy of {ref.name} on revision {live.revision}, {what}",
        facts=(
            Fact("live", live.words, aside=_since(snapshot, service)),
            *facts,
        ),
        checks=tuple(checks),
        steps=(_start(snapshot, service, live), following(service)),
        confirm=live.revision,
        expect=Expected(
            task_definition=service.task_definition,
            digests={name: digest for name, digest in digests.items() if digest},
            parts=parts_in(evidence),
        ),
        notes=_notes(service, live),
        raised=Risk.DANGEROUS if new else None,
        otherwise=Otherwise("restart what runs now, by its digest", {KEEP: "yes"})
        if new and live.digests
        else None,
        before=live.words,
        after=after.words,
    )


def _kept(snapshot: Snapshot, evidence: Evidence | None) -> Plan | No:
    """Restart what runs now: the same task definition, with every image pinned to its digest."""
    service, live = snapshot.service.value, live_version(snapshot)
    if service is None or live is None:
        return No("The service has not been read yet.")
    images = _images(snapshot)
    unknown = [image.container for image in images if not image.digest]
    if unknown or not live.digests:
        names = ", ".join(unknown)
        return No(f"What runs is not known by digest{f' ({names})' if names else ''}: not pinned.")
    known = snapshot.tasks.value.definitions if snapshot.tasks.value else {}
    definition = known.get(live.task_definition)
    pinned = {
        image.container: ImageReference.parse(image.image).pinned(image.digest)
        for image in images
        if not ImageReference.parse(image.image).digest
    }
    if not pinned:
        return No("Every image is pinned to a digest already: redeploy without it.")
    ref = snapshot.ref
    return Plan(
        summary=f"Restart what runs now of {ref.name}: revision {live.revision}, pinned",
        facts=(
            Fact("live", live.words, aside=_since(snapshot, service)),
            *(Fact(f"image {name}", image) for name, image in pinned.items()),
        ),
        checks=tuple(filter(None, (image_check(i, evidence, must=True) for i in images))),
        steps=(*back_steps.update(snapshot, live, definition, pinned), following(service)),
        confirm=live.revision,
        expect=Expected(
            task_definition=back_steps.PINNED, digests=live.digests, parts=parts_in(evidence)
        ),
        notes=_notes(service, live),
        left_to_do=drifts(service.stack),
        before=live.words,
        after=live.words,
    )


def _start(snapshot: Snapshot, service: Service, live: Version) -> Step:
    ref = snapshot.ref

    def act(gateway: Gateway, made: Mapping[str, str]) -> Submitted:
        del made
        return gateway.changes.update(ref, force=True)

    return Step(
        f"start a new deployment of revision {live.revision}: "
        f"{how_many(service.desired, 'new task')}, then the running ones stop",
        command(
            f"ecs update-service --cluster {ref.cluster} --service {ref.name} "
            "--force-new-deployment",
            snapshot.place,
        ),
        act,
    )


def _images(snapshot: Snapshot) -> tuple[ContainerImage, ...]:
    """What runs now, with the image as the task definition writes it."""
    live = live_version(snapshot)
    if live is None:
        return ()
    known = snapshot.tasks.value.definitions if snapshot.tasks.value else {}
    definition = known.get(live.task_definition)
    written = {c.name: c.image for c in definition.containers} if definition else {}
    seen = {image.container: image for image in live.images}
    names = dict.fromkeys((*seen, *written))
    return tuple(
        ContainerImage(
            name,
            written.get(name) or seen[name].image,
            seen[name].digest if name in seen else "",
        )
        for name in names
    )


def _image(
    image: ContainerImage, snapshot: Snapshot, evidence: Evidence | None
) -> tuple[Check, str]:
    """What a redeploy makes of one container's image: the check, and the digest that would run."""
    reference = ImageReference.parse(image.image)
    if reference.digest:
        words = f"{image.container}: pinned to {named_digest(reference.digest)}"
        return Check(words, "ok"), reference.digest
    now = means_now(image.image, snapshot, evidence, image.digest)
    if now is None:
        return _unknown(image, reference.tag, evidence), image.digest
    if not now:
        words = f"The tag {reference.tag} is gone from {reference.repository}: no task could start."
        return Check(words, "problem"), ""
    if now == image.digest:
        return Check(f"same image: {reference.tag} still means {named_digest(now)}", "ok"), now
    return _other(image, reference.tag, now, _pushed(image.image, snapshot, evidence)), now


def _unknown(image: ContainerImage, tag: str, evidence: Evidence | None) -> Check:
    if evidence is None:
        return Check(f"what the tag {tag} means now", "checking")
    why = why_not_known(evidence, about_tag(image.image)) or "not asked"
    running = named_digest(image.digest) if image.digest else "an unknown digest"
    return not_checked(f"what the tag {tag} means now", why, f"; {running} runs")


def _other(image: ContainerImage, tag: str, now: str, pushed: str) -> Check:
    if not image.digest:
        return Check(f"{tag} means {named_digest(now)}{pushed}; what runs is not known", "warning")
    words = (
        f"{tag} now means {named_digest(now)}{pushed}, not {named_digest(image.digest)}: "
        "this deploys a NEW image"
    )
    return Check(words, "warning")


def _pushed(written: str, snapshot: Snapshot, evidence: Evidence | None) -> str:
    found = evidence.answer(about_tag(written)) if evidence else None
    if found is not None and found.pushed_at:
        return f", pushed {at(found.pushed_at, snapshot)}"
    return ""


def _deploys(image: ContainerImage, digest: str) -> str:
    reference = ImageReference.parse(image.image)
    shown = named_digest(digest) if digest else "digest not known"
    return " · ".join(filter(None, (reference.tag, shown)))


def _since(snapshot: Snapshot, service: Service) -> str:
    primary = service.primary
    return f"live since {at(primary.created_at, snapshot)}" if primary else ""


def _notes(service: Service, live: Version) -> tuple[str, ...]:
    notes = []
    if service.desired == 0:
        notes.append("The service wants 0 tasks: nothing will start.")
    if service.task_definition != live.task_definition:
        notes.append(f"ECS will deploy {service.task_definition}, which is not what is live.")
    return tuple(notes)


FORCE_REDEPLOY = Operation(
    id="service.force-redeploy",
    title="Force redeploy",
    footer="redeploy",
    key="F",
    help="Replace every task of the service, keeping its task definition.",
    risk=Risk.DISRUPTIVE,
    allowed=_allowed,
    gather=_gather,
    plan=_plan,
    several=True,
    params=(
        Param(
            KEEP, "Restart what runs now, pinned to its digest, whatever its tag means", flag=True
        ),
    ),
)
