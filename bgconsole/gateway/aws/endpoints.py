"""Which endpoint a service is called at, and whether it is AWS's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn
from urllib.parse import urlsplit

from bgconsole.domain.errors import ConfigurationError
from bgconsole.gateway.aws.clients import ServiceName

AWS_DOMAINS = ("amazonaws.com", "amazonaws.com.cn", "amazonaws.eu", "api.aws")
"""An endpoint outside of these is not AWS's own."""

SERVICE_IDS: dict[ServiceName, str] = {
    "application-autoscaling": "application_auto_scaling",
    "cloudformation": "cloudformation",
    "cloudwatch": "cloudwatch",
    "codedeploy": "codedeploy",
    "codepipeline": "codepipeline",
    "ecr": "ecr",
    "ecs": "ecs",
    "elbv2": "elastic_load_balancing_v2",
    "iam": "iam",
    "logs": "cloudwatch_logs",
    "s3": "s3",
    "secretsmanager": "secrets_manager",
    "ssm": "ssm",
    "sts": "sts",
}
"""How AWS_ENDPOINT_URL_<ID> and the `services` section of the configuration name a service."""


def configured_endpoint(
    service: ServiceName,
    environ: Mapping[str, str],
    settings: Mapping[str, Any],
    everything: Mapping[str, Any],
) -> str:
    """The URL that the environment or the configuration gives for a service, else empty.

    Strongest first: AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL, the profile's `services`
    section, the profile's endpoint_url (SDK reference: service-specific endpoints).
    """
    service_id = SERVICE_IDS[service]
    section = everything.get("services", {}).get(settings.get("services", ""), {})
    of_service = section.get(service_id, {}) if isinstance(section, Mapping) else {}
    in_section = of_service.get("endpoint_url") if isinstance(of_service, Mapping) else ""
    return str(
        environ.get(f"AWS_ENDPOINT_URL_{service_id.upper()}")
        or environ.get("AWS_ENDPOINT_URL")
        or in_section
        or settings.get("endpoint_url")
        or ""
    )


def host_of(url: str) -> str:
    """host:port of an endpoint that is not AWS's own, else empty.

    Raises:
        ConfigurationError: not an http or https URL.
    """
    if not url:
        return ""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        _refuse_endpoint(url)
    if parts.scheme not in ("http", "https") or not host:
        _refuse_endpoint(url)
    if any(host == domain or host.endswith(f".{domain}") for domain in AWS_DOMAINS):
        return ""
    shown = f"[{host}]" if ":" in host else host
    return f"{shown}:{port or (443 if parts.scheme == 'https' else 80)}"


def _refuse_endpoint(url: str) -> NoReturn:
    raise ConfigurationError(
        "The endpoint is no URL",
        f"{url} is not of the form http://host:port",
        "Give --endpoint-url or AWS_ENDPOINT_URL as http://127.0.0.1:4566",
    )
