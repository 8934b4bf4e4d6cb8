"""What the embedded engine knows of a log group: asked each time, a quarter of a millisecond."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ..api import ApiError, Request
from ..asgi import App, call
from ..scope import Scope

_ARN = re.compile(r"arn:aws[\w-]*:logs:([a-z0-9-]+):(\d{12}):log-group:([^:*]+)")


@dataclass(frozen=True, slots=True)
class GroupFacts:
    """One log group."""

    created: int
    """Milliseconds since 1970."""
    retention: int | None
    """Days, `None` for ever."""


GroupLookup = Callable[[Scope, str], Awaitable[GroupFacts | None]]
"""The facts of a group by its name; `None` when there is none."""


def engine_groups(engine: App) -> GroupLookup:
    """Groups by DescribeLogGroups of the engine: it has those that CloudFormation made too."""

    async def look_up(scope: Scope, name: str) -> GroupFacts | None:
        # The first of the names that begin with this one, sorted, is this one.
        asked = json.dumps({"logGroupNamePrefix": name, "limit": 1}).encode()
        headers = {
            "authorization": scope.signature,
            "content-type": "application/x-amz-json-1.1",
            "x-amz-target": "Logs_20140328.DescribeLogGroups",
        }
        answer = await call(engine, "POST", "/", headers, asked)
        if answer.status != 200:
            raise RuntimeError(f"the engine answered DescribeLogGroups with {answer.body[:200]!r}")
        for group in json.loads(answer.body)["logGroups"]:
            if group["logGroupName"] == name:
                return GroupFacts(group["creationTime"], group.get("retentionInDays"))
        return None

    return look_up


def group_name(request: Request, scope: Scope) -> str:
    """The group that a request names, by `logGroupName` or by `logGroupIdentifier` (name or ARN).

    Raises:
        ApiError: InvalidParameterException for none or both, ResourceNotFoundException for one
            of another account or region.
    """
    name, identifier = request.get("logGroupName"), request.get("logGroupIdentifier")
    if (name is None) == (identifier is None):
        raise ApiError(
            "InvalidParameterException",
            "Exactly one of logGroupName and logGroupIdentifier has to be given.",
        )
    if name is not None:
        return str(name)
    named = str(identifier)
    return of_arn(named, scope) if named.startswith("arn:") else named


def of_arn(arn: str, scope: Scope) -> str:
    """The name in a log group's ARN; one that ends with `:*` is refused, as on AWS.

    Raises:
        ApiError: it is no such ARN, or of another account or region.
    """
    match = _ARN.fullmatch(arn)
    if match is None:
        raise ApiError("InvalidParameterException", f"{arn} is not the ARN of a log group.")
    if Scope(match[2], match[1]) != scope:
        raise no_such_group()
    return match[3]


def no_such_group() -> ApiError:
    """What AWS says of an unknown group."""
    return ApiError("ResourceNotFoundException", "The specified log group does not exist.")


def no_such_stream() -> ApiError:
    """What AWS says of an unknown stream."""
    return ApiError("ResourceNotFoundException", "The specified log stream does not exist.")
