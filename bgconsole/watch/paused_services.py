"""What a stack's services wait for: CloudFormation is silent while one stands at a pause hook."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from bgconsole.domain.duration import spell
from bgconsole.domain.errors import GatewayError
from bgconsole.domain.services import Hook, ServiceRef
from bgconsole.domain.stacks import StackEvent
from bgconsole.gateway.port import Gateway
from bgconsole.watch.stopped_words import SERVICE

EVERY = timedelta(seconds=20)
"""Between two looks: a pause lasts for minutes."""


class PausedServices:
    """Tells each pause once."""

    def __init__(self, gateway: Gateway, clock: Callable[[], datetime]) -> None:
        self._gateway = gateway
        self._clock = clock
        self._due = clock() + EVERY
        self._told: set[str] = set()

    def tell(self, events: tuple[StackEvent, ...]) -> Iterator[str]:
        """Sentences, of the stack's events, newest first; what may not be read is left unsaid."""
        if self._clock() < self._due:
            return
        self._due = self._clock() + EVERY
        for name, ref in _at_work(events).items():
            try:
                deployments = self._gateway.services.service_deployments(ref)
            except GatewayError:
                continue
            hooks = deployments[0].hooks if deployments and deployments[0].ongoing else ()
            for hook in hooks:
                if hook.awaits_action and hook.id not in self._told:
                    self._told.add(hook.id)
                    yield f"{name} waits for you: {self._words(ref, hook)}"

    def _words(self, ref: ServiceRef, hook: Hook) -> str:
        then = "goes on" if hook.timeout_action == "CONTINUE" else "goes back"
        left = f" in {spell(hook.expires_at - self._clock())}" if hook.expires_at else ""
        named = f"--cluster {ref.cluster} --service {ref.name}"
        return (
            f"`bgconsole approve {named}` lets it go on, `bgconsole stop {named}` takes it back; "
            f"by itself it {then}{left}"
        )


def _at_work(events: tuple[StackEvent, ...]) -> dict[str, ServiceRef]:
    """The services that CloudFormation waits for, by the name of the resource."""
    latest: dict[str, StackEvent] = {}
    for event in events:
        if event.kind == SERVICE:
            latest.setdefault(event.logical_id, event)
    found = {}
    for name, event in latest.items():
        cluster, _, service = event.physical_id.rpartition(":service/")[2].partition("/")
        if event.status.endswith("_IN_PROGRESS") and service:
            found[name] = ServiceRef(cluster, service)
    return found
