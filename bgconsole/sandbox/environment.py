"""The environment of what runs against the sandbox, built from nothing: no real account is near."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .scope import DEMO_SCOPE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .scope import Scope

_KEPT = {
    "COLORFGBG",
    "COLORTERM",
    "COLUMNS",
    "DISPLAY",
    "EDITOR",
    "FORCE_COLOR",
    "HOME",
    "LANG",
    "LANGUAGE",
    "LINES",
    "LOGNAME",
    "NO_COLOR",
    "PAGER",
    "PATH",
    "SHELL",
    "STY",
    "TERM",
    "TERM_PROGRAM",
    "TERM_PROGRAM_VERSION",
    "TMPDIR",
    "TMUX",
    "TMUX_PANE",
    "TZ",
    "USER",
    "VIRTUAL_ENV",
    "VISUAL",
    "WAYLAND_DISPLAY",
}
_KEPT_PREFIXES = ("LC_", "PYTHON", "SSH_", "TEXTUAL", "XDG_")


def clean(caller: Mapping[str, str]) -> dict[str, str]:
    """What of the caller's environment goes on: terminal, language, paths; no AWS, no proxy.

    The files of the AWS configuration and of the console's, which may name a profile, and the
    metadata service of EC2 are turned off.
    """
    kept = {
        name: value
        for name, value in caller.items()
        if name in _KEPT or name.startswith(_KEPT_PREFIXES)
    }
    return kept | {
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
        "BGCONSOLE_CONFIG": "/dev/null",
        "NO_PROXY": "127.0.0.1,localhost",
    }


def with_our_programs(environment: Mapping[str, str]) -> dict[str, str]:
    """The same, with the programs that were installed beside this one on the PATH, last.

    So that `sandbox run` finds `bgconsole` and `awslogs` where no virtual environment is active.
    """
    folders = [*filter(None, [environment.get("PATH")]), str(Path(sys.executable).parent)]
    return {**environment, "PATH": os.pathsep.join(folders)}


def exports(
    endpoint: str, docker_host: str = "", scope: Scope = DEMO_SCOPE, *, base_image: str = ""
) -> dict[str, str]:
    """The variables that point any client of AWS, and of Docker where its engine is named, here.

    With a base image, what the console builds is built on that. The order is that of the output.
    """
    docker = {"DOCKER_HOST": docker_host} if docker_host else {}
    if base_image:
        docker["BGCONSOLE_BUILD_ARGS"] = f"BASE_IMAGE={base_image}"
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": scope.account,
        "AWS_SECRET_ACCESS_KEY": "sandbox",
        "AWS_REGION": scope.region,
        "AWS_DEFAULT_REGION": scope.region,
        **docker,
    }
