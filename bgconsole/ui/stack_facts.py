"""One stack to be read: its way back, what it was given and gives, what is in it, what happens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from bgconsole.domain.duration import age
from bgconsole.domain.errors import GatewayError
from bgconsole.domain.masking import mask, mask_value
from bgconsole.domain.pipelines import PIPELINE, PipelineRun
from bgconsole.domain.snapshot import Snapshot
from bgconsole.domain.stack_cause import cause, reason_words
from bgconsole.domain.stack_states import way_back
from bgconsole.domain.stacks import STACK, StackEvent, StackResource
from bgconsole.gateway.port import Gateway
from bgconsole.ui.facts import Fact, Facts, when

SHOWN = 60
"""Events at most; the newest."""


@dataclass(frozen=True, slots=True)
class Inside:
    """What is asked for when a stack is opened."""

    resources: tuple[StackResource, ...]
    events: tuple[StackEvent, ...]
    """Newest first."""
    pipelines: tuple[PipelineRun, ...] = ()
    """The last execution of each pipeline among the resources."""
    unread: str = ""
    """Why a pipeline could not be read; empty where it could."""


def read_inside(gateway: Gateway, arn: str, events: tuple[StackEvent, ...]) -> Inside:
    """Read a stack's resources, and the pipelines among them; blocks.

    Raises:
        GatewayError: the resources could not be read. A pipeline that could not is only told.
    """
    resources = gateway.stacks.resources(arn)
    runs, unread = [], ""
    for resource in resources:
        if resource.kind == PIPELINE and resource.physical_id:
            try:
                runs.append(gateway.pipelines.last(resource.physical_id))
            except GatewayError as error:
                unread = str(error)
    return Inside(resources, events, tuple(runs), unread)


def of_stack(snapshot: Snapshot, arn: str, now: datetime) -> Facts:
    """What the picture tells of a stack; parameters and outputs that may be secret are masked."""
    stacks = snapshot.stacks.value or ()
    stack = next((s for s in stacks if s.arn == arn), None)
    if stack is None:
        return ()
    parent = next((s.name for s in stacks if s.arn == stack.parent), "")
    told = [
        Fact("", f"stack {stack.name}", head=True),
        Fact("arn", stack.arn),
        Fact("status", stack.status),
        Fact("reason", reason_words(stack.reason) or "-"),
        Fact("way back", way_back(stack.status, stack.name).words),
        Fact("description", stack.description or "-"),
    ]
    if parent:
        told.append(Fact("nested in", parent))
    if stack.drift:
        told.append(Fact("drift", stack.drift.replace("_", " ").lower()))
    for label, at in (("created", stack.created_at), ("updated", stack.updated_at)):
        if at is not None:
            told.append(Fact(label, when(at, now)))
    for title, pairs in (("outputs", stack.outputs), ("parameters", stack.parameters)):
        if pairs:
            told.append(Fact("", title, head=True))
            told += [Fact(name, mask_value(name, value) or "-") for name, value in pairs]
    return tuple(told)


def of_inside(inside: Inside, now: datetime) -> Iterator[Fact]:
    """The resources, those that are not well first, and the newest events."""
    if why := cause(inside.events):
        yield Fact("", "why its last change failed", head=True)
        yield Fact("", why)
    for run in inside.pipelines:
        yield Fact("", f"pipeline {run.pipeline}", head=True)
        yield Fact("last execution", mask(run.words(now)))
    if inside.unread:
        yield Fact("", "pipeline", head=True)
        yield Fact("", f"not read: {inside.unread}")
    yield Fact("", f"resources ({len(inside.resources)})", head=True)
    for resource in sorted(inside.resources, key=lambda each: not _wrong(each)):
        kind = "nested stack" if resource.kind == STACK else resource.kind
        words = f"{resource.status.replace('_', ' ').lower()} · {kind} · {resource.physical_id}"
        reason = reason_words(resource.reason)
        drift = "" if resource.drift in ("", "NOT_CHECKED", "IN_SYNC") else resource.drift.lower()
        yield Fact(resource.logical_id, mask(" · ".join(filter(None, (words, drift, reason)))))
    told = len(inside.events)
    many = f"newest {SHOWN} of {told}" if told > SHOWN else "newest first"
    yield Fact("", f"events of its last change, {many}", head=True)
    for event in inside.events[:SHOWN]:
        words = f"{event.status.replace('_', ' ').lower()} {event.logical_id}"
        reason = reason_words(event.reason)
        yield Fact(
            f"{event.at.astimezone(now.tzinfo):%H:%M:%S} {age(event.at, now)}",
            f"{words} · {reason}" if reason else words,
        )


def _wrong(resource: StackResource) -> bool:
    return "FAILED" in resource.status or resource.drift in ("MODIFIED", "DELETED")
