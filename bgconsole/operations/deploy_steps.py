"""The steps of a deploy, from the build to the call that changes what serves."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from bgconsole.domain.errors import WorldChanged
from bgconsole.domain.services import TaskDefinition, revision_of
from bgconsole.domain.snapshot import Snapshot
from bgconsole.gateway.port import Gateway, Submitted
from bgconsole.operations import migration as migrating
from bgconsole.operations.image_steps import PUSHED, Making, image_steps
from bgconsole.operations.migration import Migration
from bgconsole.operations.new_image import NewImage, register_step
from bgconsole.operations.owning_stack import WAY
from bgconsole.operations.spec import Params
from bgconsole.operations.step import Step
from bgconsole.operations.words import command, new_revision

REVISION = "new task definition"
"""The name under which the new revision is handed on."""

Start = Literal["build", "register", "migrate", "update"]
"""The step to begin with; what was made before it is named by a parameter."""
STARTS: tuple[Start, ...] = ("build", "register", "migrate", "update")
REGISTERS = ("build", "register")
"""Beginnings from which a new revision is made."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for, understood."""

    start: Start
    definition: TaskDefinition
    """What is copied, or, from the migration on, what was registered before."""
    container: str
    image: NewImage
    migrates: bool
    command: tuple[str, ...]
    migrates_in: str
    """The container that the command is run in."""
    migrates_with: TaskDefinition | None = None
    """Another task definition that migrations are run with, where there is one."""
    making: Making | None = None
    """How the image is made, where it is."""


def before(snapshot: Snapshot, wanted: Wanted, named: str, *, serves: bool) -> Iterator[Step]:
    """What is done before anything that serves is changed.

    `serves` tells whether the revision that is registered is to serve; else it only migrates.
    """
    if wanted.making:
        made_so_far = from_image(named, PUSHED)
        for step in image_steps(wanted.making, snapshot.place):
            yield replace(step, go_on=made_so_far)
    with_image = from_image(named, wanted.image.reference)
    own = serves or (wanted.migrates and wanted.migrates_with is None)
    definition, shown = deployed(wanted)
    if own and wanted.start in REGISTERS:
        yield register_step(
            snapshot,
            wanted.definition,
            wanted.container,
            wanted.image.reference,
            REVISION,
            with_image,
        )
    if wanted.migrates:
        again = _go_on(named, "migrate", definition) if own else with_image
        yield from _migration(snapshot, wanted, definition, shown, again)


def update(snapshot: Snapshot, definition: str, shown: str, named: str) -> Step:
    """Point the service at a task definition, or at what was registered under that name."""
    ref, service = snapshot.ref, snapshot.service.value
    before = service.primary.id if service and service.primary else ""

    def act(gateway: Gateway, made: Mapping[str, str]) -> Submitted:
        now = gateway.services.describe(ref).primary
        if now is not None and now.id != before:
            raise WorldChanged(
                "Another deployment began meanwhile",
                f"{now.id} of revision {revision_of(now.task_definition)}",
                "Look at it first",
            )
        return gateway.changes.update(ref, task_definition=made.get(definition, definition))

    return Step(
        f"point the service at {shown}, unless another deployment began meanwhile",
        command(
            f"ecs update-service --cluster {ref.cluster} --service {ref.name} "
            f"--task-definition {shlex.quote(shown)}",
            snapshot.place,
        ),
        act,
        go_on=_go_on(named, "update", definition),
        stand_ins={shown: definition},
    )


def deployed(wanted: Wanted) -> tuple[str, str]:
    """The task definition that is deployed, or the name it is handed on by; and in words."""
    if wanted.start in REGISTERS:
        return REVISION, new_revision(wanted.definition.family)
    return wanted.definition.arn, wanted.definition.name


def named_in(snapshot: Snapshot, params: Params) -> str:
    """The service, and what it is changed through, as flags of the command that goes on."""
    told = [f"--cluster {snapshot.ref.cluster} --service {snapshot.ref.name}"]
    told += [f"--{name} {shlex.quote(params[name])}" for name in WAY if params.get(name)]
    return " ".join(told)


def from_image(named: str, reference: str) -> Callable[[Mapping[str, str]], str]:
    """The command that goes on with an image, or, while it is not pushed, begins again."""

    def go_on(made: Mapping[str, str]) -> str:
        image = made.get(reference, "" if reference == PUSHED else reference)
        return " ".join(filter(None, ("bgconsole deploy", image and f"--image {image}", named)))

    return go_on


def _migration(
    snapshot: Snapshot,
    wanted: Wanted,
    definition: str,
    shown: str,
    again: Callable[[Mapping[str, str]], str],
) -> Iterator[Step]:
    """Run the migrations with the new image, in the service's task definition or in their own."""
    other, container = wanted.migrates_with, wanted.migrates_in
    if other is not None:
        image = wanted.image.reference
        yield register_step(snapshot, other, container, image, migrating.COPY, again)
        definition, shown = migrating.COPY, new_revision(other.family)
    migration = Migration(snapshot.ref, definition, shown, container, wanted.command)
    yield migrating.run_step(migration, snapshot, again)
    yield migrating.wait_step(snapshot.ref, container, go_on=again)


def _go_on(named: str, start: Start, definition: str) -> Callable[[Mapping[str, str]], str]:
    """The command that goes on from a step with what was registered."""

    def go_on(made: Mapping[str, str]) -> str:
        revision = revision_of(made.get(definition, definition))
        return f"bgconsole deploy --from {start} --revision {revision} {named}"

    return go_on
