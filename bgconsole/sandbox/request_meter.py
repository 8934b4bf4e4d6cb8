"""What the load balancers did in the minute under way, as metrics of AWS/ApplicationELB.

Source of names, dimensions and of what counts: "CloudWatch metrics for your Application Load
Balancer". Network load balancers have other metrics; dimensions by Availability Zone are not told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

NAMESPACE = "AWS/ApplicationELB"

Dimensions = frozenset[tuple[str, str]]
"""Pairs of a name and a value."""
Key = tuple[str, Dimensions]
"""The name of a metric and its dimensions."""

RESPONSE_TIME = "TargetResponseTime"
_FINEST = 1000.0
"""Response times are kept to the millisecond, so that a minute of them stays small."""


@dataclass(frozen=True, slots=True)
class Minute:
    """All that was measured in one minute; what did not happen is not in it, as on AWS."""

    values: Mapping[Key, Mapping[float, int]]
    """Each value of a metric and how often it was seen."""


class RequestMeter:
    """Counts requests by load balancer, and by target group and load balancer."""

    def __init__(self) -> None:
        self._counts: Counter[Key] = Counter()
        self._times: dict[Key, Counter[float]] = {}

    def forwarded(self, listener_arn: str, target_group_arn: str) -> None:
        """A target was chosen for a request."""
        for dimensions in _of_target(listener_arn, target_group_arn):
            self._counts["RequestCount", dimensions] += 1

    def answered(
        self, listener_arn: str, target_group_arn: str, status: int, seconds: float
    ) -> None:
        """The target answered with a status, after so many real seconds."""
        for dimensions in _of_target(listener_arn, target_group_arn):
            self._counts[f"HTTPCode_Target_{status // 100}XX_Count", dimensions] += 1
            rounded = max(1.0, round(seconds * _FINEST)) / _FINEST
            self._times.setdefault((RESPONSE_TIME, dimensions), Counter())[rounded] += 1

    def refused(self, listener_arn: str, status: int) -> None:
        """The load balancer answered itself."""
        name = f"HTTPCode_ELB_{status // 100}XX_Count"
        for balancer in _balancer(listener_arn) if status >= 300 else ():
            self._counts[name, frozenset([balancer])] += 1

    def take(self) -> Minute:
        """The minute that is over; another one begins."""
        counts, self._counts = self._counts, Counter()
        times, self._times = self._times, {}
        return Minute({**{key: {float(n): 1} for key, n in counts.items()}, **times})


def balancer_dimension(arn: str) -> str:
    """The value of the dimension LoadBalancer: `app/name/id` of a load balancer's ARN."""
    return arn.partition(":loadbalancer/")[2]


def _of_target(listener_arn: str, target_group_arn: str) -> Iterator[Dimensions]:
    group = ("TargetGroup", target_group_arn.rpartition(":")[2])
    for balancer in _balancer(listener_arn):
        yield frozenset([balancer])
        yield frozenset([balancer, group])


def _balancer(listener_arn: str) -> Iterator[tuple[str, str]]:
    path = listener_arn.partition(":listener/")[2]
    if path.startswith("app/"):
        yield "LoadBalancer", path.rpartition("/")[0]
