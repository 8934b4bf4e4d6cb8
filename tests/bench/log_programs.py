"""The bare paginator that `bgconsole logs` is measured against: `python log_programs.py GROUP`."""

from __future__ import annotations

import sys
import time

import boto3


def main(group: str) -> None:
    """FilterLogEvents of the last day, each message printed."""
    pages = boto3.client("logs").get_paginator("filter_log_events")
    start = int((time.time() - 86_400) * 1000)
    for page in pages.paginate(logGroupName=group, startTime=start):
        for event in page["events"]:
            print(group, event["logStreamName"], event["message"])  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1])
