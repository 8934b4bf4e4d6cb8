"""Every setting there is, once: files, variables, flags and documentation come from it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from bgconsole.domain.migrations import DEFAULT_COMMAND as MIGRATE_COMMAND
from bgconsole.domain.plain import plain
from bgconsole.domain.probe_version import DEFAULT as PROBE_VERSION

Kind = Literal["text", "yes or no", "number", "list", "risks", "keys"]

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
    bounds: tuple[float, float] = (0, 0)
    """The least and the most, of a number."""
    problem: Callable[[str], str] = lambda _: ""
    """What is wrong with a text or an entry of a list, in words; empty where nothing is."""

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return f"BGCONSOLE_{self.name.upper()}"


def url_problem(text: str) -> str:
    """What is wrong with the address of a site, in words; empty where it can be asked."""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        return str(error)
    if parts.scheme not in ("http", "https"):
        return "it does not begin with http:// or https://"
    return "" if host else "it names no host"


def _bucket_problem(text: str) -> str:
    from bgconsole.domain.artifacts import bucket_problem

    return bucket_problem(text)


def _version_problem(text: str) -> str:
    from bgconsole.domain.probe_version import version_rule

    try:
        version_rule(text)
    except ValueError as error:
        return str(error)
    return ""


def _metric_problem(text: str) -> str:
    from bgconsole.domain.metrics import OwnMetric

    try:
        OwnMetric.parse(text)
    except ValueError as error:
        return str(error)
    return ""


ATTENTION = ("bell", "notice", "both", "off")


def _attention_problem(text: str) -> str:
    return "" if text in ATTENTION else f"{plain(text)!r} is none of {', '.join(ATTENTION)}"


THROUGH = ("service", "stack")
IMAGE_PARAMETER = "DockerImage"
"""The name of the image parameter in the templates that come with bgconsole."""


def _through_problem(text: str) -> str:
    return "" if text in THROUGH else f"{plain(text)!r} is neither service nor stack"


def _parameter_problem(text: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9]{1,255}", text):
        return ""
    return f"{plain(text)!r} is no name of a parameter: letters and digits only"


def _argument_problem(text: str) -> str:
    if re.fullmatch(r"[A-Za-z_]\w*=.*", text):
        return ""
    return f"{plain(text)!r} is not NAME=VALUE"


_CLUSTER = re.compile(r"(?:[a-z]{2}(?:-[a-z]+)+-\d+/)?[A-Za-z0-9_-]{1,255}")
"""ECS takes no other names for a cluster."""


def _cluster_problem(text: str) -> str:
    if _CLUSTER.fullmatch(text):
        return ""
    return f"{plain(text)!r} is neither a cluster's short name nor `region/cluster`"


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
        "clusters",
        "list",
        "The clusters that the services screen and `status --all` show, by short name, those of "
        "another region as `region/cluster`. The cluster of the service that is open is always "
        "among them.",
        "clusters: [democluster-cluster, eu-west-1/workers]",
        "`cluster`, else every cluster of the region",
        problem=_cluster_problem,
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
        "read-only. A stack is `stack:NAME`. Without this setting everything may be operated.",
        "operate: ['democluster-cluster/*', 'staging-*/*', 'stack:staging-*']",
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
        "build_context",
        "text",
        "The folder that build and push builds: the app's source with its Dockerfile. A relative "
        "one is from where bgconsole was started.",
        "build_context: services/web",
        "`rails_app`",
    ),
    Option(
        "dockerfile",
        "text",
        "The Dockerfile, from the build context.",
        "dockerfile: docker/Dockerfile.production",
        "`Dockerfile`",
    ),
    Option(
        "build_args",
        "list",
        "Build arguments, each `NAME=VALUE`. `REVISION` is given by itself where the Dockerfile "
        "declares it: the image's tag. Not for secrets: Docker keeps them in the image's history.",
        "build_args: [BASE_IMAGE=mirror.example.com/ruby:3.4-slim]",
        "none",
        problem=_argument_problem,
    ),
    Option(
        "image_repository",
        "text",
        "The ECR repository that build and push pushes to, by its name.",
        "image_repository: demorepo",
        "that of the image that the service runs",
    ),
    Option(
        "tag_latest",
        "yes or no",
        "Whether build and push gives the image the tag `latest` beside that of its git commit.",
        "tag_latest: true",
        "false",
    ),
    Option(
        "docker_host",
        "text",
        "The Docker engine that builds and pushes, as DOCKER_HOST names it. A project's file "
        "cannot set it: whoever wrote that file would be sent your source and ECR's password.",
        "docker_host: unix:///run/user/1000/docker.sock",
        "what the Docker CLI would use: DOCKER_HOST, or its current context",
        of_project=False,
    ),
    Option(
        "artifact_bucket",
        "text",
        "The S3 bucket of this account that `up` puts nested templates into. One that is not there "
        "is made, and deleted again by `down`.",
        "artifact_bucket: our-templates",
        "bgconsole-artifacts- and the account's number and region",
        problem=_bucket_problem,
    ),
    Option(
        "migrate",
        "yes or no",
        "Whether a deploy runs the migrations of the new image before it touches the service.",
        "migrate: true",
        "false",
    ),
    Option(
        "migrate_command",
        "text",
        "The command that migrates the database, run without a shell.",
        "migrate_command: bin/rails db:migrate",
        f"`{MIGRATE_COMMAND}`",
    ),
    Option(
        "migrate_task_definition",
        "text",
        "The family of the task definition that migrations are run with, where it is not the "
        "service's own.",
        "migrate_task_definition: democluster-migrations",
        "the service's own",
    ),
    Option(
        "migrate_container",
        "text",
        "The container that the migration command is run in.",
        "migrate_container: web",
        "that which takes the traffic",
    ),
    Option(
        "deploy_through",
        "text",
        "What deploy and roll back change: `service` the service itself, `stack` the "
        "CloudFormation stack that owns it, by a change set that gives its image parameter the "
        "new image and leaves every other parameter as it is. A service that no stack owns is "
        "changed itself.",
        "deploy_through: stack",
        "`service`",
        problem=_through_problem,
    ),
    Option(
        "stack_image_parameter",
        "text",
        "The parameter of the stack that holds the image, with `deploy_through: stack`; of nested "
        "stacks that of the outermost one.",
        "stack_image_parameter: WebImage",
        f"`{IMAGE_PARAMETER}`",
        problem=_parameter_problem,
    ),
    Option(
        "probe",
        "yes or no",
        "Whether the console asks the site itself, with GET, as its users do. It names itself "
        "`bgconsole-probe` in the User-Agent.",
        "probe: off",
        "true",
    ),
    Option(
        "probe_url",
        "text",
        "The site that the probe asks.",
        "probe_url: https://www.example.com",
        "what the load balancer's production listener answers on",
        problem=url_problem,
    ),
    Option(
        "probe_path",
        "text",
        "The page that the probe asks for.",
        "probe_path: /posts",
        "the path of `probe_url`, else `/`",
    ),
    Option(
        "probe_interval",
        "number",
        "Seconds from one request of the probe to the next.",
        "probe_interval: 0.5",
        "2",
        bounds=(0.05, 3600),
    ),
    Option(
        "probe_version",
        "text",
        "Where an answer says which version it is from: `header:NAME`, `json:a.b` (a place in its "
        "JSON) or `regex:PATTERN` (the pattern's first group).",
        "probe_version: 'regex:<h1>(.*?)</h1>'",
        f"`{PROBE_VERSION}`",
        problem=_version_problem,
    ),
    Option(
        "metric",
        "text",
        "One CloudWatch metric more that says whether the service does its work, as "
        "`Namespace/Metric?Dimension=value&statistic=Sum`. It stands with what a verdict rests on; "
        "for a service without a load balancer it is the best witness there is.",
        "metric: 'Shop/JobsDone?Queue=default&statistic=Sum'",
        "none",
        problem=_metric_problem,
    ),
    Option(
        "log_lines",
        "number",
        "How many log lines the console keeps; a hundred thousand take some 60 MB of memory.",
        "log_lines: 20000",
        "100000",
        bounds=(1000, 1_000_000),
    ),
    Option(
        "attention",
        "text",
        "How the console calls when a verdict turns bad, waits for you, or is good again: `bell` "
        "rings the terminal's bell, `notice` asks the terminal for a desktop notice (OSC 9), "
        "`both` does both, `off` neither.",
        "attention: bell",
        "both",
        problem=_attention_problem,
    ),
    Option(
        "keys",
        "keys",
        "Other keys for an action or an operation, by its id: one key or a list. One key has one "
        "meaning; an operation's key is a shifted letter whose lower-case twin stays unbound.",
        "keys: {service.rollback: Z, refresh: [ctrl+r, f5]}",
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
