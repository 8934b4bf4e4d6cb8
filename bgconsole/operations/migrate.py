"""Migrate: run the database's migrations as a task of their own, and tell how they ended.

The task runs the service's image, or another one that is named, in the service's network. Nothing
that serves is touched. A migration that runs already, whoever started it, is followed instead.
"""

from __future__ import annotations

import shlex

from bgconsole.domain.images import ImageReference, named_digest
from bgconsole.domain.migrations import DEFAULT_COMMAND, on_start_words
from bgconsole.domain.services import TaskDefinition, short_name
from bgconsole.domain.snapshot import Snapshot
from bgconsole.domain.versions import live_version
from bgconsole.gateway.port import Gateway
from bgconsole.operations import migration as migrating
from bgconsole.operations.guards import unread
from bgconsole.operations.lookup import Lookup, definition_of, means_now, unread_definition
from bgconsole.operations.migration import COPY, Migration
from bgconsole.operations.new_image import full_reference, look_up, register_step, resolve
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
from bgconsole.operations.words import new_revision


def _gather(gateway: Gateway, snapshot: Snapshot, params: Params) -> Evidence:
    lookup = Lookup(gateway, snapshot)
    base = _base(snapshot, params)
    definition = lookup.definition(base) if base else None
    for family in _families(snapshot, definition):
        lookup.runs(family)
    if definition is not None:
        container = migrating.container_of(snapshot, definition, params)
        if isinstance(container, str):
            look_up(lookup, _written(definition, container, params))
    return lookup.evidence


def _plan(snapshot: Snapshot, params: Params, evidence: Evidence | None) -> Plan | No:
    if params.get("follow"):
        return _following(snapshot, params, evidence)
    words = migrating.command_of(params)
    if isinstance(words, No):
        return words
    if snapshot.deploying:
        return No("A deployment is under way: migrate before it or after it.")
    base = _base(snapshot, params)
    definition = definition_of(snapshot, evidence, base)
    if definition is None:
        return _unread(snapshot, words, evidence, base)
    return _running(snapshot, params, evidence, definition, words)


def _running(
    snapshot: Snapshot,
    params: Params,
    evidence: Evidence | None,
    definition: TaskDefinition,
    words: tuple[str, ...],
) -> Plan | No:
    """A plan that starts a migration."""
    service, live = snapshot.service.value, live_version(snapshot)
    if service is None or live is None:
        return No("The service has not been read yet.")
    families = _families(snapshot, definition)
    if no := migrating.other_no(migrating.under_way(evidence, families), snapshot):
        return no
    container = migrating.container_of(snapshot, definition, params)
    if isinstance(container, No):
        return container
    image = resolve(_written(definition, container, params), snapshot, evidence)
    copied = bool(params.get("image")) and image.reference != _image_in(definition, container)
    shown = new_revision(definition.family) if copied else definition.name
    migration = Migration(snapshot.ref, COPY if copied else definition.arn, shown, container, words)
    register = register_step(snapshot, definition, container, image.reference, COPY)
    return Plan(
        summary=f"Run the migrations of {snapshot.ref.name} on {image.words or image.reference}",
        facts=(
            Fact("image", image.words or image.reference),
            Fact("runs", f"{shlex.join(words)} in {container}"),
            Fact("with", f"{definition.name}, its image replaced" if copied else definition.name),
            Fact("live", live.words, decides=False),
        ),
        checks=(
            image.check,
            *_moved(definition, container, params, snapshot, evidence),
            migrating.other_check(evidence, families),
            *on_start_check(definition, service.desired),
        ),
        steps=(
            *((register,) if copied else ()),
            migrating.run_step(migration, snapshot),
            migrating.wait_step(snapshot.ref, container),
        ),
        confirm=snapshot.ref.name,
        notes=("Old and new tasks use one database: both must work with the new schema.",),
        before=live.words,
        after=f"migrated with {image.words}",
    )


def _following(snapshot: Snapshot, params: Params, evidence: Evidence | None) -> Plan | No:
    """A plan that only looks: at a migration that runs, or ran."""
    wanted = params["follow"]
    definition = definition_of(snapshot, evidence, _base(snapshot, params))
    families = _families(snapshot, definition)
    runs = [t for t in migrating.runs_in(evidence, families) if t.id.startswith(wanted)]
    if evidence is not None and len(runs) != 1:
        missing = "; ".join(evidence.missing.values())
        why = f" ({missing})" if missing else ""
        what = "several tasks" if runs else "no task that ECS still knows"
        return No(f"{wanted} names {what} of {', '.join(families) or 'the service'}{why}.")
    container = ""
    told, arn = f"task {wanted[:8]}", ""
    if runs:
        told, arn = migrating.task_words(runs[0], snapshot), runs[0].arn
        container = next((name for name, _ in runs[0].commands), "")
    if definition is not None and not container:
        found = migrating.container_of(snapshot, definition, params)
        container = found if isinstance(found, str) else ""
    return Plan(
        summary=f"Follow the migration of {snapshot.ref.name}: task {wanted[:8]}",
        facts=(Fact("task", told, decides=False),),
        checks=(),
        steps=(migrating.wait_step(snapshot.ref, container, arn or wanted),),
    )


def on_start_check(definition: TaskDefinition | None, tasks: int) -> tuple[Check, ...]:
    """That the image migrates when it starts, with what it risks."""
    words = on_start_words(definition, tasks)
    return (Check(words, "warning"),) if words else ()


def _base(snapshot: Snapshot, params: Params) -> str:
    """The task definition that is run, or copied: a family's newest one, or the service's own."""
    service = snapshot.service.value
    return params.get("task-definition") or (service.task_definition if service else "")


def _unread(
    snapshot: Snapshot, words: tuple[str, ...], evidence: Evidence | None, base: str
) -> Plan | No:
    """Before the task definition is read there is little to say, and after it nothing to do."""
    if evidence is not None:
        return unread_definition(base, evidence)
    migration = Migration(snapshot.ref, base, short_name(base), "", words)
    return Plan(
        summary=f"Run the migrations of {snapshot.ref.name}",
        facts=(Fact("runs", shlex.join(words)), Fact("with", short_name(base))),
        checks=(Check(f"task definition {short_name(base)}", "checking"),),
        steps=(migrating.run_step(migration, snapshot), migrating.wait_step(snapshot.ref, "")),
        confirm=snapshot.ref.name,
    )


def _families(snapshot: Snapshot, definition: TaskDefinition | None) -> tuple[str, ...]:
    """Where other migrations are looked for: the service's family and that which is run."""
    service = snapshot.service.value
    own = short_name(service.task_definition).rpartition(":")[0] if service else ""
    return tuple(dict.fromkeys(filter(None, (own, definition.family if definition else ""))))


def _image_in(definition: TaskDefinition, container: str) -> str:
    return next((c.image for c in definition.containers if c.name == container), "")


def _written(definition: TaskDefinition, container: str, params: Params) -> str:
    """The full reference of what is run."""
    running = _image_in(definition, container)
    wanted = params.get("image", "")
    return full_reference(wanted, running) if wanted else running


def _moved(
    definition: TaskDefinition,
    container: str,
    params: Params,
    snapshot: Snapshot,
    evidence: Evidence | None,
) -> tuple[Check, ...]:
    """That the tag of the service's own image means something else than what serves."""
    live = live_version(snapshot)
    written = _image_in(definition, container)
    serves = live.digests.get(container, "") if live else ""
    now = means_now(written, snapshot, evidence)
    if params.get("image") or not serves or not now or now == serves:
        return ()
    tag = ImageReference.parse(written).tag
    words = (
        f"{tag} means {named_digest(now)}, and {named_digest(serves)} serves: "
        "this runs the migrations of the NEW image"
    )
    return (Check(words, "warning"),)


MIGRATE = Operation(
    id="service.migrate",
    title="Migrate",
    footer="migrate",
    key="M",
    help="Run the database's migrations as a task of their own, and follow it to its exit code.",
    risk=Risk.DISRUPTIVE,
    allowed=unread,
    gather=_gather,
    plan=_plan,
    params=(
        Param("command", f"The command to run, without a shell; `{DEFAULT_COMMAND}` if not set"),
        Param("image", "The image to run: a tag, a digest or a reference; else the service's own"),
        Param("task-definition", "The family of another task definition to run it with"),
        Param("container", "The container to run it in; else that which takes the traffic"),
        Param("follow", "Start nothing: follow the migration task with this id to its end"),
    ),
)
