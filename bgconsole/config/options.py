"""Every setting there is, once: files, variables, flags and documentation come from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "yes or no", "list", "risks", "keys"]

LEVELS = ("safe", "disruptive", "dangerous")
"""How hard an operation asks, mildest first."""


@dataclass(frozen=True, slots=True)
class Option:
    """One setting."""

    name: str
    kind: Kind
    help: str
    """What it does, as the documentation says it."""
    example: str
    """As it stands in a file."""
    default: str
    """In words."""
    flag: str = ""
    """The global flag that sets it, where there is one."""
    of_profile: bool = True
    """Whether it may stand under `profiles`."""
    of_project: bool = True
    """Whether a project's file may set it."""

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return f"BGCONSOLE_{self.name.upper()}"


_OPTIONS = (
    Option(
        "profile",
        "text",
        "The AWS profile whose credentials and region are used.",
        "profile: prod",
        "what the AWS CLI would use",
        flag="--profile",
        of_profile=False,
    ),
    Option(
        "region",
        "text",
        "The AWS region.",
        "region: eu-central-1",
        "what the AWS CLI would use",
        flag="--region",
    ),
    Option(
        "endpoint_url",
        "text",
        "Where AWS's API is reached, for a sandbox or a proxy. A project's file cannot set it: "
        "whoever wrote that file would be sent your signed requests.",
        "endpoint_url: http://127.0.0.1:4566",
        "AWS itself, or what AWS_ENDPOINT_URL says",
        flag="--endpoint-url",
        of_project=False,
    ),
    Option(
        "cluster",
        "text",
        "The ECS cluster, by its short name.",
        "cluster: democluster-cluster",
        "a list to pick from",
        flag="--cluster",
    ),
    Option(
        "service",
        "text",
        "The ECS service, by its short name.",
        "service: democluster-service",
        "a list to pick from",
        flag="--service",
    ),
    Option(
        "read_only",
        "yes or no",
        "Removes every operation that changes anything: its key is not bound, its sub-command "
        "refuses.",
        "read_only: true",
        "false",
        flag="--read-only",
    ),
    Option(
        "operate",
        "list",
        "Patterns (`*`, `?`, `[ab]`) of `cluster/service`. A service that matches none of them is "
        "read-only. Without this setting every service may be operated.",
        "operate: ['democluster-cluster/*', 'staging-*/*']",
        "every service",
    ),
    Option(
        "risk",
        "risks",
        "How hard an operation asks: `safe` not at all, `disruptive` yes or no, `dangerous` a word "
        "to be typed.",
        "risk: {service.force-redeploy: dangerous}",
        "each operation's own level",
    ),
    Option(
        "keys",
        "keys",
        "Other keys for an action or an operation, by its id: one key or a list. One key has one "
        "meaning; an operation's key is a shifted letter whose lower-case twin stays unbound.",
        "keys: {service.rollback: B, refresh: [ctrl+r, f5]}",
        "the table of keys",
        of_profile=False,
    ),
    Option(
        "theme",
        "text",
        "The console's colours, by the name of a theme.",
        "theme: textual-light",
        "the console's own",
        of_profile=False,
    ),
)

OPTIONS = {option.name: option for option in _OPTIONS}
"""By name, in the order of the documentation."""
