"""Every error of botocore has its place in our tree, and no secret comes along."""

from __future__ import annotations

from collections.abc import Iterator

import botocore.exceptions
import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    CredentialRetrievalError,
    EndpointConnectionError,
    InfiniteLoopConfigError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)

from bgconsole.domain.errors import (
    AccessDenied,
    BgconsoleError,
    ConfigurationError,
    CredentialsProblem,
    ExpiredCredentials,
    GatewayError,
    NoCredentials,
    NotThere,
    Rejected,
    Throttled,
    Unreachable,
)
from bgconsole.gateway.aws.breakdowns import maker_of, unknown
from bgconsole.gateway.aws.caller import Caller
from bgconsole.gateway.aws.translate import never_arrived, translated

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCY"
TOKEN = "IQoJb3JpZ2luX2VjEAQaCXVzLWVhc3QtMSJHMEUC=="
CALLER = Caller(
    profile="prod",
    region="us-east-1",
    renew="Run `aws sso login --profile prod --use-device-code`",
    tried=("environment: not set",),
    secrets=lambda: (SECRET, TOKEN),
)


def answered(code: str, message: str = "", status: int = 400) -> ClientError:
    return ClientError(
        {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {
                "RequestId": "req-1",
                "HTTPStatusCode": status,
                "HostId": "",
                "HTTPHeaders": {},
                "RetryAttempts": 0,
            },
        },
        "DescribeServices",
    )


def ours(error: Exception, *, write: bool = False) -> BgconsoleError:
    with (
        pytest.raises(BgconsoleError) as caught,
        translated("ecs:DescribeServices", "service web", CALLER, write=write),
    ):
        raise error
    return caught.value


def every(kind: type[Exception]) -> Iterator[type[Exception]]:
    for child in kind.__subclasses__():
        if child.__module__.startswith("botocore"):
            yield child
            yield from every(child)


@pytest.mark.parametrize("kind", sorted(set(every(BotoCoreError)), key=str))
def test_every_exception_of_botocore_has_a_place(kind: type[Exception]) -> None:
    """A new one in a later botocore fails here until the table knows it."""
    assert maker_of(kind) is not unknown


def test_what_a_later_botocore_adds_is_still_told() -> None:
    class Novel(BotoCoreError):
        fmt = "something new"

    error = ours(Novel())
    assert type(error) is GatewayError
    assert "something new" in error.detail


@pytest.mark.parametrize(
    ("error", "kind", "title"),
    [
        (answered("ThrottlingException", "Rate exceeded"), Throttled, "Throttled"),
        (answered("Throttling", "Rate exceeded"), Throttled, "Throttled"),
        (answered("RequestLimitExceeded"), Throttled, "Throttled"),
        (answered("TooManyRequestsException"), Throttled, "Throttled"),
        (answered("Whatever", status=429), Throttled, "Throttled"),
        (answered("ExpiredTokenException"), ExpiredCredentials, "Credentials expired"),
        (answered("ExpiredToken"), ExpiredCredentials, "Credentials expired"),
        (answered("RequestExpired"), ExpiredCredentials, "Credentials expired"),
        (
            answered("UnrecognizedClientException"),
            CredentialsProblem,
            "AWS does not take the credentials",
        ),
        (answered("InvalidClientTokenId"), CredentialsProblem, "AWS does not take the credentials"),
        (
            answered("SignatureDoesNotMatch", "Signature expired: 2026 is now earlier than"),
            CredentialsProblem,
            "The clock is wrong",
        ),
        (answered("ClusterNotFoundException", "Cluster not found."), NotThere, "No such cluster"),
        (answered("ServiceNotActiveException"), NotThere, "No such service"),
        (answered("ServiceDeploymentNotFoundException"), NotThere, "No such service deployment"),
        (answered("TargetGroupNotFound"), NotThere, "No such target group"),
        (answered("RepositoryNotFoundException"), NotThere, "No such repository"),
        (answered("NovelNotFoundException"), NotThere, "No such resource"),
        (
            answered("ResourceNotFoundException", "The specified log group does not exist."),
            NotThere,
            "No such log group",
        ),
        (
            answered("ValidationError", "Stack with id x does not exist"),
            NotThere,
            "No such stack",
        ),
        (
            answered("ClientException", "Unable to describe task definition."),
            NotThere,
            "No such task definition",
        ),
        (answered("ServerException", status=500), Unreachable, "AWS answered 500"),
        (answered("503", "Service Unavailable", 503), Unreachable, "AWS answered 503"),
        (answered("ConflictException", "Not stoppable."), Rejected, "AWS refuses"),
        (answered("ValidationException", "Bad value."), Rejected, "AWS refuses"),
        (
            EndpointConnectionError(endpoint_url="http://127.0.0.1:1"),
            Unreachable,
            "No answer from AWS",
        ),
        (ReadTimeoutError(endpoint_url="https://x"), Unreachable, "No answer from AWS"),
        (NoCredentialsError(), NoCredentials, "No AWS credentials"),
        (UnauthorizedSSOTokenError(), ExpiredCredentials, "Credentials expired"),
        (
            TokenRetrievalError(provider="sso", error_msg="Token has expired"),
            ExpiredCredentials,
            "Credentials expired",
        ),
        (
            InfiniteLoopConfigError(source_profile="a", visited_profiles=["a"]),
            ConfigurationError,
            "The AWS configuration is wrong",
        ),
    ],
)
def test_each_goes_to_its_place(error: Exception, kind: type, title: str) -> None:
    found = ours(error)
    assert type(found) is kind
    assert found.title == title
    assert found.detail
    if isinstance(error, ClientError) and isinstance(found, GatewayError):
        assert found.request_id == "req-1"


def test_a_denial_names_the_missing_permission_and_the_resource() -> None:
    message = (
        "User: arn:aws:sts::123456789012:assumed-role/ops/me is not authorized to perform: "
        "elasticloadbalancing:DescribeTargetHealth on resource: arn:aws:x:tg/blue because no "
        "identity-based policy allows it"
    )
    denied = ours(answered("AccessDenied", message, 403))
    assert isinstance(denied, AccessDenied)
    assert denied.action == "elasticloadbalancing:DescribeTargetHealth"
    assert denied.detail == "needs elasticloadbalancing:DescribeTargetHealth on arn:aws:x:tg/blue"
    assert denied.exit_code == 4


def test_a_denial_without_words_names_what_was_called() -> None:
    denied = ours(answered("UnauthorizedOperation", "You are not authorized."))
    assert isinstance(denied, AccessDenied)
    assert denied.action == "ecs:DescribeServices"
    assert str(denied).startswith("AccessDenied: needs ecs:DescribeServices. ")


def test_an_explicit_deny_is_told_apart() -> None:
    denied = ours(answered("AccessDeniedException", "… with an explicit deny in a policy"))
    assert "explicit deny" in denied.detail


def test_an_expiry_names_the_command_for_this_profile() -> None:
    assert ours(answered("ExpiredToken")).hint == CALLER.renew


def test_no_credentials_say_where_was_looked() -> None:
    error = ours(NoCredentialsError())
    assert isinstance(error, NoCredentials)
    assert error.tried == CALLER.tried
    assert error.detail == "there are none where the AWS CLI would look"


@pytest.mark.parametrize(
    "error",
    [
        answered(
            "SignatureDoesNotMatch",
            f"The Canonical String should have been 'POST\nx-amz-security-token:{TOKEN}'",
        ),
        answered("ValidationException", f"secret {SECRET} in it"),
        answered("ExpiredToken", f"x-amz-security-token: {TOKEN[:20]}cut"),
        CredentialRetrievalError(provider="process", error_msg=f"SecretAccessKey: {SECRET[:9]}"),
        ParamValidationError(
            report="Invalid type for parameter environment[0].value, value: hunter2\nhunter3, "
            "type: <class 'int'>, valid types: <class 'str'>"
        ),
    ],
)
def test_no_secret_is_in_an_error(error: Exception) -> None:
    found = ours(error)
    text = f"{found} {found.args}"
    for piece in (SECRET[:9], TOKEN[:20], "hunter"):
        assert piece not in text
    assert found.__suppress_context__, "the original would bring the text back into a crash log"


@pytest.mark.parametrize(
    "error",
    [
        ConnectionClosedError(endpoint_url="https://x"),
        ReadTimeoutError(endpoint_url="https://x"),
        answered("InternalFailure", status=500),
    ],
)
def test_a_write_without_an_answer_is_not_known_to_have_failed(error: Exception) -> None:
    assert "not known" in ours(error, write=True).detail
    assert "not known" not in ours(error).detail
    assert not never_arrived(error)


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url="https://x"),
        botocore.exceptions.ConnectTimeoutError(endpoint_url="https://x"),
        answered("ThrottlingException"),
    ],
)
def test_a_write_that_never_arrived_may_be_sent_again(error: Exception) -> None:
    assert never_arrived(error)
    assert "not known" not in ours(error, write=True).detail


def test_our_own_errors_and_bugs_pass_unchanged() -> None:
    with pytest.raises(ZeroDivisionError), translated("x"):
        raise ZeroDivisionError
    mine = NotThere("No such service")
    with pytest.raises(NotThere) as caught, translated("x"):
        raise mine
    assert caught.value is mine
