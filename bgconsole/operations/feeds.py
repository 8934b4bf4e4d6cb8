"""What may deploy over a roll back again: stack, pipeline, whoever registers revisions."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bgconsole.domain.identity import principal
from bgconsole.domain.services import Service, TaskDefinition
from bgconsole.domain.snapshot import Snapshot
from bgconsole.domain.stacks import Stack
from bgconsole.operations.owning_stack import drifts as drifting
from bgconsole.operations.words import command

_TOLD_BY = ("Pipeline", "PipelineName", "PipelineUrl", "PipelineURL")
_NAME = re.compile(r"[A-Za-z0-9.@_-]{1,100}")
"""What CodePipeline takes as the name of a pipeline."""


def feeds(
    snapshot: Snapshot, service: Service, live: TaskDefinition | None, *, drifts: bool
) -> Iterator[str]:
    """Each in one sentence, with the command that stops it where there is one.

    Args:
        snapshot: what is known.
        service: what is rolled back.
        live: the task definition that is taken back.
        drifts: whether the owning stack's template names another revision afterwards.
    """
    if drifts:
        yield from drifting(service.stack)
    for stack in snapshot.stacks.value or ():
        for name in _pipelines(stack):
            stops = command(
                f"codepipeline disable-stage-transition --pipeline-name {name} --stage-name Deploy "
                "--transition-type Inbound --reason 'rolled back'",
                snapshot.place,
            )
            yield f"Pipeline {name}, where it feeds this service: {stops}"
    if live is not None and (who := _somebody_else(snapshot, live)):
        yield (
            f"{who} registered revision {live.revision}: stop what runs as it, "
            "or it may deploy that again."
        )


def _pipelines(stack: Stack) -> Iterator[str]:
    """The names of pipelines that a stack tells in its outputs; an address ends in the name."""
    for key, value in stack.outputs:
        name = value.partition("?")[0].rstrip("/").removesuffix("/view").rpartition("/")[2]
        if key.endswith(_TOLD_BY) and _NAME.fullmatch(name):
            yield name


def _somebody_else(snapshot: Snapshot, live: TaskDefinition) -> str:
    """`role/ci`: who registered it, unless that was us."""
    identity = snapshot.identity.value
    if not live.registered_by or (identity and identity.arn == live.registered_by):
        return ""
    return principal(live.registered_by)
