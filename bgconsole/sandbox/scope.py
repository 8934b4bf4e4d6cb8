"""Whose account and which region a request is for, read from how it was signed."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

_CREDENTIAL = re.compile(r"AWS4-HMAC-SHA256\s.*?Credential=([^/,\s]+)/\d{8}/([a-z0-9-]+)/")
_ACCOUNT = re.compile(r"\d{12}")
_REGISTRY_PASSWORD = re.compile(r"AWS:sandbox\.(\d{12})\.([a-z0-9-]+)")

DEMO_ACCOUNT = "123456789012"
DEMO_REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class Scope:
    """One account in one region: what a world, and the engine's state, is kept by."""

    account: str
    region: str

    @property
    def signature(self) -> str:
        """An Authorization header for what the engine finds by path or target."""
        return self.signature_for("ecr")

    def signature_for(self, service: str) -> str:
        """An Authorization header that the engine reads this scope back from.

        Nothing checks signatures here: only the credential scope counts. For a service that the
        engine does not know it loads every service's model, which takes seconds.
        """
        return (
            f"AWS4-HMAC-SHA256 Credential={self.account}/20260101/{self.region}/{service}/"
            "aws4_request, SignedHeaders=host, Signature=0"
        )

    @property
    def registry_token(self) -> str:
        """What ECR gives `docker login`: base64 of `AWS:` and a password that names the scope."""
        return base64.b64encode(f"AWS:sandbox.{self.account}.{self.region}".encode()).decode()


DEMO_SCOPE = Scope(DEMO_ACCOUNT, DEMO_REGION)


def signed_scope(authorization: str) -> Scope | None:
    """The scope of a SigV4 header; a key id of 12 digits is the account, another the demo's.

    `None` when the request is not signed that way.
    """
    match = _CREDENTIAL.match(authorization)
    if match is None:
        return None
    key_id, region = match.groups()
    return Scope(key_id if _ACCOUNT.fullmatch(key_id) else DEMO_ACCOUNT, region)


def registry_scope(authorization: str) -> Scope | None:
    """The scope of a registry request, from the password that ECR gave; `None` without one."""
    kind, _, token = authorization.partition(" ")
    if kind.lower() == "basic":
        try:
            match = _REGISTRY_PASSWORD.fullmatch(base64.b64decode(token).decode())
        except (binascii.Error, UnicodeDecodeError):
            match = None
        if match is not None:
            return Scope(*match.groups())
    return None
