"""Connect to one account and region, found as the AWS CLI finds them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bgconsole.domain.errors import ConfigurationError, CredentialsProblem, NoRegion
from bgconsole.domain.identity import Place
from bgconsole.gateway.aws.caller import Caller, has_keys, how_to_renew, where_looked
from bgconsole.gateway.aws.clients import Clients, ServiceName
from bgconsole.gateway.aws.endpoints import configured_endpoint, host_of
from bgconsole.gateway.aws.translate import translated
from bgconsole.gateway.port import Gateway
from bgconsole.late import LateObject, of_module

if TYPE_CHECKING:
    from botocore.loaders import Loader
    from botocore.session import Session


def connect(
    *,
    profile: str | None,
    region: str | None,
    endpoint_url: str | None,
    environ: Mapping[str, str],
    metric: str = "",
    clock: Callable[[], float] = time.monotonic,
    wait: Callable[[float], None] = time.sleep,
    docker_host: str = "",
) -> Gateway:
    """Every port to the account that the AWS CLI would use. Nothing is sent yet.

    A flag is stronger than the environment, and that than the shared configuration. Pass
    `os.environ`: botocore reads some variables itself. `clock` and `wait` pace the calls, in
    seconds. `docker_host` names a Docker engine; empty takes the Docker CLI's own.
    `metric` is one more to be read (`domain.metrics.OwnMetric`).

    Raises:
        ConfigurationError: no such profile, no region, an endpoint that is none, a broken file.
    """
    place, clients = _open(profile, region, endpoint_url, environ, clock, wait)

    def port(module: str, name: str, *given: object) -> Any:
        load = of_module(f"bgconsole.gateway.{module}", name)
        return LateObject(lambda: load()(*given))

    return Gateway(
        place=place,
        identities=port("aws.identity", "AwsIdentities", clients),
        services=port("aws.services", "AwsServices", clients),
        changes=port("aws.changes", "AwsChanges", clients),
        codedeploy=port("aws.codedeploy", "AwsCodeDeploy", clients),
        targets=port("aws.targets", "AwsTargets", clients),
        stacks=port("aws.stacks", "AwsStacks", clients),
        stack_changes=port("aws.stack_changes", "AwsStackChanges", clients),
        artifacts=port("aws.artifacts", "AwsArtifacts", clients),
        pipelines=port("aws.pipelines", "AwsPipelines", clients),
        images=port("aws.images", "AwsImages", clients),
        logs=port("aws.logs", "AwsLogs", clients),
        secrets=port("aws.secrets", "AwsSecrets", clients),
        metrics=port("aws.metrics", "AwsMetrics", clients, metric),
        activity=port("aws.activity", "AwsActivity", clients),
        docker=port("docker", "DockerEngine", environ, docker_host),
        meter=clients,
    )


def profiles() -> tuple[str, ...]:
    """The profiles of the shared configuration, sorted."""
    import botocore.session

    with translated("the AWS configuration"):
        return tuple(sorted(botocore.session.Session().available_profiles))


def regions() -> tuple[str, ...]:
    """The regions that ECS is in, sorted, as far as the installed SDK knows."""
    import botocore.session

    return tuple(sorted(botocore.session.Session().get_available_regions("ecs")))


def _open(
    profile: str | None,
    region: str | None,
    endpoint_url: str | None,
    environ: Mapping[str, str],
    clock: Callable[[], float],
    wait: Callable[[float], None],
) -> tuple[Place, Clients]:
    from bgconsole.gateway.aws.models import lean_loader

    loader = lean_loader()
    with translated("the AWS configuration"):
        session = _new_session(profile, loader)
        settings = _settings(session)
        found = _region(session, region, environ)
        everything: Mapping[str, Any] = session.full_config
        ignored = str(session.get_config_variable("ignore_configured_endpoint_urls")).lower()
    explicit = endpoint_url or ""

    def endpoint_of(service: ServiceName) -> str:
        if explicit or ignored == "true":
            return host_of(explicit)
        return host_of(configured_endpoint(service, environ, settings, everything))

    by_keys = has_keys(environ) and not profile
    named = "" if by_keys else (session.profile or "")
    place = Place(region=found, profile=named, endpoint=endpoint_of("ecs"))
    files = tuple(
        environ.get(name) or usual
        for name, usual in (
            ("AWS_CONFIG_FILE", "~/.aws/config"),
            ("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"),
        )
    )
    caller = Caller(
        profile=named,
        region=found,
        endpoint=place.endpoint,
        renew=how_to_renew(named, everything.get("profiles", {}), environ),
        tried=where_looked(named, files, environ),
    )
    clients = Clients(
        region=found,
        caller=caller,
        new_session=lambda: _new_session(profile, loader),
        session=session,
        endpoint_url=explicit,
        endpoint_of=endpoint_of,
        clock=clock,
        wait=wait,
    )
    return place, clients


def _new_session(profile: str | None, loader: Loader) -> Session:
    """A session that shares the loaded models, waits little for metadata, and asks nothing."""
    import botocore.session
    from botocore.utils import JSONFileCache

    session = botocore.session.Session(profile=profile or None)
    session.register_component("data_loader", loader)
    session.set_config_variable("metadata_service_timeout", 1)
    session.set_config_variable("metadata_service_num_attempts", 1)
    try:
        chain = session.get_component("credential_provider")
    except Exception as error:  # botocore's ProfileNotFound, without importing it early
        _explain_profile(session, error)
        raise
    # The CLI keeps role sessions here: one MFA code given to it serves us too.
    cache = JSONFileCache(str(Path("~/.aws/cli/cache").expanduser()))
    for name in ("assume-role", "assume-role-with-web-identity"):
        provider = chain.get_provider(name)
        provider.cache = cache
        if hasattr(provider, "_prompter"):
            # botocore would ask on the terminal, which may belong to a screen just now.
            provider._prompter = _no_prompt
    return session


def _no_prompt(_: str) -> str:
    raise CredentialsProblem(
        "The profile wants an MFA code",
        "bgconsole does not ask for one",
        "Run `aws sts get-caller-identity` with this profile once; its session is used then",
    )


def _settings(session: Session) -> Mapping[str, Any]:
    try:
        return session.get_scoped_config()
    except Exception as error:  # botocore's ProfileNotFound, without importing it early
        _explain_profile(session, error)
        raise


def _explain_profile(session: Session, error: Exception) -> None:
    from botocore.exceptions import ProfileNotFound

    if isinstance(error, ProfileNotFound):
        there = ", ".join(sorted(session.available_profiles)) or "none"
        raise ConfigurationError(
            "No such profile",
            f"{session.profile} is not in the AWS configuration",
            f"Profiles there are: {there}",
        ) from None


def _region(session: Session, flag: str | None, environ: Mapping[str, str]) -> str:
    from botocore.utils import validate_region_name

    region = (
        flag
        or environ.get("AWS_REGION")
        or environ.get("AWS_DEFAULT_REGION")
        or session.get_config_variable("region")
    )
    if not region:
        raise NoRegion(
            "No AWS region",
            "no --region, AWS_REGION, AWS_DEFAULT_REGION, or region in the profile",
            "Give --region, or run `aws configure set region us-east-1`",
        )
    validate_region_name(region)
    return str(region)
