"""Deploy: bring a new image to serve, step by step, each of them visible, and stoppable between.

The image is built and pushed first where none is named. It is registered in a revision of the live
task definition, pinned to its digest, with all else kept. Where migrations are wanted they run with
the new image before the service is touched; only exit code 0 goes on. One call changes what serves;
what follows only looks. Where the stack that owns the service is gone through, that call is its
change set.
"""

from __future__ import annotations

import shlex
from dataclasses import replace

from bgconsole.domain.images import Image, ImageReference, named_digest, short_digest
from bgconsole.domain.join import image_of, main_container
from bgconsole.domain.migrations import DEFAULT_COMMAND
from bgconsole.domain.services import Service, TaskDefinition, revision_of, short_name
from bgconsole.domain.snapshot import Snapshot
from bgconsole.domain.versions import Version, live_version
from bgconsole.gateway.port import Gateway
from bgconsole.operations import migration as migrating
from bgconsole.operations import through_stack
from bgconsole.operations.build import (
    BUILD_PARAMS,
    CONTEXT,
    image_checks,
    image_facts,
    making,
    survey,
)
from bgconsole.operations.deploy_steps import (
    REGISTERS,
    REVISION,
    STARTS,
    Start,
    Wanted,
    before,
    deployed,
    from_image,
    named_in,
    update,
)
from bgconsole.operations.guards import at_rest
from bgconsole.operations.image_steps import PUSHED, Making
from bgconsole.operations.lookup import (
    Lookup,
    about_definition,
    definition_of,
    parts_in,
    unread_definition,
)
from bgconsole.operations.migrate import on_start_check
from bgconsole.operations.new_image import (
    NewImage,
    full_reference,
    look_up,
    resolve,
)
from bgconsole.operations.owning_stack import drifts, owning_stack
from bgconsole.operations.spec import (
    Check,
    Evidence,
    Fact,
    No,
    Operation,
    Param,
    Params,
    Plan,
    Risk,
)
from bgconsole.operations.step import Step
from bgconsole.operations.through_stack import IN_VIEW, THROUGH_PARAMS, Through
from bgconsole.operations.words import at, following
from bgconsole.watch.follow import Expected

MOST_CHOICES = 30


def _allowed(snapshot: Snapshot) -> No | None:
    return at_rest(snapshot, "wait for its end, or stop it first.")


def _gather(gateway: Gateway, snapshot: Snapshot, params: Params) -> Evidence:
    lookup = Lookup(gateway, snapshot)
    definition = lookup.definition(_base(snapshot, params))
    if definition is None:
        return lookup.evidence
    container = migrating.container_of(snapshot, definition, params)
    if isinstance(container, str) and (written := _written(definition, container, params)):
        look_up(lookup, written)
    if _migrates(params):
        lookup.runs(definition.family)
        if other := params.get("task-definition"):
            lookup.definition(other)
            lookup.runs(other)
    found = lookup.evidence
    if _start(params) == "build":
        found = found.joined(survey(gateway, snapshot, params))
    way, wanted = through_stack.through(snapshot, params), _wanted(snapshot, params, found)
    if not (isinstance(way, Through) and isinstance(wanted, Wanted)):
        return found
    if wanted.image.check.state == "problem":
        return found  # which is said without any draft
    return through_stack.look(gateway, snapshot, way, wanted.image.reference, found)


def _plan(snapshot: Snapshot, params: Params, evidence: Evidence | None) -> Plan | No:
    service, live = snapshot.service.value, live_version(snapshot)
    if service is None or live is None:
        return No("The service has not been read yet.")
    way, wanted = through_stack.through(snapshot, params), _wanted(snapshot, params, evidence)
    if isinstance(wanted, No):
        return wanted
    if isinstance(way, No):
        return way
    if wanted is None:
        return replace(_unread(snapshot, params, live), stacks=_stacks(way))
    if no := _migrating(snapshot, wanted, evidence):
        return no
    common = _common(snapshot, wanted, live, evidence)
    return (
        _by_itself(snapshot, params, evidence, wanted, live, service, common)
        if way is None or wanted.image.check.state == "problem"
        else _by_stack(snapshot, params, evidence, wanted, live, way, common)
    )


def _by_itself(
    snapshot: Snapshot,
    params: Params,
    evidence: Evidence | None,
    wanted: Wanted,
    live: Version,
    service: Service,
    plan: Plan,
) -> Plan:
    """The plan that updates the service."""
    image, family = wanted.image, wanted.definition.family
    known = "" if wanted.start in REGISTERS else wanted.definition.name
    moving = owning_stack(snapshot, stopping=False)
    return replace(
        plan,
        facts=_facts(snapshot, wanted, live, evidence, _by(wanted, service.task_definition)),
        checks=(*plan.checks, *((Check(moving, "warning"),) if moving else ())),
        steps=(*_steps(snapshot, wanted, named_in(snapshot, params)), following(service)),
        expect=Expected(
            task_definition=wanted.definition.arn if known else REVISION,
            digests={wanted.container: image.digest} if image.digest else {},
            parts=parts_in(evidence),
        ),
        left_to_do=drifts(service.stack),
        after=f"{known or f'a new revision of {family}'} · {image.words}",
    )


def _migrating(snapshot: Snapshot, wanted: Wanted, evidence: Evidence | None) -> No | None:
    """Why it must wait, where another migration runs."""
    if evidence is None or not wanted.migrates:
        return None
    running = migrating.under_way(evidence, _families(wanted))
    if not running:
        return None
    told = "; ".join(migrating.task_words(task, snapshot) for task in running)
    return No(
        f"A migration runs: {told}. Wait for its end; "
        f"`bgconsole migrate --follow {running[0].id}` shows it."
    )


def _common(snapshot: Snapshot, wanted: Wanted, live: Version, evidence: Evidence | None) -> Plan:
    """What the plan says whichever way the image is brought to serve."""
    image = wanted.image
    first = f"Build {wanted.making.shown} and deploy" if wanted.making else "Deploy"
    return Plan(
        summary=f"{first} {image.words or image.reference} to {snapshot.ref.name}",
        facts=(),
        checks=_checks(snapshot, wanted, live, evidence),
        steps=(),
        confirm=_word(image) if wanted.start in REGISTERS else str(wanted.definition.revision),
        notes=_notes(wanted),
        before=live.words,
    )


def _facts(
    snapshot: Snapshot, wanted: Wanted, live: Version, evidence: Evidence | None, by: str
) -> tuple[Fact, ...]:
    image = wanted.image
    return (
        Fact("from", live.words, aside=_since(snapshot)),
        Fact("to", f"{_to(wanted)} · {image.words or image.reference}"),
        Fact("by", by),
        Fact("first", _first(wanted)),
        *(image_facts(wanted.making, evidence) if wanted.making else ()),
    )


def _by_stack(
    snapshot: Snapshot,
    params: Params,
    evidence: Evidence | None,
    wanted: Wanted,
    live: Version,
    way: Through,
    plan: Plan,
) -> Plan | No:
    """The plan through the stack that owns the service."""
    image = wanted.image
    shown = through_stack.shown(snapshot, way, image.reference, evidence)
    if isinstance(shown, No):
        return shown
    named = named_in(snapshot, params)
    migrated = f"--no-migrate {named}" if wanted.migrates else named
    by = through_stack.means(way, image.words or image.reference)
    return replace(
        plan,
        facts=(*_facts(snapshot, wanted, live, evidence, by), *shown.facts),
        checks=(*plan.checks, *shown.checks),
        steps=(
            *before(snapshot, wanted, named, serves=False),
            *through_stack.steps(
                snapshot,
                way,
                wanted.container,
                image.reference,
                shown,
                from_image(migrated, image.reference),
                evidence,
            ),
        ),
        confirm=snapshot.ref.name if shown.grave else plan.confirm,
        notes=(*plan.notes, *shown.notes),
        otherwise=through_stack.instead(params, snapshot.service.value),
        raised=shown.raised,
        after=f"the stack {way.stack.name} with {way.parameter} {image.words}",
        stacks=_stacks(way),
        in_view=IN_VIEW,
    )


def _stacks(way: Through | None) -> tuple[str, ...]:
    return (way.stack.name,) if way else ()


def _unread(snapshot: Snapshot, params: Params, live: Version) -> Plan:
    """As far as it can be said before the task definitions are read."""
    base, revision = _base(snapshot, params), params.get("revision", "")
    what = f"revision {revision}" if revision else params.get("image") or "a new image"
    return Plan(
        summary=f"Deploy {what} to {snapshot.ref.name}",
        facts=(Fact("from", live.words, aside=_since(snapshot)), Fact("to", what)),
        checks=(Check("the task definitions", "checking"),),
        steps=(update(snapshot, base, short_name(base), ""),),
        confirm=revision or snapshot.ref.name,
    )


def _wanted(snapshot: Snapshot, params: Params, evidence: Evidence | None) -> Wanted | No | None:
    """What was asked for; None while the task definition is not read yet."""
    start = _start(params)
    if isinstance(start, No):
        return start
    base = _base(snapshot, params)
    definition = definition_of(snapshot, evidence, base)
    if definition is None:
        return unread_definition(base, evidence) if evidence is not None else None
    container = migrating.container_of(snapshot, definition, params)
    if isinstance(container, No):
        return container
    return _understood(snapshot, params, evidence, start, definition, container)


def _understood(
    snapshot: Snapshot,
    params: Params,
    evidence: Evidence | None,
    start: Start,
    definition: TaskDefinition,
    container: str,
) -> Wanted | No | None:
    """The image and the migrations; None while something is not read yet."""
    words = migrating.command_of(params)
    if isinstance(words, No):
        return words
    made = (
        making(snapshot, {**params, "container": container}, evidence) if start == "build" else None
    )
    if isinstance(made, No):
        return made
    with_, in_ = _migrated_with(snapshot, params, evidence, definition, container)
    if isinstance(with_, No):
        return with_ if evidence is not None else None
    written = _written(definition, container, params)
    return Wanted(
        start=start,
        definition=definition,
        container=container,
        image=_pushed(made) if made else resolve(written, snapshot, evidence),
        migrates=_migrates(params),
        command=words,
        migrates_in=in_,
        migrates_with=with_,
        making=made,
    )


def _migrated_with(
    snapshot: Snapshot,
    params: Params,
    evidence: Evidence | None,
    definition: TaskDefinition,
    container: str,
) -> tuple[TaskDefinition | No | None, str]:
    """Another task definition for the migrations, where one is configured, and their container."""
    family, wanted = params.get("task-definition", ""), params.get("migrate-container", "")
    if not _migrates(params):
        return None, container
    found = evidence.answer(about_definition(family)) if evidence else None
    if family and found is None:
        return unread_definition(family, evidence), ""
    if found is None and not wanted:
        return None, container
    place = migrating.container_of(snapshot, found or definition, {"container": wanted})
    return (place, "") if isinstance(place, No) else (found, place)


def _families(wanted: Wanted) -> tuple[str, ...]:
    """Where other migrations are looked for."""
    other = wanted.migrates_with
    return (wanted.definition.family, *((other.family,) if other else ()))


def _pushed(made: Making) -> NewImage:
    """The image that the steps before will have made: its digest is known once it is pushed."""
    check = Check("its digest is read back from ECR before it is registered", "ok")
    return NewImage(PUSHED, made.tags[0], PUSHED, made.tags[0], check)


def _start(params: Params) -> Start | No:
    """Where to begin: with the build, unless an image is named."""
    asked = params.get("from") or ("register" if params.get("image") else "build")
    start = next((each for each in STARTS if each == asked), None)
    if start is None:
        return No(f"There is no step {asked} to begin from; there are {', '.join(STARTS)}.")
    revision, image = params.get("revision", ""), params.get("image", "")
    if start in REGISTERS and revision:
        return No(f"Revision {revision} is registered: go on --from migrate or --from update.")
    if start not in REGISTERS and not revision:
        return No(f"From {start} on, --revision names what was registered.")
    if start == "register" and not image:
        return No("From register on, --image names what was pushed.")
    if start != "register" and image:
        other = "the build makes one" if start == "build" else "a revision names its own"
        return No(f"An image is named, and {other}: give one or the other.")
    return start


def _migrates(params: Params) -> bool:
    """Whether migrations are run: as asked, else as configured."""
    if params.get("no-migrate") or params.get("from") == "update":
        return False
    return bool(params.get("migrate")) or params.get("from") == "migrate"


def _base(snapshot: Snapshot, params: Params) -> str:
    """The task definition that is copied, or that was registered before."""
    service = snapshot.service.value
    current = service.task_definition if service else ""
    revision = params.get("revision", "")
    return f"{current.rpartition(':')[0]}:{revision}" if revision else current


def _written(definition: TaskDefinition, container: str, params: Params) -> str:
    """The full reference of what is to be deployed; empty where none was named."""
    current = next((c.image for c in definition.containers if c.name == container), "")
    if params.get("revision"):
        return current
    wanted = params.get("image", "")
    return full_reference(wanted, current) if wanted else ""


def _which(snapshot: Snapshot, params: Params) -> No | None:
    """What the console asks first: a build, or one of the repository's images, newest first."""
    service, live = snapshot.service.value, live_version(snapshot)
    if service is None or live is None:
        return None
    container = main_container(service)
    running = image_of(live.images, container)
    repository = ImageReference.parse(running.image).repository if running else ""
    serves = running.digest if running else ""
    images = [i for i in snapshot.images.value or () if i.repository == repository]
    folder = params.get("context") or CONTEXT
    return No(
        "Build and push first, or deploy an image that is in the registry?",
        (
            ("", f"build {folder} and push it"),
            *(
                (i.tags[0] if i.tags else i.digest, _image_words(i, serves, snapshot))
                for i in images[:MOST_CHOICES]
            ),
        ),
        param="image",
    )


def _image_words(image: Image, serves: str, snapshot: Snapshot) -> str:
    tags = ", ".join(image.tags) or "no tag"
    pushed = f"pushed {at(image.pushed_at, snapshot)}" if image.pushed_at else ""
    live = "live" if image.digest == serves else ""
    told = (tags, named_digest(image.digest), pushed, live)
    return " · ".join(filter(None, told))


def _word(image: NewImage) -> str:
    """What is typed: the image's tag, else the first digits of its digest."""
    reference = ImageReference.parse(image.reference)
    return image.tag or short_digest(reference.digest) or reference.repository


def _to(wanted: Wanted) -> str:
    if wanted.start in REGISTERS:
        return f"a new revision of {wanted.definition.family}"
    return f"revision {wanted.definition.revision}"


def _by(wanted: Wanted, current: str) -> str:
    if wanted.start not in REGISTERS:
        return f"an update of the service to {wanted.definition.name}"
    kept = f"a copy of revision {revision_of(current)}, {wanted.container} with the new image"
    return kept if wanted.image.digest else f"{kept} (not pinned)"


def _first(wanted: Wanted) -> str:
    if wanted.migrates:
        return f"{shlex.join(wanted.command)}; only exit code 0 goes on"
    return "no migrations are run"


def _checks(
    snapshot: Snapshot, wanted: Wanted, live: Version, evidence: Evidence | None
) -> tuple[Check, ...]:
    checks = [wanted.image.check]
    if wanted.making:
        checks += image_checks(snapshot, wanted.making, evidence)
    if wanted.image.digest and live.digests.get(wanted.container) == wanted.image.digest:
        words = f"{wanted.image.words} is what serves already: this only replaces its tasks"
        checks.append(Check(words, "warning"))
    if wanted.migrates:
        checks.append(migrating.other_check(evidence, _families(wanted)))
    service = snapshot.service.value
    if wanted.definition.status != "ACTIVE":
        words = f"Task definition {wanted.definition.name} is {wanted.definition.status}."
        checks.append(Check(words, "warning" if wanted.start in REGISTERS else "problem"))
    checks += on_start_check(wanted.definition, service.desired if service else 0)
    return tuple(checks)


def _notes(wanted: Wanted) -> tuple[str, ...]:
    if not wanted.migrates:
        return ()
    return ("While it migrates the old version serves: it must work with the new schema, too.",)


def _since(snapshot: Snapshot) -> str:
    service = snapshot.service.value
    primary = service.primary if service else None
    return f"live since {at(primary.created_at, snapshot)}" if primary else ""


def _steps(snapshot: Snapshot, wanted: Wanted, named: str) -> tuple[Step, ...]:
    """What is done before the end is followed."""
    definition, shown = deployed(wanted)
    return (
        *before(snapshot, wanted, named, serves=True),
        update(snapshot, definition, shown, named),
    )


DEPLOY = Operation(
    id="service.deploy",
    title="Deploy",
    footer="update",
    key="U",
    help="Build, push, register by digest, migrate, update the service, follow it to its end.",
    risk=Risk.DANGEROUS,
    allowed=_allowed,
    gather=_gather,
    plan=_plan,
    ask_first=_which,
    discard=through_stack.discard,
    params=(
        Param("image", "Build nothing: a tag or digest of the repository, or a reference"),
        Param("from", f"Go on from a step: {', '.join(STARTS)}"),
        Param("revision", "With --from: the revision that was registered"),
        Param("migrate", "Run the migrations before the service is touched", flag=True),
        Param("no-migrate", "Run no migrations, whatever is configured", flag=True),
        Param("command", f"The command that migrates; `{DEFAULT_COMMAND}` if not set"),
        Param("task-definition", "The family of another task definition to migrate with"),
        Param("migrate-container", "The container to migrate in; else that which gets the image"),
        *THROUGH_PARAMS,
        *BUILD_PARAMS,
    ),
)
