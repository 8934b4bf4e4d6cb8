"""AWS answered, and the answer is an error: from its code to our tree."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bgconsole.domain.errors import (
    AccessDenied,
    CredentialsProblem,
    ExpiredCredentials,
    GatewayError,
    NotThere,
    Rejected,
    Throttled,
    Unreachable,
)
from bgconsole.gateway.aws.caller import LOOK_FIRST, UNKNOWN_OUTCOME, Attempt, Caller

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

THROTTLES = frozenset(
    {
        "RequestThrottled",
        "RequestThrottledException",
        "TooManyRequestsException",
        "TooManyRequests",
        "RequestLimitExceeded",
        "BandwidthLimitExceeded",
        "SlowDown",
        "EC2ThrottledException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
    }
)
DENIALS = frozenset(
    {
        "UnauthorizedOperation",
        "UnauthorizedException",
        "AuthorizationError",
        "AuthorizationErrorException",
        "NotAuthorized",
        "NotAuthorizedException",
        "ForbiddenException",
        "OptInRequired",
    }
)
EXPIRIES = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "TokenRefreshRequired",
        "RequestExpired",
    }
)
BAD_CREDENTIALS = frozenset(
    {
        "UnrecognizedClient",
        "UnrecognizedClientException",
        "InvalidClientTokenId",
        "InvalidAccessKeyId",
        "InvalidToken",
        "AuthFailure",
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
        "IncompleteSignature",
        "IncompleteSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
    }
)
CLOCKS = frozenset({"RequestInTheFuture", "RequestTimeTooSkewed"})
SERVER_FAULTS = frozenset(
    {
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "InternalServerException",
        "ServerException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "ServiceException",
    }
)
KINDS = {
    "Cluster": "cluster",
    "ServiceDeployment": "service deployment",
    "Service": "service",
    "TaskSet": "task set",
    "Repository": "repository",
    "Image": "image",
    "TargetGroup": "target group",
    "LoadBalancer": "load balancer",
    "Listener": "listener",
    "Rule": "listener rule",
    "ChangeSet": "change set",
    "Stack": "stack",
}
"""What `<Kind>NotFound` and `<Kind>NotFoundException` are about."""

_OWN_CODES = {
    "ServiceNotActive": "service",
    "ServiceNotActiveException": "service",
    "DeploymentDoesNotExistException": "CodeDeploy deployment",
    "NoSuchBucket": "bucket",
}
"""Codes that say it otherwise, and what they are about."""

_PERFORM = re.compile(r"not authorized to perform:? ([\w-]+:\w+)(?: on resource:? (\S+))?")
_CLOCK = re.compile(r"(?i)signature (?:expired|not yet current)|in the future|skew")


@dataclass(frozen=True, slots=True)
class Answer:
    """An error as AWS answered it, its text without secrets."""

    code: str
    words: str
    status: int
    request_id: str

    @property
    def in_brackets(self) -> str:
        """AWS's own words, to stand behind ours."""
        return f" ({self.words.rstrip('.')})" if self.words else ""


def from_answer(error: ClientError, attempt: Attempt) -> GatewayError:
    """One of ours for an error that AWS answered."""
    answer = _read(error, attempt.caller)
    make = next((make for applies, make in _RULES if applies(answer)), _rejected)
    return make(answer, attempt)


def is_throttle(error: ClientError) -> bool:
    """Whether AWS says slow down: the request was not carried out."""
    return _throttles(_read(error, Caller()))


def missing_kind(code: str, words: str) -> str | None:
    """What is not there, in a word or two; None where the code means something else.

    Two services have no code of their own for it: CloudFormation's ValidationError "… does not
    exist", and ECS's ClientException for a task definition. CodeDeploy says DoesNotExist.
    """
    if code in _OWN_CODES:
        return _OWN_CODES[code]
    if code == "ClientException" and "Unable to describe task definition" in words:
        return "task definition"
    if code == "ValidationError" and "does not exist" in words:
        return "stack"
    if "NotFound" not in code:
        return None
    if code == "ResourceNotFoundException" and "log group" in words:
        return "log group"
    return KINDS.get(code.partition("NotFound")[0], "resource")


def _read(error: ClientError, caller: Caller) -> Answer:
    about = error.response.get("Error", {})
    metadata = error.response.get("ResponseMetadata", {})
    return Answer(
        code=str(about.get("Code", "")),
        words=caller.scrub(str(about.get("Message", ""))),
        status=int(metadata.get("HTTPStatusCode", 0) or 0),
        request_id=str(metadata.get("RequestId", "")),
    )


def _throttles(answer: Answer) -> bool:
    return answer.code in THROTTLES or answer.code.startswith("Throttl") or answer.status == 429


def _throttled(answer: Answer, attempt: Attempt) -> GatewayError:
    return Throttled(
        "Throttled",
        f"AWS said slow down to {attempt.words}{answer.in_brackets}",
        "The limit is shared by the whole account; try again in a minute",
        request_id=answer.request_id,
    )


def _expired(answer: Answer, attempt: Attempt) -> GatewayError:
    return ExpiredCredentials(
        "Credentials expired",
        f"{attempt.words} as {attempt.caller.whom}{answer.in_brackets}",
        attempt.caller.renew,
        request_id=answer.request_id,
    )


def _wrong_clock(answer: Answer, attempt: Attempt) -> GatewayError:
    return CredentialsProblem(
        "The clock is wrong",
        f"AWS does not take the time of the signature for {attempt.words}",
        "Set this machine's clock",
        request_id=answer.request_id,
    )


def _bad_credentials(answer: Answer, attempt: Attempt) -> GatewayError:
    return CredentialsProblem(
        "AWS does not take the credentials",
        # A signature error quotes the whole request, token included: its text stays out.
        f"{attempt.words} as {attempt.caller.whom} ({answer.code})",
        attempt.caller.renew,
        request_id=answer.request_id,
    )


def _denied(answer: Answer, attempt: Attempt) -> GatewayError:
    named = _PERFORM.search(answer.words)
    action = named.group(1) if named else attempt.action
    resource = (named.group(2) or "") if named else ""
    on = f" on {resource.rstrip('.,')}" if resource and resource != "*" else ""
    explicit = " (an explicit deny says no)" if "explicit deny" in answer.words else ""
    return AccessDenied(
        "AccessDenied",
        f"needs {action}{on}{explicit}",
        f"Ask for this permission for {attempt.caller.whom}, or use another profile",
        action=action,
        request_id=answer.request_id,
    )


def _not_there(answer: Answer, attempt: Attempt) -> GatewayError:
    caller = attempt.caller
    return NotThere(
        f"No such {missing_kind(answer.code, answer.words)}",
        f"{attempt.subject or attempt.action}{answer.in_brackets}",
        f"Looked in {caller.region or 'the configured region'} as {caller.whom}",
        request_id=answer.request_id,
    )


def _server_fault(answer: Answer, attempt: Attempt) -> GatewayError:
    unsure = f"; {UNKNOWN_OUTCOME}" if attempt.write else ""
    return Unreachable(
        f"AWS answered {answer.status or 'an internal error'}",
        f"{attempt.words}{answer.in_brackets}{unsure}",
        LOOK_FIRST if attempt.write else "The fault is on AWS's side; it is worth another try",
        write="not known" if attempt.write else "none",
        request_id=answer.request_id,
    )


def _rejected(answer: Answer, attempt: Attempt) -> GatewayError:
    return Rejected(
        "AWS refuses",
        f"{attempt.words}: {answer.words or answer.code or f'status {answer.status}'}",
        code=answer.code,
        request_id=answer.request_id,
    )


_RULES: tuple[tuple[Callable[[Answer], bool], Callable[[Answer, Attempt], GatewayError]], ...] = (
    (_throttles, _throttled),
    (
        lambda a: a.code in CLOCKS or (a.code in BAD_CREDENTIALS and bool(_CLOCK.search(a.words))),
        _wrong_clock,
    ),
    (lambda a: a.code in EXPIRIES, _expired),
    (lambda a: a.code in BAD_CREDENTIALS, _bad_credentials),
    (lambda a: a.code in DENIALS or a.code.startswith("AccessDenied"), _denied),
    (lambda a: missing_kind(a.code, a.words) is not None, _not_there),
    (lambda a: a.code in SERVER_FAULTS or a.status >= 500, _server_fault),
)
"""In order: the first that applies decides; without one AWS refuses."""
