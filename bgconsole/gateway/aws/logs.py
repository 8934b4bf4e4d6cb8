"""CloudWatch Logs, read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bgconsole.domain.logs import LogLine, LogPage
from bgconsole.gateway.aws.clients import Clients
from bgconsole.gateway.aws.pieces import accepted

if TYPE_CHECKING:
    from types_boto3_logs.client import CloudWatchLogsClient

MOST_A_PAGE = 10_000
NEWEST_FIRST_SINCE = 1_704_067_200_000
"""2024-01-01 UTC: AWS refuses startFromHead=False for an earlier start."""


@dataclass(frozen=True, slots=True)
class AwsLogs:
    """The `Logs` port."""

    clients: Clients

    def groups(self, prefix: str = "") -> tuple[str, ...]:
        """DescribeLogGroups, every page."""
        request: dict[str, Any] = {"logGroupNamePrefix": prefix} if prefix else {}
        with self.clients.reading("logs:DescribeLogGroups"):
            pages = (
                self.clients.client("logs").get_paginator("describe_log_groups").paginate(**request)
            )
            return tuple(
                sorted(
                    group["logGroupName"] for page in pages for group in page.get("logGroups", ())
                )
            )

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
        containing: str = "",
    ) -> LogPage:
        """FilterLogEvents, one page.

        Where the client or the start is too old for newest first, the page begins at the oldest.
        """
        request: dict[str, Any] = {"logGroupName": group, "startTime": start}
        if end is not None:
            request["endTime"] = end
        if token:
            request["nextToken"] = token
        if streams:
            request["logStreamNamePrefix"] = streams
        if containing:
            request["filterPattern"] = f'"{containing}"'
        if limit < MOST_A_PAGE:
            request["limit"] = limit
        with self.clients.reading("logs:FilterLogEvents", f"log group {group}"):
            client = self.clients.client("logs")
            if newest_first and start >= NEWEST_FIRST_SINCE and _knows_newest_first(client):
                request["startFromHead"] = False
            answer = client.filter_log_events(**request)
        return LogPage(
            tuple(_line(group, raw) for raw in answer.get("events", ())), answer.get("nextToken")
        )


def _knows_newest_first(client: CloudWatchLogsClient) -> bool:
    return "startFromHead" in accepted(client, "FilterLogEvents")


def _line(group: str, raw: Mapping[str, Any]) -> LogLine:
    timestamp = raw.get("timestamp", 0)
    return LogLine(
        timestamp=timestamp,
        ingestion=raw.get("ingestionTime", timestamp),
        event_id=raw.get("eventId", ""),
        group=group,
        stream=raw.get("logStreamName", ""),
        message=raw.get("message", ""),
    )
