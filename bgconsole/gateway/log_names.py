"""Names of log groups and streams by the awslogs package: the only module that imports it.

It is not the engine of the logs (`docs/logs.md` says why); for names its plain generators will do.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bgconsole.domain.errors import NotThere
from bgconsole.gateway.aws.translate import translated


@dataclass(frozen=True, slots=True)
class AwslogsNames:
    """The `LogNames` port. Empty settings are found as the AWS CLI finds them."""

    profile: str = ""
    region: str = ""
    endpoint_url: str = ""

    def groups(self, prefix: str = "") -> tuple[str, ...]:
        """DescribeLogGroups, every page."""
        with self._asked("logs:DescribeLogGroups", log_group_prefix=prefix or None) as asked:
            return tuple(sorted(asked.get_groups()))

    def streams(self, group: str) -> tuple[str, ...]:
        """DescribeLogStreams, every page."""
        with self._asked("logs:DescribeLogStreams") as asked:
            if group not in asked.get_groups():
                raise NotThere("No such log group", group)
            return tuple(sorted(asked.get_streams(group)))

    @contextmanager
    def _asked(self, action: str, **settings: Any) -> Iterator[Any]:
        with translated(action):
            from awslogs import AWSLogs

            yield AWSLogs(
                aws_profile=self.profile or None,
                aws_region=self.region or None,
                aws_endpoint_url=self.endpoint_url or None,
                **settings,
            )
