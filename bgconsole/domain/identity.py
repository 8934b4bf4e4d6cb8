"""Who we are to AWS, and where."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Identity:
    """The caller as STS tells it."""

    account: str
    """Twelve digits."""
    arn: str
    """The caller's ARN: what the audit log calls "who"."""
    alias: str = ""
    """The account's alias, where it could be read."""
    unread: str = ""
    """Why the alias could not be read, in a few words."""
    expires_at: datetime | None = None
    """When the credentials end, where the provider tells."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where calls go: fixed for one gateway."""

    region: str
    profile: str = ""
    """The profile's name, empty where credentials come from elsewhere."""
    endpoint: str = ""
    """host:port of an endpoint that is not AWS's own, else empty."""

    @property
    def endpoint_words(self) -> str:
        """How the header names it: empty for AWS itself."""
        return f"SANDBOX {self.endpoint}" if self.endpoint else ""


def principal(arn: str) -> str:
    """An ARN of IAM or STS as a person says it: `role/ci`, `user/ops`."""
    kind, _, rest = arn.rpartition(":")[2].partition("/")
    name = rest.partition("/")[0] if kind == "assumed-role" else rest
    kind = "role" if kind == "assumed-role" else kind
    return f"{kind}/{name}" if name else kind
