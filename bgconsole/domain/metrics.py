"""CloudWatch's numbers of a service: requests and errors by target group, CPU and memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType

DELAY = timedelta(minutes=3)
"""How late CloudWatch may tell of a minute: an alarm came 3 min 20 s after its first error."""

Series = tuple[tuple[datetime, float], ...]
"""One value a minute, oldest first; a minute of which nothing is told is left out."""


@dataclass(frozen=True, slots=True)
class GroupMetrics:
    """One target group's."""

    requests: Series = ()
    errors: Series = ()
    """Answers of targets with a status of 500 or more."""
    latency: Series = ()
    """Seconds, 95th percentile."""

    def since(self, at: datetime) -> tuple[float, float]:
        """Requests and errors of the minutes that began at a moment or later."""
        return _sum(self.requests, at), _sum(self.errors, at)


@dataclass(frozen=True, slots=True)
class Metrics:
    """The last quarter of an hour, by minute."""

    groups: Mapping[str, GroupMetrics] = field(default_factory=lambda: MappingProxyType({}))
    """By target group's ARN."""
    cpu: Series = ()
    """Percent of what the service reserves, all its tasks."""
    memory: Series = ()
    sides: Mapping[str, tuple[Series, Series]] = field(default_factory=lambda: MappingProxyType({}))
    """CPU and memory in percent by side, where Container Insights tells of single tasks."""
    own: Series = ()
    """The metric that the configuration names."""
    own_name: str = ""


def usage(metrics: Metrics | None, side: str, *, alone: bool) -> str:
    """`cpu 12 % · memory 34 %` of what a side reserves; empty where nothing is told of it.

    Args:
        metrics: what is known.
        side: which.
        alone: whether it is the only one, so that what is told of the service is told of it.
    """
    if metrics is None:
        return ""
    cpu, memory = metrics.sides.get(side, ((), ()))
    if alone:
        cpu, memory = cpu or metrics.cpu, memory or metrics.memory
    told = (("cpu", latest(cpu)), ("memory", latest(memory)))
    return " · ".join(f"{name} {value:.0f} %" for name, value in told if value is not None)


@dataclass(frozen=True, slots=True)
class OwnMetric:
    """A metric of somebody's own, such as the age of the oldest job of a worker."""

    namespace: str
    metric: str
    dimensions: Mapping[str, str]
    statistic: str

    @classmethod
    def parse(cls, text: str) -> OwnMetric:
        """From `Namespace/Metric?Dimension=value&statistic=Sum`.

        Raises:
            ValueError: it is not of this form; the text says why.
        """
        named, _, said = text.partition("?")
        namespace, _, metric = named.rpartition("/")
        if not namespace or not metric:
            raise ValueError("it is not `Namespace/Metric`")
        parts = [part.partition("=") for part in said.split("&") if part]
        if wrong := next((name for name, _, value in parts if not name or not value), None):
            raise ValueError(f"{wrong!r} has no value")
        dimensions = {name: value for name, _, value in parts}
        statistic = dimensions.pop("statistic", "Sum")
        return cls(namespace, metric, MappingProxyType(dimensions), statistic)


def latest(series: Series) -> float | None:
    """The newest value; None where there is none."""
    return series[-1][1] if series else None


def _sum(series: Series, since: datetime) -> float:
    # A minute is told by its beginning: the one that a moment falls into counts.
    begin = since.replace(second=0, microsecond=0)
    return sum(value for at, value in series if at >= begin)
