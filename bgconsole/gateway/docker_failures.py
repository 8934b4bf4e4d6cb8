"""Failures of builds and pushes, which engines and registries tell as text, as our errors.

The words are those of Docker Engine 20.10 to 28, of BuildKit and of Amazon ECR.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from bgconsole.domain.errors import (
    AccessDenied,
    ExpiredCredentials,
    GatewayError,
    NotThere,
    Rejected,
    Unreachable,
)

DISK_FULL = re.compile(r"no space left on device|disk quota exceeded", re.IGNORECASE)
_LOST = re.compile(
    r"connection (?:reset|refused|timed out)|broken pipe|\bEOF\b|i/o timeout|no such host|"
    r"network is unreachable|TLS handshake|server misbehaving|context deadline|Service Unavailable|"
    r"unknown error|\b50[0234]\b|dial tcp|client timeout",
    re.IGNORECASE,
)
_LOGIN = re.compile(
    r"authorization token (?:has expired|is invalid)|no basic auth credentials|"
    r"authentication required|unauthorized|403 Forbidden",
    re.IGNORECASE,
)
_ACTION = re.compile(r"not authorized to perform:? (ecr:\w+)")
_NO_REPOSITORY = re.compile(
    r"name unknown|NAME_UNKNOWN|repository with name .* does not exist|"
    r"repository does not exist|repository .* not found",
    re.IGNORECASE,
)
_TAKEN = re.compile(r"immutable|TAG_INVALID|tag invalid|cannot be overwritten", re.IGNORECASE)
_BASE = re.compile(
    r"pull access denied|manifest (?:unknown|for \S+ not found)|"
    r"failed to resolve (?:source|reference)",
    re.IGNORECASE,
)


def disk_full(where: str, words: str) -> Rejected:
    """A disk is full: the engine's, or this machine's."""
    hint = (
        "`docker system df` shows what takes the room, `docker system prune` frees what is unused"
    )
    return Rejected(f"{where} is full", words, hint, code="NoSpace")


def build_failure(words: str) -> GatewayError:
    """Why a build failed."""
    if DISK_FULL.search(words):
        return disk_full("The Docker engine's disk", words)
    if _BASE.search(words):
        return Rejected(
            "The base image cannot be had",
            words,
            "Look at FROM in the Dockerfile; log in to its registry with docker login",
            code="BaseImage",
        )
    if re.search(r"dial tcp|no such host|i/o timeout", words):
        return Unreachable(
            "The engine could not fetch what the build needs",
            words,
            "It needs the network: try again, or build where the base image is",
        )
    return Rejected(
        "The build failed", words, "What it printed is above; nothing was pushed", code="Build"
    )


def push_failure(words: str, repository: str) -> GatewayError:
    """Why a push to a repository failed."""
    if denied := _ACTION.search(words):
        needs = f"The credentials need {denied[1]}"
        return AccessDenied("AccessDenied", words, needs, action=denied[1])
    for pattern, failure in _PUSH:
        if pattern.search(words):
            return failure(words, repository)
    return Rejected("The push failed", words, code="Push")


def no_repository(name: str, detail: str = "") -> NotThere:
    """The repository must be made first."""
    return NotThere(
        "No such repository",
        detail or f"ECR has no repository {name}",
        f"Make it with the template image-repository.yml, or aws ecr create-repository "
        f"--repository-name {name}",
    )


def _taken(words: str, _: str) -> GatewayError:
    hint = "Tags of this repository never move: commit, so that the tag is another, or give --tag"
    return Rejected("The tag is taken", words, hint, code="ImageTagAlreadyExists")


def _login(words: str, _: str) -> GatewayError:
    title = "The registry does not take the login"
    return ExpiredCredentials(title, words, "Renew the credentials and push again")


def _lost(words: str, _: str) -> GatewayError:
    hint = "Push again: layers that are there already are not sent again"
    return Unreachable("The push was interrupted", words, hint)


_PUSH: tuple[tuple[re.Pattern[str], Callable[[str, str], GatewayError]], ...] = (
    (_NO_REPOSITORY, lambda words, repository: no_repository(repository, words)),
    (_TAKEN, _taken),
    (_LOGIN, _login),
    (DISK_FULL, lambda words, _: disk_full("The Docker engine's disk", words)),
    (_LOST, _lost),
)
"""The first that matches counts."""
