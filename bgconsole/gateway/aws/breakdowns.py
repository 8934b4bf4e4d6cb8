"""There was no answer, or no request: from botocore's own exceptions to our tree.

The table names base classes; the most specific one decides. A test holds that every exception of
botocore meets one.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from bgconsole.domain.errors import (
    BgconsoleError,
    ConfigurationError,
    CredentialsProblem,
    ExpiredCredentials,
    GatewayError,
    NoCredentials,
    Rejected,
    Unreachable,
)
from bgconsole.gateway.aws.caller import LOOK_FIRST, UNKNOWN_OUTCOME, Attempt

Maker = Callable[[Exception, Attempt], BgconsoleError]

_QUOTED_VALUE = re.compile(r"(?s)value: .*?(?=, type: |, valid |\Z)")


def from_breakdown(error: Exception, attempt: Attempt) -> BgconsoleError:
    """One of ours for an exception of botocore (or urllib3) that is no answer of AWS."""
    return maker_of(type(error))(error, attempt)


def maker_of(kind: type[Exception]) -> Maker:
    """What makes our error for a class of exception; `unknown` where the table has no base."""
    return next((_MAKERS[c.__name__] for c in kind.__mro__ if c.__name__ in _MAKERS), unknown)


def unknown(error: Exception, attempt: Attempt) -> BgconsoleError:
    """For what a later botocore adds: still told, with its own words."""
    return GatewayError("AWS could not be asked", f"{attempt.words}: {_words(error, attempt)}")


def not_sent(error: Exception, attempt: Attempt) -> BgconsoleError:
    """No connection came about: a write did not happen."""
    nothing = "; nothing was sent" if attempt.write else ""
    return Unreachable(
        _title(attempt),
        f"{attempt.words}: {_words(error, attempt)}{nothing}",
        "See that the endpoint is up and its port open"
        if attempt.caller.endpoint
        else "See that this machine reaches the network, and that the region is right",
        write="not sent" if attempt.write else "none",
    )


def lost(error: Exception, attempt: Attempt) -> BgconsoleError:
    """The connection broke or went silent after something was sent."""
    unsure = f"; {UNKNOWN_OUTCOME}" if attempt.write else ""
    return Unreachable(
        _title(attempt),
        f"{attempt.words}: {_words(error, attempt)}{unsure}",
        LOOK_FIRST if attempt.write else "It is worth another try",
        write="not known" if attempt.write else "none",
    )


def not_aws(_: Exception, attempt: Attempt) -> BgconsoleError:
    """Something answered, and not in AWS's protocol; its text is of no use."""
    unsure = f"; {UNKNOWN_OUTCOME}" if attempt.write else ""
    return Unreachable(
        _title(attempt),
        f"{attempt.words}: what answered does not speak AWS's protocol{unsure}",
        "See that the endpoint and its port are AWS's, or a sandbox's",
        write="not known" if attempt.write else "none",
    )


def no_credentials(error: Exception, attempt: Attempt) -> BgconsoleError:
    """Nothing was found in any of the places."""
    return NoCredentials(
        "No AWS credentials",
        "there are none where the AWS CLI would look"
        if attempt.caller.tried
        else f"{attempt.words}: {_words(error, attempt)}",
        attempt.caller.renew,
        tried=attempt.caller.tried,
    )


def expired(error: Exception, attempt: Attempt) -> BgconsoleError:
    """A sign-in is over."""
    return ExpiredCredentials(
        "Credentials expired",
        f"{attempt.words} as {attempt.caller.whom}: {_words(error, attempt)}",
        attempt.caller.renew,
    )


def bad_credentials(error: Exception, attempt: Attempt) -> BgconsoleError:
    """Credentials are there, and cannot be used or fetched."""
    return CredentialsProblem(
        "Credentials cannot be used",
        f"{attempt.words} as {attempt.caller.whom}: {_words(error, attempt)}",
        attempt.caller.renew,
    )


def configuration(error: Exception, attempt: Attempt) -> BgconsoleError:
    """A file, a variable or an option is wrong."""
    return ConfigurationError(
        "The AWS configuration is wrong",
        _words(error, attempt),
        "See ~/.aws/config, the AWS_* variables and the command's options",
    )


def rejected(error: Exception, attempt: Attempt) -> BgconsoleError:
    """The client refuses the request before it is sent; values that it quotes stay out."""
    words = _QUOTED_VALUE.sub("value: ***", str(error))
    return Rejected(
        "AWS refuses",
        f"{attempt.words}: {attempt.caller.scrub(words)}",
        "",
        code=type(error).__name__,
    )


def _title(attempt: Attempt) -> str:
    return f"No answer from {attempt.caller.endpoint or 'AWS'}"


def _words(error: Exception, attempt: Attempt) -> str:
    return attempt.caller.scrub(str(error)).rstrip(".")


_MAKERS: dict[str, Maker] = {
    "ConnectionError": not_sent,
    "HTTPClientError": lost,
    "HTTPError": lost,
    "ResponseParserError": not_aws,
    "IncompleteReadError": lost,
    "ChecksumError": lost,
    "FlexibleChecksumError": lost,
    "AwsChunkedWrapperError": lost,
    "UnseekableStreamError": lost,
    "CapacityNotAvailableError": lost,
    "NoCredentialsError": no_credentials,
    "NoAuthTokenError": no_credentials,
    "PartialCredentialsError": bad_credentials,
    "UnknownCredentialError": bad_credentials,
    "CredentialRetrievalError": bad_credentials,
    "TokenRetrievalError": expired,
    "RefreshWithMFAUnsupportedError": expired,
    "SSOError": expired,
    "LoginError": bad_credentials,
    "LoginRefreshRequired": expired,
    "LoginTokenLoadError": expired,
    "MetadataRetrievalError": bad_credentials,
    "UnknownTokenProviderError": configuration,
    "ProfileNotFound": configuration,
    "ConfigParseError": configuration,
    "ConfigNotFound": configuration,
    "InvalidConfigError": configuration,
    "InvalidIMDSEndpointError": configuration,
    "InvalidIMDSEndpointModeError": configuration,
    "UnknownRegionError": configuration,
    "InvalidRegionError": configuration,
    "BaseEndpointResolverError": configuration,
    "EndpointDiscoveryException": configuration,
    "EndpointProviderError": configuration,
    "InvalidEndpointConfigurationError": configuration,
    "InvalidEndpointDiscoveryConfigurationError": configuration,
    "ServiceNotInRegionError": configuration,
    "InvalidRetryConfigurationError": configuration,
    "InvalidSTSRegionalEndpointsConfigError": configuration,
    "InvalidS3UsEast1RegionalEndpointConfigError": configuration,
    "InvalidProxiesConfigError": configuration,
    "InvalidDefaultsMode": configuration,
    "InvalidChecksumConfigError": configuration,
    "InvalidHostLabelError": configuration,
    "MissingDependencyException": configuration,
    "MD5UnavailableError": configuration,
    "UnknownSignatureVersionError": configuration,
    "UnsupportedSignatureVersionError": configuration,
    "UnsupportedS3ConfigurationError": configuration,
    "UnsupportedS3AccesspointConfigurationError": configuration,
    "UnsupportedS3ControlConfigurationError": configuration,
    "UnsupportedServiceProtocolsError": configuration,
    "DataNotFoundError": configuration,
    "ApiVersionNotFoundError": configuration,
    "InvalidDNSNameError": rejected,
    "InvalidS3AddressingStyleError": configuration,
    "UnsupportedS3ArnError": rejected,
    "UnsupportedS3ControlArnError": rejected,
    "UnsupportedOutpostResourceError": rejected,
    "MissingParametersError": rejected,
    "ValidationError": rejected,
    "ParamValidationError": rejected,
    "InvalidExpressionError": rejected,
    "PaginationError": lost,
    "OperationNotPageableError": rejected,
    "UnknownClientMethodError": rejected,
    "UnknownServiceStyle": rejected,
    "WaiterError": lost,
    "WaiterConfigError": rejected,
    "StubResponseError": rejected,
}
