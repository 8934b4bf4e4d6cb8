"""Which target a request goes to: rules in order, weights, healthy targets in turn."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Protocol
from urllib.parse import parse_qsl

from ..runtime.port import Address
from .state import HEALTHY, UNHEALTHY, Listener, Rule, TargetGroup, forwarded


@dataclass(frozen=True, slots=True)
class Incoming:
    """What the rules look at in a request."""

    method: str
    host: str
    path: str
    query: str
    headers: Mapping[str, str]
    source_ip: str = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Forward:
    """Send it to this target."""

    target: Address
    target_group: str = field(default="", compare=False)
    """The ARN of the group that it was chosen from."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer it without a target: a fixed response, a redirect, or the balancer's own error."""

    status: int
    body: str = ""
    content_type: str = "text/html"
    location: str | None = None


Route = Forward | Answer


class DataPlane(Protocol):
    """Where listeners really listen."""

    def listen(self, listener_arn: str, port: int, route: Callable[[Incoming], Route]) -> int:
        """Bind the port on loopback; the port that was bound.

        Raises:
            OSError: the port cannot be bound and may not be replaced by a free one.
        """
        ...

    def stop_listening(self, listener_arn: str) -> None:
        """Close the listener's port."""
        ...


def choose(
    listener: Listener,
    groups: Mapping[str, TargetGroup],
    request: Incoming,
    rng: random.Random,
) -> Route:
    """The route of a request through a listener."""
    rule = next(rule for rule in listener.in_order() if matches(rule, request))
    action = rule.actions[-1]
    if action["Type"] == "fixed-response":
        fixed = action["FixedResponseConfig"]
        return Answer(
            int(fixed["StatusCode"]),
            fixed.get("MessageBody", ""),
            fixed.get("ContentType", "text/plain"),
        )
    if action["Type"] == "redirect":
        return _redirect(action["RedirectConfig"], listener, request)
    weights = {arn: weight for arn, weight in forwarded(rule.actions).items() if weight > 0}
    if not weights:
        return unavailable()
    arn = rng.choices(list(weights), list(weights.values()))[0]
    group = groups.get(arn)
    return next_target(group) if group else unavailable()


def next_target(group: TargetGroup) -> Route:
    """The next healthy target in turn; any unhealthy one when none is healthy (fail open)."""
    targets = list(group.targets.values())
    usable = [t for t in targets if t.state == HEALTHY] or [
        t for t in targets if t.state == UNHEALTHY
    ]
    if not usable:
        return unavailable()
    group.turn += 1
    chosen = usable[group.turn % len(usable)]
    return Forward((chosen.id, chosen.port), group.arn)


def unavailable() -> Answer:
    """What the load balancer says when no target can be asked."""
    return error_page(503, "Service Temporarily Unavailable")


def error_page(status: int, words: str) -> Answer:
    """An error that the load balancer itself makes."""
    title = f"{status} {words}"
    return Answer(
        status,
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n"
        f"<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n",
    )


def matches(rule: Rule, request: Incoming) -> bool:
    """Whether every condition of a rule holds; the default rule has none."""
    return all(_holds(condition, request) for condition in rule.conditions)


def _holds(condition: dict[str, Any], request: Incoming) -> bool:
    kind = condition.get("Field")
    if kind == "path-pattern":
        return _any(condition, "PathPatternConfig", request.path)
    if kind == "host-header":
        return _any(condition, "HostHeaderConfig", request.host.partition(":")[0].lower())
    if kind == "http-request-method":
        return request.method in condition["HttpRequestMethodConfig"]["Values"]
    if kind == "http-header":
        config = condition["HttpHeaderConfig"]
        value = request.headers.get(config["HttpHeaderName"], "")
        return any(fnmatchcase(value, pattern) for pattern in config["Values"])
    if kind == "query-string":
        pairs = parse_qsl(request.query, keep_blank_values=True)
        return any(
            fnmatchcase(value, wanted["Value"]) and wanted.get("Key", key) == key
            for wanted in condition["QueryStringConfig"]["Values"]
            for key, value in pairs
        )
    return False


def _any(condition: dict[str, Any], config: str, value: str) -> bool:
    patterns = condition.get(config, {}).get("Values") or condition.get("Values", [])
    # AWS knows * and ? only; a bracket is a plain character there.
    return any(fnmatchcase(value, pattern.replace("[", "[[]")) for pattern in patterns)


def _redirect(config: dict[str, Any], listener: Listener, request: Incoming) -> Answer:
    known = {
        "#{protocol}": listener.protocol.lower(),
        "#{host}": request.host.partition(":")[0],
        "#{port}": str(listener.port),
        "#{path}": request.path.lstrip("/"),
        "#{query}": request.query,
    }

    def fill(name: str, default: str) -> str:
        text = str(config.get(name, default))
        for placeholder, value in known.items():
            text = text.replace(placeholder, value)
        return text

    query = fill("Query", "#{query}")
    location = (
        f"{fill('Protocol', '#{protocol}').lower()}://{fill('Host', '#{host}')}"
        f":{fill('Port', '#{port}')}{fill('Path', '/#{path}')}{'?' + query if query else ''}"
    )
    status = 301 if config["StatusCode"] == "HTTP_301" else 302
    return Answer(status, location=location)
