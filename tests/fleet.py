"""Many services in one scripted world, each in a state of `tests/worlds.py` under its own name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bgconsole.domain.services import (
    Hook,
    Service,
    ServiceDeployment,
    ServiceEvent,
    ServiceRef,
    ServiceRevision,
)
from bgconsole.gateway.scripted import Call, ScriptedWorld
from tests import worlds
from tests.values import CLUSTER, NOW, REF, SERVICE


def empty(*clusters: str) -> ScriptedWorld:
    """The account without a service."""
    world = worlds.steady()
    for known in (world.services, world.history, world.tasks, world.balancing):
        known.pop(REF)
    world.clusters.update(clusters)
    return world


def adopt(world: ScriptedWorld, other: ScriptedWorld, name: str, **changes: Any) -> Service:
    """Take the service of another world over, under another name (and cluster) in every ARN."""
    ref = ServiceRef(changes.pop("cluster", CLUSTER), name)

    def named(arn: str) -> str:
        return arn.replace(f"/{CLUSTER}/{SERVICE}", f"/{ref.cluster}/{ref.name}")

    service = other.services[REF]
    world.services[ref] = replace(
        service,
        **{
            "ref": ref,
            "arn": named(service.arn),
            "current_deployment": named(service.current_deployment),
            "current_revisions": tuple(map(named, service.current_revisions)),
            **changes,
        },
    )
    world.history[ref] = tuple(_deployment(one, named) for one in other.history[REF])
    revisions: list[ServiceRevision] = [
        replace(one, arn=named(one.arn)) for one in other.revisions.values()
    ]
    world.revisions.update({one.arn: one for one in revisions})
    world.tasks[ref], world.balancing[ref] = other.tasks[REF], other.balancing[REF]
    world.definitions.update(other.definitions)
    return world.services[ref]


def _deployment(one: ServiceDeployment, named: Any) -> ServiceDeployment:
    return replace(
        one,
        arn=named(one.arn),
        target=replace(one.target, arn=named(one.target.arn)),
        sources=tuple(replace(source, arn=named(source.arn)) for source in one.sources),
        rollback_revision=named(one.rollback_revision),
    )


def calm(count: int, world: ScriptedWorld | None = None, cluster: str = CLUSTER) -> ScriptedWorld:
    """So many services at rest."""
    world = world or empty()
    other = worlds.steady()
    for number in range(count):
        adopt(world, other, f"service-{number:02d}", cluster=cluster)
    return world


@contextmanager
def as_first(world: ScriptedWorld, ref: ServiceRef) -> Iterator[None]:
    """The worlds' effects are of one service: let them be of another one meanwhile."""
    tables: tuple[dict[ServiceRef, Any], ...] = (
        world.services, world.history, world.tasks, world.balancing,
    )  # fmt: skip
    for table in tables:
        table[REF], table[ref] = table[ref], table[REF]
    try:
        yield
    finally:
        for table in tables:
            table[REF], table[ref] = table[ref], table[REF]


def of_each(world: ScriptedWorld) -> None:
    """Let an update be of the service that it names, whichever it is; REF must be among them."""
    update = world.effects["changes.update"]

    def of_either(world: ScriptedWorld, call: Call) -> Any:
        ref = call.arguments["ref"]
        assert isinstance(ref, ServiceRef)
        with as_first(world, ref):
            return update(world, Call(call.name, {**call.arguments, "ref": REF}))

    world.effects["changes.update"] = of_either


def settle(world: ScriptedWorld) -> None:
    """End well whatever deployment goes on."""
    for ref in tuple(world.history):
        if world.history[ref] and world.history[ref][0].ongoing:
            with as_first(world, ref):
                worlds.settle(world)


def mixed() -> ScriptedWorld:
    """One of each state, among services at rest."""
    world = calm(6)
    adopt(world, worlds.deploying(), "checkout", owner="payments")
    adopt(world, worlds.crash_looping(), "orders", owner="payments")
    adopt(world, worlds.rolled_back(), "search", owner="discovery")
    adopt(world, worlds.steady(), "reports", desired=0, running=0)
    adopt(world, worlds.steady(), "mail", running=3, owner="platform")
    adopt(world, worlds.steady(), "cart", running=0)
    waiting(world, "catalog")
    return world


def waiting(world: ScriptedWorld, name: str) -> Service:
    """A blue/green deployment that pauses at a hook."""
    service = adopt(world, worlds.deploying(healthy=4), name, owner="discovery")
    newest, *older = world.history[service.ref]
    hook = Hook(
        id="look",
        kind="PAUSE",
        status="AWAITING_ACTION",
        expires_at=NOW + timedelta(minutes=54),
        timeout_action="ROLLBACK",
    )
    paused = replace(
        newest,
        strategy="BLUE_GREEN",
        lifecycle_stage="POST_TEST_TRAFFIC_SHIFT",
        hooks=(hook,),
    )
    world.history[service.ref] = (paused, *older)
    return service


def said(service: Service, words: str, ago: float = 30) -> Service:
    """The same with one more event, so many seconds ago."""
    at = NOW - timedelta(seconds=ago)
    event = ServiceEvent("new", at, f"(service {service.ref.name}) {words}")
    return replace(service, events=(event, *service.events))


HOSTILE = (
    "[/foo]",
    "[@click=app.quit]x[/]",
    "\x1b[31mred\x1b]52;c;aGk=\x07",
    "\x00\x9b1m",
    "漢字e\u0301",
)
"""Names that bite."""


def hostile() -> ScriptedWorld:
    """Services, owners, tags and events of such names."""
    world = calm(1)
    for name in HOSTILE:
        service = adopt(world, worlds.crash_looping(), name, owner=name[::-1])
        world.services[service.ref] = said(service, f"was unable to place a task. Reason: {name}")
        for arn, one in list(world.revisions.items()):
            if f"/{name}/" in arn:
                images = tuple(replace(i, image=f"demorepo:{name}") for i in one.images)
                world.revisions[arn] = replace(one, images=images)
    return world
