"""CloudWatch, read: one GetMetricData for all that is shown of a service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from bgconsole.domain.errors import AccessDenied, Rejected
from bgconsole.domain.metrics import GroupMetrics, Metrics, OwnMetric, Series
from bgconsole.domain.services import ServiceRef
from bgconsole.domain.targets import TargetGroup
from bgconsole.gateway.aws.clients import Clients
from bgconsole.gateway.aws.pieces import utc_or_long_ago

SPAN = timedelta(minutes=15)
_OF_GROUP = (
    ("requests", "RequestCount", "Sum"),
    ("errors", "HTTPCode_Target_5XX_Count", "Sum"),
    ("latency", "TargetResponseTime", "p95"),
)
_OF_TASK = (("cpu", "TaskCpuUtilization"), ("memory", "TaskMemoryUtilization"))
SOME = 12
"""Tasks of a side that are asked for: a search takes 1,024 characters."""
_OF_SERVICE = (("cpu", "CPUUtilization"), ("memory", "MemoryUtilization"))

Query = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AwsMetrics:
    """The `MetricData` port."""

    clients: Clients
    own: str = ""
    """One metric more, as `domain.metrics.OwnMetric` reads it."""

    def read(
        self,
        ref: ServiceRef,
        groups: Sequence[TargetGroup],
        tasks: Mapping[str, Sequence[str]],
        now: datetime,
    ) -> Metrics:
        """GetMetricData over the last quarter of an hour, by minute."""
        named = OwnMetric.parse(self.own) if self.own else None
        told = self._ask(ref, list(_queries(ref, groups, named)), now)
        return Metrics(
            groups=MappingProxyType(
                {
                    group.arn: GroupMetrics(
                        **{name: told.get(f"{name}{number}", ()) for name, _, _ in _OF_GROUP}
                    )
                    for number, group in enumerate(groups)
                }
            ),
            cpu=told.get("cpu", ()),
            memory=told.get("memory", ()),
            sides=self._sides(ref, tasks, now),
            own=told.get("own", ()),
            own_name=named.metric if named else "",
        )

    def _sides(
        self, ref: ServiceRef, tasks: Mapping[str, Sequence[str]], now: datetime
    ) -> Mapping[str, tuple[Series, Series]]:
        """Nothing where Container Insights is off, or does not tell of single tasks."""
        queries = list(_of_tasks(ref, tasks))
        try:
            told = self._ask(ref, queries, now) if queries else {}
        except (AccessDenied, Rejected):
            return MappingProxyType({})
        found = {
            side: (told.get(f"cpu{n}", ()), told.get(f"memory{n}", ()))
            for n, side in enumerate(tasks)
        }
        return MappingProxyType({side: pair for side, pair in found.items() if any(pair)})

    def _ask(self, ref: ServiceRef, queries: list[Query], now: datetime) -> dict[str, Series]:
        with self.clients.reading("cloudwatch:GetMetricData", f"service {ref}"):
            answer = self.clients.client("cloudwatch").get_metric_data(
                MetricDataQueries=queries,
                StartTime=now - SPAN,
                EndTime=now + timedelta(minutes=1),
                ScanBy="TimestampAscending",
            )
        return {each["Id"]: _series(each) for each in answer.get("MetricDataResults", ())}


def _of_tasks(ref: ServiceRef, tasks: Mapping[str, Sequence[str]]) -> Iterator[Query]:
    """Averages over the tasks of each side, whichever dimensions the metrics have beside."""
    for number, ids in enumerate(tasks.values()):
        some = " OR ".join(f'TaskId="{task}"' for task in ids[:SOME])
        for name, metric in _OF_TASK:
            search = (
                f'Namespace="ECS/ContainerInsights" MetricName="{metric}" '
                f'ClusterName="{ref.cluster}" ({some})'
            )
            expression = f"AVG(SEARCH('{search}', 'Average', 60))"
            yield {"Id": f"{name}{number}", "Expression": expression, "Period": 60}


def _queries(
    ref: ServiceRef, groups: Sequence[TargetGroup], own: OwnMetric | None
) -> Iterator[Query]:
    for number, group in enumerate(groups):
        if balancer := _balancer(group):
            where = {"TargetGroup": group.arn.rpartition(":")[2], "LoadBalancer": balancer}
            for name, metric, statistic in _OF_GROUP:
                yield _query(f"{name}{number}", "AWS/ApplicationELB", metric, where, statistic)
    service = {"ClusterName": ref.cluster, "ServiceName": ref.name}
    for name, metric in _OF_SERVICE:
        yield _query(name, "AWS/ECS", metric, service, "Average")
    if own is not None:
        yield _query("own", own.namespace, own.metric, own.dimensions, own.statistic)


def _query(
    name: str, namespace: str, metric: str, dimensions: Mapping[str, str], statistic: str
) -> Query:
    listed = [{"Name": key, "Value": value} for key, value in dimensions.items()]
    of = {"Namespace": namespace, "MetricName": metric, "Dimensions": listed}
    return {"Id": name, "MetricStat": {"Metric": of, "Period": 60, "Stat": statistic}}


def _balancer(group: TargetGroup) -> str:
    """The dimension LoadBalancer (`app/name/id`), from a listener that leads to the group."""
    listener = next((route.listener for route in group.routes), "")
    return listener.partition(":listener/")[2].rpartition("/")[0]


def _series(result: Mapping[str, Any]) -> Series:
    pairs = zip(result.get("Timestamps", ()), result.get("Values", ()), strict=False)
    return tuple(sorted((utc_or_long_ago(at), float(value)) for at, value in pairs))
