"""Who calls, as far as an error message needs to know: profile, place, and how to sign in again."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

Settings = Mapping[str, object]
"""One profile's section of the shared configuration."""

_SIGNATURE_PARTS = re.compile(
    r"(?i)(x-amz-security-token|aws_session_token|aws_secret_access_key|secretaccesskey"
    r"|sessiontoken|authorization)(['\"]?\s*[:=]\s*)(['\"]?)[^\s'\",}]+"
)


def _no_secrets() -> tuple[str, ...]:
    return ()


@dataclass(frozen=True, slots=True)
class Caller:
    """What errors say of the caller. `secrets` gives what must never be in a message."""

    profile: str = ""
    region: str = ""
    endpoint: str = ""
    renew: str = "Sign in again"
    """What brings fresh credentials, as one sentence without its full stop."""
    tried: tuple[str, ...] = ()
    """Where credentials were looked for, in words."""
    secrets: Callable[[], tuple[str, ...]] = _no_secrets

    @property
    def whom(self) -> str:
        """The credentials in words."""
        return f"profile {self.profile}" if self.profile else "the credentials in use"

    def scrub(self, text: str) -> str:
        """One line of it, without the secrets that are known and without what looks like one."""
        for secret in self.secrets():
            text = text.replace(secret, "***")
        return " ".join(_SIGNATURE_PARTS.sub(r"\1\2***", text).split())


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call, as an error names it."""

    action: str
    """The IAM action, such as `ecs:DescribeServices`."""
    subject: str
    """What it was about, in words."""
    caller: Caller
    write: bool = False

    @property
    def words(self) -> str:
        """Action and subject."""
        return f"{self.action} for {self.subject}" if self.subject else self.action


UNKNOWN_OUTCOME = "it is not known whether the request took effect"
LOOK_FIRST = "Look at the service before trying again"


def has_browser(environ: Mapping[str, str]) -> bool:
    """Whether a sign-in can open a browser here: a display, and no ssh between."""
    if environ.get("SSH_CONNECTION") or environ.get("SSH_TTY"):
        return False
    return any(environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "TERM_PROGRAM"))


def has_keys(environ: Mapping[str, str]) -> bool:
    """Whether the environment itself carries credentials."""
    return all(environ.get(name) for name in _KEYS)


def how_to_renew(profile: str, profiles: Mapping[str, Settings], environ: Mapping[str, str]) -> str:
    """The sentence that brings fresh credentials for the way this profile gets its own.

    A role is followed to the profile that it is taken from: that one signs in.
    """
    if has_keys(environ) and not profile:
        # A program's own environment does not change any more: waiting brings none.
        return "Start bgconsole again with fresh AWS_… keys (and token) in the environment"
    named = profile or "default"
    settings = profiles.get(named, {})
    source = _source(named, profiles)
    origin = profiles.get(source, {})
    option = "" if source == "default" else f" --profile {source}"
    browser = has_browser(environ)
    ways = (
        (
            "sso_session" in origin or "sso_start_url" in origin,
            f"Run `aws sso login{option}{'' if browser else ' --use-device-code'}`",
        ),
        ("login_session" in origin, f"Run `aws login{option}{'' if browser else ' --remote'}`"),
        (
            "mfa_serial" in settings,
            f"Run `aws sts get-caller-identity --profile {named}` once and give the MFA code",
        ),
        (
            "credential_process" in origin,
            f"See why the credential_process of profile {source} gives none",
        ),
        (
            "aws_access_key_id" in origin,
            f"Put fresh keys into profile {source} with `aws configure{option}`",
        ),
    )
    without = f"Run `aws configure{option}`, or try `bgconsole demo`, which needs no account"
    return next((words for fits, words in ways if fits), without)


def _source(profile: str, profiles: Mapping[str, Settings]) -> str:
    seen = [profile]
    while isinstance(source := profiles.get(seen[-1], {}).get("source_profile"), str):
        if source in seen:
            break
        seen.append(source)
    return seen[-1]


def where_looked(
    profile: str, files: tuple[str, ...], environ: Mapping[str, str]
) -> tuple[str, ...]:
    """Every place of botocore's chain, and what was found there, in its order."""
    missing = [name for name in _KEYS if not environ.get(name)]
    found = [Path(file) for file in files]
    shared = ", ".join(
        f"{path}{'' if path.expanduser().is_file() else ' (no such file)'}" for path in found
    )
    container = any(environ.get(name) for name in _CONTAINER)
    off = environ.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true"
    return (
        f"environment: {' and '.join(missing)} not set"
        if missing
        else "environment: passed over, a profile was named",
        f"profile {profile or 'default'} in {shared}: no keys, role, SSO or process",
        "web identity: AWS_WEB_IDENTITY_TOKEN_FILE not set"
        if not environ.get("AWS_WEB_IDENTITY_TOKEN_FILE")
        else "web identity: gave none",
        "container: gave none" if container else "container: not inside one",
        "EC2 instance metadata: switched off"
        if off
        else "EC2 instance metadata: no answer within 1 s",
    )


_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
_CONTAINER = ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI")
