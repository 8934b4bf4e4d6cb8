"""Profile, region and endpoint are found as the AWS CLI does; what is wrong is said at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import create_loader
from botocore.model import ServiceModel

from bgconsole.domain.errors import ConfigurationError, CredentialsProblem, NoCredentials
from bgconsole.domain.identity import Place
from bgconsole.gateway.aws.caller import has_browser, how_to_renew
from bgconsole.gateway.aws.endpoints import configured_endpoint, host_of
from bgconsole.gateway.aws.models import lean_loader
from bgconsole.gateway.aws.session import connect
from tests.loopback import Loopback

CONFIG = """
[default]
region = eu-west-1

[profile prod]
region = eu-central-1
sso_session = corp
sso_account_id = 123456789012
sso_role_name = ops

[profile local]
region = us-east-1
services = sandbox
aws_access_key_id = AKIALOCAL
aws_secret_access_key = x

[profile lost]
aws_access_key_id = AKIALOST
aws_secret_access_key = x

[profile mfa]
region = us-east-1
source_profile = local
role_arn = arn:aws:iam::123456789012:role/ops
mfa_serial = arn:aws:iam::123456789012:mfa/me

[sso-session corp]
sso_start_url = https://corp.example/start
sso_region = eu-central-1

[services sandbox]
ecs =
  endpoint_url = http://127.0.0.1:4567
"""


@pytest.fixture(autouse=True)
def config(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = nowhere / "aws-config"
    path.write_text(CONFIG)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(path))
    return path


def place(
    profile: str | None = None, region: str | None = None, endpoint_url: str | None = None
) -> Place:
    gateway = connect(profile=profile, region=region, endpoint_url=endpoint_url, environ=os.environ)
    return gateway.place


def test_a_flag_beats_the_environment_and_that_the_profile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert place() == Place("eu-west-1")
    assert place("prod") == Place("eu-central-1", "prod")
    monkeypatch.setenv("AWS_PROFILE", "prod")
    assert place() == Place("eu-central-1", "prod")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-south-1")
    assert place().region == "ap-south-1"
    monkeypatch.setenv("AWS_REGION", "us-west-2")
    assert place().region == "us-west-2"
    assert place(region="sa-east-1").region == "sa-east-1"


def test_keys_in_the_environment_beat_its_profile_and_not_a_named_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "prod")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    assert place().profile == ""
    assert place("prod").profile == "prod"


def test_an_unknown_profile_names_those_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    for named, variable in (("nope", None), (None, "nope")):
        if variable:
            monkeypatch.setenv("AWS_PROFILE", variable)
        with pytest.raises(ConfigurationError, match="No such profile") as caught:
            place(named)
        assert "nope" in caught.value.detail
        assert "default, local, lost, mfa, prod" in caught.value.hint


def test_no_region_says_how_to_give_one() -> None:
    with pytest.raises(ConfigurationError, match="No AWS region") as caught:
        place("lost")
    assert "--region" in caught.value.hint


@pytest.mark.parametrize("region", ["us east 1", "http://x", "-"])
def test_a_region_that_is_none(region: str) -> None:
    with pytest.raises(ConfigurationError):
        place(region=region)


def test_a_broken_file_is_named(config: Path) -> None:
    config.write_text("not = a [config")
    with pytest.raises(ConfigurationError, match="aws-config"):
        place()


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("", ""),
        ("http://127.0.0.1:4566", "127.0.0.1:4566"),
        ("http://localhost", "localhost:80"),
        ("https://aws.internal.example/", "aws.internal.example:443"),
        ("http://[::1]:4566", "[::1]:4566"),
        ("https://ecs.us-east-1.amazonaws.com", ""),
        ("https://vpce-1.ecs.us-east-1.vpce.amazonaws.com", ""),
        ("https://ecs.cn-north-1.amazonaws.com.cn", ""),
        ("https://ecs.us-east-1.api.aws", ""),
        ("https://amazonaws.com.evil.example", "amazonaws.com.evil.example:443"),
    ],
)
def test_only_an_endpoint_outside_of_aws_is_shown(url: str, host: str) -> None:
    assert host_of(url) == host


@pytest.mark.parametrize("url", ["127.0.0.1:4566", "ftp://x", "http://", "http://x:port"])
def test_an_endpoint_must_be_a_url(url: str) -> None:
    with pytest.raises(ConfigurationError, match="no URL"):
        place(endpoint_url=url)


def test_where_an_endpoint_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    assert place("local").endpoint == "127.0.0.1:4567"
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1111")
    assert place("local").endpoint == "127.0.0.1:1111"
    monkeypatch.setenv("AWS_ENDPOINT_URL_ECS", "http://127.0.0.1:2222")
    assert place("local").endpoint == "127.0.0.1:2222"
    assert place("local", endpoint_url="http://127.0.0.1:3333").endpoint == "127.0.0.1:3333"
    monkeypatch.setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
    assert place("local").endpoint == ""


def test_an_endpoint_of_the_whole_profile() -> None:
    settings = {"endpoint_url": "http://127.0.0.1:5"}
    assert configured_endpoint("elbv2", {}, settings, {}) == "http://127.0.0.1:5"
    environ = {"AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2": "http://127.0.0.1:6"}
    assert configured_endpoint("elbv2", environ, settings, {}) == "http://127.0.0.1:6"


def test_a_profile_signed_out_of_sso_names_the_command() -> None:
    gateway = connect(profile="prod", region=None, endpoint_url=None, environ=os.environ)
    with pytest.raises(CredentialsProblem) as caught:
        gateway.identities.whoami()
    assert caught.value.exit_code == 4
    assert caught.value.hint == "Run `aws sso login --profile prod --use-device-code`"


def test_a_profile_that_wants_an_mfa_code_does_not_ask_on_the_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def asked(prompt: str = "") -> str:
        raise AssertionError("asked on the terminal")

    monkeypatch.setattr("getpass.getpass", asked)
    gateway = connect(profile="mfa", region=None, endpoint_url=None, environ=os.environ)
    with pytest.raises(CredentialsProblem, match="MFA"):
        gateway.identities.whoami()


def test_a_profile_without_anything_has_looked_in_its_file(server: Loopback, config: Path) -> None:
    config.write_text("[profile empty]\nregion = us-east-1\n")
    gateway = connect(profile="empty", region=None, endpoint_url=server.url, environ=os.environ)
    with pytest.raises(NoCredentials) as caught:
        gateway.services.clusters()
    assert any("profile empty" in place for place in caught.value.tried)
    assert server.requests == []


@pytest.mark.parametrize(
    ("settings", "environ", "words"),
    [
        ({"sso_session": "x"}, {"DISPLAY": ":0"}, "Run `aws sso login --profile p`"),
        (
            {"sso_start_url": "x"},
            {"DISPLAY": ":0", "SSH_CONNECTION": "1"},
            "Run `aws sso login --profile p --use-device-code`",
        ),
        ({"login_session": "x"}, {}, "Run `aws login --profile p --remote`"),
        (
            {"mfa_serial": "x"},
            {},
            "Run `aws sts get-caller-identity --profile p` once and give the MFA code",
        ),
        (
            {"aws_access_key_id": "x"},
            {},
            "Put fresh keys into profile p with `aws configure --profile p`",
        ),
        (
            {},
            {},
            "Run `aws configure --profile p`, or try `bgconsole demo`, which needs no account",
        ),
    ],
)
def test_the_way_to_fresh_credentials_fits_the_profile(
    settings: dict[str, object], environ: dict[str, str], words: str
) -> None:
    assert how_to_renew("p", {"p": settings}, environ) == words


def test_an_environment_is_read_once_so_the_way_is_another_start() -> None:
    keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    assert how_to_renew("", {}, keys).startswith("Start bgconsole again with fresh AWS_… keys")


def test_a_role_is_renewed_where_it_comes_from() -> None:
    profiles = {"p": {"source_profile": "q"}, "q": {"source_profile": "corp"}, "corp": {}}
    profiles["corp"] = {"sso_session": "x"}
    assert how_to_renew("p", profiles, {"DISPLAY": ":0"}) == "Run `aws sso login --profile corp`"
    looped = {"p": {"source_profile": "q"}, "q": {"source_profile": "p", "sso_session": "x"}}
    assert how_to_renew("p", looped, {"DISPLAY": ":0"}) == "Run `aws sso login --profile q`"


def test_a_browser_needs_a_display_and_no_ssh() -> None:
    assert has_browser({"DISPLAY": ":0"})
    assert not has_browser({})
    assert not has_browser({"DISPLAY": ":0", "SSH_TTY": "/dev/pts/1"})


def test_connecting_imports_no_boto_before_it_is_called_and_sends_nothing() -> None:
    script = (
        "import sys, bgconsole.gateway.aws.session\n"
        "assert not [m for m in sys.modules if m.startswith(('boto', 'urllib3'))]\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def test_models_are_loaded_without_their_prose() -> None:
    plain, lean = create_loader(), lean_loader()
    for service in ("ecs", "cloudformation"):
        whole = plain.load_service_model(service, "service-2")
        found = lean.load_service_model(service, "service-2")
        text = json.dumps(found)
        assert '"documentation": "' not in text
        assert len(text) < 0.7 * len(json.dumps(whole))
        assert found == _without_prose(whole)


def test_what_botocore_reads_of_the_prose_is_left() -> None:
    model = ServiceModel(lean_loader().load_service_model("s3", "service-2"), "s3")
    assert [told.documentation for told in model.client_context_parameters] != []


def _without_prose(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _without_prose(inner)
            for key, inner in value.items()
            if not (key == "documentation" and isinstance(inner, str))
        }
    return [_without_prose(inner) for inner in value] if isinstance(value, list) else value
