"""An image that somebody names for a service, and what it is pinned to."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bgconsole.domain.images import ImageReference, is_reference, is_tag, named_digest
from bgconsole.domain.services import ContainerImage, TaskDefinition
from bgconsole.domain.snapshot import Snapshot
from bgconsole.gateway.port import Gateway, Submitted
from bgconsole.operations.lookup import (
    Lookup,
    about_digest,
    about_tag,
    means_now,
    why_not_known,
)
from bgconsole.operations.spec import Check, Evidence, not_checked
from bgconsole.operations.step import Step
from bgconsole.operations.words import command

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class NewImage:
    """As it was asked for, and as it will run."""

    reference: str
    """To pull: pinned to its digest where that is known."""
    words: str
    """`8be01c9 · sha256:77ab10c2`."""
    digest: str
    """Empty where it is not known."""
    tag: str
    """Empty where it was named by its digest."""
    check: Check


def full_reference(text: str, running: str) -> str:
    """A tag, a digest or `repository:tag` completed from the reference that runs now.

    A reference that names a registry stays as it is.
    """
    current = ImageReference.parse(running)
    base = f"{current.registry}/{current.repository}".lstrip("/")
    if _DIGEST.fullmatch(text):
        return f"{base}@{text}"
    if is_tag(text):
        return f"{base}:{text}"
    named = ImageReference.parse(text)
    if not named.registry and named.repository == current.repository and current.registry:
        return f"{current.registry}/{text}"
    return text


def look_up(lookup: Lookup, written: str) -> None:
    """Ask the registry for a full reference: what its tag means, or whether its digest is there."""
    if ImageReference.parse(written).digest:
        lookup.digest(ContainerImage("", written, ""))
    else:
        lookup.tag(written)


def resolve(written: str, snapshot: Snapshot, evidence: Evidence | None) -> NewImage:
    """What a full reference will run as, as far as it is known."""
    reference = ImageReference.parse(written)
    if not is_reference(written):
        form = "write a tag, sha256:DIGEST, REPOSITORY:TAG or REGISTRY/REPOSITORY:TAG"
        return NewImage(
            written, written, "", "", Check(f"{written!r} names no image: {form}.", "problem")
        )
    digest = reference.digest or means_now(written, snapshot, evidence)
    shown = f"{reference.repository}:{reference.tag}" if reference.tag else reference.repository
    if digest:
        words = " · ".join(filter(None, (reference.tag, named_digest(digest))))
        pinned = reference.pinned(digest)
        return NewImage(
            pinned, words, digest, reference.tag, _found(written, shown, digest, evidence)
        )
    if digest is None:
        if evidence is None:
            check = Check(f"what {shown} is", "checking")
        else:
            why = evidence.why_not(about_tag(written)) or "not asked"
            check = Check(f"{shown}: not pinned to a digest, not checked ({why})", "not checked")
        return NewImage(written, reference.tag or shown, "", reference.tag, check)
    gone = Check(f"There is no image {shown} in the registry: no task could start.", "problem")
    return NewImage(written, reference.tag or shown, "", reference.tag, gone)


def register_step(
    snapshot: Snapshot,
    definition: TaskDefinition,
    container: str,
    reference: str,
    makes: str,
    go_on: Callable[[Mapping[str, str]], str] | None = None,
) -> Step:
    """Register a copy of a task definition with a new image in one container, all else kept.

    Args:
        snapshot: where.
        definition: what is copied.
        container: which gets the image.
        reference: the image, or the name under which an earlier step hands it on.
        makes: the name under which the copy is handed on.
        go_on: how to go on from here.
    """

    def act(gateway: Gateway, made: Mapping[str, str]) -> Submitted:
        image = made.get(reference, reference)
        return gateway.changes.register_pinned(definition.arn, {container: image})

    def found(gateway: Gateway, made: Mapping[str, str]) -> Submitted | None:
        return found_copy(gateway, definition.arn, {container: made.get(reference, reference)})

    return Step(
        f"register a revision of {definition.family} like {definition.revision}, but with "
        f"{container} = {reference}",
        command(
            "ecs register-task-definition --cli-input-json "
            f"'<{definition.name} with the image replaced>'",
            snapshot.place,
        ),
        act,
        makes=makes,
        effect="prepares",
        go_on=go_on,
        stand_ins={reference: reference},
        found=found,
    )


def found_copy(gateway: Gateway, arn: str, images: Mapping[str, str]) -> Submitted | None:
    """The newest revision of a family, where it is the copy that was to be registered.

    That it says the same apart from these images is enough: whoever registered it, it is the same.
    """
    base = gateway.services.task_definition(arn)
    newest = gateway.services.task_definition(base.family)
    wanted = {**{c.name: c.image for c in base.containers}, **images}
    same = bool(base.content) and newest.content == base.content and newest.arn != base.arn
    if same and {c.name: c.image for c in newest.containers} == wanted:
        return Submitted("", created=newest.arn)
    return None


def _found(written: str, shown: str, digest: str, evidence: Evidence | None) -> Check:
    reference = ImageReference.parse(written)
    by_digest = about_digest(reference.repository, digest)
    question = by_digest if reference.digest else about_tag(written)
    short = f"{reference.repository} {named_digest(digest)}"
    if evidence is None:
        return Check(f"image {short} in the registry", "checking")
    if why := evidence.why_not(question):
        return not_checked(f"image {short}", why)
    if evidence.answer(question) is None:
        words = f"The image {short} is not in the registry: no task could start."
        return Check(words, "problem")
    named = f"{shown} is {named_digest(digest)}" if reference.tag else f"image {short}"
    if why := why_not_known(evidence, question):
        return Check(f"{named}, in the registry; not checked ({why})", "not checked")
    return Check(f"{named}, in the registry", "ok")
