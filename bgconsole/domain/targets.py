"""Target groups, the health of their targets, and the weights that listeners send them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """DescribeTargetHealth, one target. `state` is AWS's word, `reason` its code."""

    address: str
    port: int
    zone: str
    state: str
    reason: str = ""
    description: str = ""

    @property
    def key(self) -> str:
        """What tells it from its neighbours in one group."""
        return f"{self.address}:{self.port}"


@dataclass(frozen=True, slots=True)
class Route:
    """One way from a listener to a group: a rule's (or the default action's) weight for it."""

    listener: str
    rule: str
    port: int
    protocol: str
    weight: int
    """As written on the rule; `share` is what it comes to."""
    share: float
    """Percent of the rule's requests, 0 to 100."""
    default: bool = False
    test: bool = False
    """Whether it is the service's test rule or test listener."""


@dataclass(frozen=True, slots=True)
class TargetGroup:
    """One group, its targets, and what is sent to it."""

    arn: str
    name: str
    port: int
    protocol: str
    health_path: str
    targets: tuple[Target, ...]
    routes: tuple[Route, ...] = ()

    @property
    def healthy(self) -> int:
        """How many targets pass their checks."""
        return sum(1 for target in self.targets if target.state == "healthy")

    @property
    def production_share(self) -> float | None:
        """Percent of production traffic, the largest of its production routes; None without one."""
        shares = [route.share for route in self.routes if not route.test]
        return max(shares) if shares else None

    @property
    def test_share(self) -> float | None:
        """Percent of test traffic; None without a test route."""
        shares = [route.share for route in self.routes if route.test]
        return max(shares) if shares else None


@dataclass(frozen=True, slots=True)
class Balancing:
    """Everything that the load balancers tell about one service."""

    groups: tuple[TargetGroup, ...]
    url: str = ""
    """scheme://DNSName:port of the production listener, empty where none was found."""
    test_url: str = ""
