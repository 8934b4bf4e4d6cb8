"""CloudWatch Logs, read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bgconsole.domain.errors import NotThere, Unreachable
from bgconsole.domain.logs import LiveUpdate, LogLine, LogPage
from bgconsole.gateway.aws.clients import Clients
from bgconsole.gateway.aws.pieces import accepted

if TYPE_CHECKING:
    from types_boto3_logs.client import CloudWatchLogsClient

MOST_A_PAGE = 10_000
NEWEST_FIRST_SINCE = 1_704_067_200_000
"""2024-01-01 UTC: AWS refuses startFromHead=False for an earlier start."""
LIVE_ACTION = "logs:StartLiveTail"


@dataclass(frozen=True, slots=True)
class AwsLogs:
    """The `Logs` port."""

    clients: Clients

    def groups(self, prefix: str = "") -> tuple[str, ...]:
        """DescribeLogGroups, every page."""
        return tuple(sorted(group["logGroupName"] for group in self._described(prefix)))

    def page(
        self,
        group: str,
        *,
        start: int,
        end: int | None = None,
        token: str | None = None,
        newest_first: bool = False,
        limit: int = MOST_A_PAGE,
        streams: str = "",
        pattern: str = "",
        paced: bool = True,
    ) -> LogPage:
        """FilterLogEvents, one page.

        Where the client or the start is too old for newest first, the page begins at the oldest.
        """
        request: dict[str, Any] = {"logGroupName": group, "startTime": start}
        if end is not None:
            request["endTime"] = end
        if token:
            request["nextToken"] = token
        if limit < MOST_A_PAGE:
            request["limit"] = limit
        if streams:
            request["logStreamNamePrefix"] = streams
        if pattern:
            request["filterPattern"] = pattern
        with self.clients.reading("logs:FilterLogEvents", f"log group {group}", paced=paced):
            client = self.clients.client("logs")
            newest_first = (
                newest_first and start >= NEWEST_FIRST_SINCE and _knows_newest_first(client)
            )
            if newest_first:
                request["startFromHead"] = False
            answer = client.filter_log_events(**request)
        region = self.clients.region if self.clients.away else ""
        return LogPage(
            tuple(
                LogLine(
                    raw.get("timestamp", 0),
                    raw.get("ingestionTime", raw.get("timestamp", 0)),
                    raw.get("eventId", ""),
                    group,
                    raw.get("logStreamName", ""),
                    raw.get("message", ""),
                    region,
                )
                for raw in answer.get("events", ())
            ),
            answer.get("nextToken"),
            newest_first,
        )

    def live(self, groups: Sequence[str], pattern: str = "") -> AwsLiveSession:
        """StartLiveTail; the groups' ARNs are looked up first."""
        arns = {self._arn(group): group for group in groups}
        request: dict[str, Any] = {"logGroupIdentifiers": list(arns)}
        if pattern:
            request["logEventFilterPattern"] = pattern
        with self.clients.reading(LIVE_ACTION, ", ".join(groups)):
            answer = self.clients.client("logs").start_live_tail(**request)
        return AwsLiveSession(self.clients, answer["responseStream"], arns)

    def elsewhere(self, region: str) -> AwsLogs:
        """The same port to another region."""
        if region in ("", self.clients.region):
            return self
        return AwsLogs(self.clients.elsewhere(region))

    def _arn(self, group: str) -> str:
        for found in self._described(group):
            if found["logGroupName"] == group:
                # `arn` ends with `:*`, which StartLiveTail refuses; older answers have it alone.
                arn: str = found.get("logGroupArn") or found["arn"]
                return arn.removesuffix(":*")
        raise NotThere("No such log group", f"{group} in {self.clients.region}")

    def _described(self, prefix: str) -> Iterator[Mapping[str, Any]]:
        request: dict[str, Any] = {"logGroupNamePrefix": prefix} if prefix else {}
        with self.clients.reading("logs:DescribeLogGroups"):
            client = self.clients.client("logs")
            for page in client.get_paginator("describe_log_groups").paginate(**request):
                yield from page.get("logGroups", ())


class AwsLiveSession:
    """The `LiveSession` port."""

    def __init__(self, clients: Clients, stream: Any, groups: Mapping[str, str]) -> None:
        self._clients = clients
        self._stream = stream
        self._groups = groups
        self._closed = False

    def updates(self) -> Iterator[LiveUpdate]:
        """One a second."""
        try:
            with self._clients.reading(LIVE_ACTION):
                for event in self._stream:
                    if "sessionUpdate" in event:
                        yield self._update(event["sessionUpdate"])
        except (OSError, ValueError, AttributeError) as error:
            # What urllib3 raises in a thread whose connection another thread has closed.
            if not self._closed:
                raise Unreachable("The Live Tail session broke", str(error)) from None

    def close(self) -> None:
        """End it."""
        self._closed = True
        self._stream.close()

    def _update(self, update: Mapping[str, Any]) -> LiveUpdate:
        region = self._clients.region if self._clients.away else ""
        lines = tuple(
            LogLine(
                raw.get("timestamp", 0),
                raw.get("ingestionTime", raw.get("timestamp", 0)),
                "",
                self._groups.get(raw.get("logGroupIdentifier", ""), ""),
                raw.get("logStreamName", ""),
                raw.get("message", ""),
                region,
            )
            for raw in update.get("sessionResults", ())
        )
        return LiveUpdate(lines, bool(update.get("sessionMetadata", {}).get("sampled")))


def _knows_newest_first(client: CloudWatchLogsClient) -> bool:
    return "startFromHead" in accepted(client, "FilterLogEvents")
