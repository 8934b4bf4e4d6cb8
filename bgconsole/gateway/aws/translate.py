"""Every error of botocore becomes one of ours here, and nowhere else.

Ours are raised `from None`: botocore's own texts can quote requests and tokens, so they do not ride
along.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bgconsole.domain.errors import BgconsoleError
from bgconsole.gateway.aws.caller import Attempt, Caller


@contextmanager
def translated(
    action: str, subject: str = "", caller: Caller | None = None, *, write: bool = False
) -> Iterator[None]:
    """Raise whatever botocore raises inside as the fitting `GatewayError`.

    Our own errors pass. A `write` says of a lost answer that its outcome is not known.
    """
    try:
        yield
    except BgconsoleError:
        raise
    except Exception as error:  # looked at by type, and raised again where it is not AWS's
        attempt = Attempt(action, subject, caller or Caller(), write)
        mapped = translate(error, attempt)
        if mapped is None:
            raise
        raise mapped from None


def translate(error: Exception, attempt: Attempt) -> BgconsoleError | None:
    """The error of ours that says the same; None for what neither botocore nor urllib3 raised."""
    from botocore.exceptions import BotoCoreError, ClientError, EventStreamError
    from botocore.parsers import ResponseParserError
    from urllib3.exceptions import HTTPError

    from bgconsole.gateway.aws.answers import from_answer
    from bgconsole.gateway.aws.breakdowns import from_breakdown

    if isinstance(error, ClientError | EventStreamError):
        return from_answer(error, attempt)
    if isinstance(error, BotoCoreError | ResponseParserError | HTTPError):
        return from_breakdown(error, attempt)
    return None


def never_arrived(error: Exception) -> bool:
    """Whether a request surely had no effect: no connection, or told to slow down."""
    from botocore.exceptions import (
        ClientError,
        ConnectTimeoutError,
        EndpointConnectionError,
        ProxyConnectionError,
    )

    from bgconsole.gateway.aws.answers import is_throttle

    if isinstance(error, ClientError):
        return is_throttle(error)
    return isinstance(error, EndpointConnectionError | ConnectTimeoutError | ProxyConnectionError)
