"""Settings: four places, later beats earlier, and every mistake told with its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bgconsole.config.document import document
from bgconsole.config.options import OPTIONS
from bgconsole.config.paths import Paths, paths
from bgconsole.config.settings import Settings, load
from bgconsole.domain.errors import ConfigurationError
from bgconsole.domain.overview import Area
from bgconsole.domain.services import ServiceRef

ROOT = Path(__file__).parents[3]
REF = ServiceRef("c", "s")


@pytest.fixture
def files(tmp_path: Path) -> Paths:
    return Paths(tmp_path / "config.yml", tmp_path / "bgconsole.yml", tmp_path / "state")


def settings(
    files: Paths,
    user: str = "",
    project: str = "",
    environ: dict[str, str] | None = None,
    **flags: Any,
) -> Settings:
    for file, text in ((files.config, user), (files.project, project)):
        if text:
            file.write_text(text, encoding="utf-8")
    return load(flags, environ or {}, files)


def wrong(files: Paths, *args: Any, **kwargs: Any) -> str:
    with pytest.raises(ConfigurationError) as caught:
        settings(files, *args, **kwargs)
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_nothing_is_needed(files: Paths) -> None:
    assert settings(files) == Settings(origins={})


def test_later_beats_earlier(files: Paths) -> None:
    steps: list[dict[str, Any]] = [
        {"user": "region: from-user"},
        {"project": "region: from-project"},
        {"environ": {"BGCONSOLE_REGION": "from-variable"}},
        {"region": "from-flag"},
    ]
    given: dict[str, Any] = {}
    for step, expected in zip(
        steps, ("from-user", "from-project", "from-variable", "from-flag"), strict=True
    ):
        given |= step
        assert settings(files, **given).region == expected
    assert settings(files, **given).origins["region"] == "flag --region"


def test_a_profile_beats_both_files_and_not_the_flags(files: Paths) -> None:
    user = "read_only: false\nprofiles:\n  prod: {read_only: true, region: eu-west-1}\n"
    project = "read_only: false\nregion: us-east-1\n"
    prod = settings(files, user, project, profile="prod")
    assert (prod.read_only, prod.region) == (True, "eu-west-1")
    assert settings(files, user, project, profile="other").read_only is False
    assert settings(files, user, project, environ={"AWS_PROFILE": "prod"}).read_only is True
    assert settings(files, user, project, profile="prod", region="flag").region == "flag"


def test_mappings_are_joined(files: Paths) -> None:
    found = settings(
        files,
        "risk: {service.rollback: disruptive, service.force-redeploy: safe}\n",
        "risk: {service.force-redeploy: dangerous}\n",
        {"BGCONSOLE_KEYS": "refresh=f5"},
    )
    assert found.risk == {"service.rollback": "disruptive", "service.force-redeploy": "dangerous"}
    assert found.keymap["refresh"].keys == ("f5",)


def test_services_outside_the_patterns_are_read_only(files: Paths) -> None:
    found = settings(files, "operate: ['demo*/*', 'c/web-?']\n")
    assert found.why_read_only(ServiceRef("democluster", "x")) == ""
    assert found.why_read_only(ServiceRef("c", "web-1")) == ""
    assert "outside `operate`" in found.why_read_only(REF)
    assert "config.yml:1:10" in found.why_read_only(REF)
    assert settings(files, "{}", read_only=True).why_read_only(REF).startswith("This console is")


def test_what_is_deployed_through_is_given_to_deploy_and_roll_back(files: Paths) -> None:
    found = settings(files, "deploy_through: stack\nstack_image_parameter: WebImage\n")
    for operation in ("service.deploy", "service.rollback"):
        params = found.params[operation]
        assert (params["through"], params["image-parameter"]) == ("stack", "WebImage")
    assert "through" not in settings(files, "{}").params["service.rollback"]
    prod = "profiles:\n  prod: {deploy_through: stack}\n"
    assert settings(files, prod, profile="prod").deploy_through == "stack"
    assert "neither service nor stack" in wrong(files, "deploy_through: stacks\n")
    assert "no name of a parameter" in wrong(files, "stack_image_parameter: Web-Image\n")


def test_a_stack_is_operated_where_a_pattern_names_it(files: Paths) -> None:
    found = settings(files, "operate: ['demo*/*', 'stack:demo*']\n")
    assert found.why_no_stacks(("demodb", "democluster")) == ""
    told = found.why_no_stacks(("demodb", "prod"))
    assert "stack:prod is outside `operate`" in told and "'stack:prod'" in told
    assert "demodb" not in told
    assert "stack:*" in found.why_no_stacks(()), "all of them are more than these"
    assert settings(files, "{}").why_no_stacks(("any",)) == ""
    assert settings(files, "{}", read_only=True).why_no_stacks(("any",)).startswith("This console")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("regoin: x\n", "config.yml:1:1: unknown setting 'regoin'. Did you mean 'region'?"),
        ("region: x\nregion: y\n", "config.yml:2:1: region stands here twice"),
        ("region:\tx\n\tcluster: y\n", "a tab stands where YAML wants spaces"),
        ("region: 12\n", "config.yml:1:9: region must be text, and is '12' (a number)"),
        ("region:\n", "region must be text, and is nothing"),
        ("region: [a]\n", "region must be text, and is a list"),
        ("read_only: maybe\n", "read_only must be true or false, and is 'maybe' (text)"),
        ("read_only: 'true'\n", "read_only must be true or false"),
        ("operate: a/*\n", "operate must be a list"),
        ("probe_interval: often\n", "probe_interval must be a number, and is 'often' (text)"),
        ("probe_interval: 1:30\n", "probe_interval must be a number"),
        ("probe_interval: .nan\n", "probe_interval must be a number"),
        ("probe_interval: 0\n", "probe_interval must be from 0.05 to 3600, and is 0"),
        ("probe_url: shop.example\n", "does not begin with http:// or https://"),
        ("probe_url: 'http://[1/'\n", "probe_url: "),
        ("probe_version: X-Revision\n", "is neither header:NAME nor json:a.b nor regex:PATTERN"),
        ("probe_version: 'regex:<h1>('\n", "the pattern '<h1>(' is wrong"),
        ("- a\n- b\n", "the file must be a mapping (name: value), and is a list"),
        ("just words\n", "the file must be a mapping"),
        ("risk: {service.rolback: safe}\n", "Did you mean 'service.rollback'?"),
        (
            "risk: {service.rollback: dangerus}\n",
            "1:26: 'dangerus' is no risk. Did you mean 'dangerous'?",
        ),
        ("keys: {refresh: slash}\n", "'/' is both filter and refresh"),
        ("keys: {refresh: []}\n", "refresh needs a key"),
        ("keys: {nothing: f5}\n", "unknown action 'nothing'"),
        ("profiles: {prod: {keys: {refresh: f5}}}\n", "keys cannot stand under a profile"),
        ("profiles: {prod: {regoin: x}}\n", "config.yml:1:19: unknown setting 'regoin'"),
        ("profiles:\n", "profiles must be a mapping (name: value), and is nothing"),
        ("a: [b\n", "config.yml:2:1"),
        ("--- {}\n--- {}\n", "config.yml:2:1"),
        ("region: !!python/name:os.system x\n", "of the unknown kind"),
        ("region: \x00\n", "config.yml"),
    ],
)
def test_mistakes_are_told_with_their_place(files: Paths, text: str, part: str) -> None:
    message = wrong(files, text)
    assert part in message
    assert str(files.config) in message


def test_a_file_that_cannot_be_read(files: Paths) -> None:
    files.config.mkdir()
    assert "Is a directory" in wrong(files)


def test_a_file_that_is_no_text(files: Paths) -> None:
    files.config.write_bytes(b"region: \xff\xfe")
    assert "not UTF-8 text (byte 9)" in wrong(files)


@pytest.mark.parametrize("text", ["", "\n", "# only words\n", "---\n"])
def test_an_empty_file_says_nothing(files: Paths, text: str) -> None:
    files.config.write_text(text)
    assert settings(files) == Settings(origins={})


def test_a_project_cannot_send_requests_elsewhere(files: Paths) -> None:
    message = wrong(files, project="endpoint_url: http://evil.example\n")
    assert "endpoint_url cannot stand in a project's file" in message
    files.project.unlink()
    assert settings(files, "endpoint_url: http://127.0.0.1:1\n").endpoint_url


@pytest.mark.parametrize(
    ("variable", "text", "part"),
    [
        ("BGCONSOLE_READ_ONLY", "perhaps", "neither true nor false"),
        ("BGCONSOLE_READONLY", "1", "Did you mean BGCONSOLE_READ_ONLY?"),
        ("BGCONSOLE_RISK", "service.rollback", "has no value"),
        ("BGCONSOLE_RISK", "service.rollback=x", "'x' is no risk"),
        ("BGCONSOLE_KEYS", "service.rollback=b", "must be a shifted letter"),
        ("BGCONSOLE_PROBE_INTERVAL", "fast", "'fast' is no number"),
        ("BGCONSOLE_PROBE_INTERVAL", "nan", "must be from 0.05 to 3600"),
        ("BGCONSOLE_PROBE_VERSION", "h1", "is neither"),
    ],
)
def test_variables_are_checked(files: Paths, variable: str, text: str, part: str) -> None:
    message = wrong(files, environ={variable: text})
    assert part in message
    assert variable in message


@pytest.mark.parametrize(("text", "value"), [("1", True), ("YES", True), ("off", False)])
def test_yes_and_no_in_variables(files: Paths, text: str, value: bool) -> None:
    assert settings(files, environ={"BGCONSOLE_READ_ONLY": text}).read_only is value


def test_the_probe_is_set_by_profile(files: Paths) -> None:
    text = "probe_interval: 0.5\nprofiles:\n  prod: {probe: off}\n"
    found = settings(files, text, environ={"BGCONSOLE_PROBE_PATH": "/posts"}, profile="prod")
    assert (found.probe, found.probe_interval, found.probe_path) == (False, 0.5, "/posts")
    assert settings(files, text).probe is True


def test_control_sequences_in_a_file_do_not_reach_the_screen(files: Paths) -> None:
    message = wrong(files, 'risk: {"service.\\e[31mx": safe}\n')
    assert "\x1b" not in message


def test_every_setting_is_documented() -> None:
    page = document()
    for option in OPTIONS.values():
        assert option.help
        assert f"### `{option.name}`" in page
        assert option.variable in page


def test_every_example_is_right(files: Paths) -> None:
    for option in OPTIONS.values():
        found = settings(files, option.example + "\n")
        assert getattr(found, option.name) != getattr(Settings(), option.name), option.name


def test_the_documentation_is_current() -> None:
    assert (ROOT / "docs" / "configuration.md").read_text("utf-8") == document(), (
        "run: python -m bgconsole.config.document > docs/configuration.md"
    )


def test_the_paths_are_xdgs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "c"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "s"))
    found = paths()
    assert found.config == tmp_path / "c" / "bgconsole" / "config.yml"
    assert found.project == tmp_path / "bgconsole.yml"
    assert found.audit == tmp_path / "s" / "bgconsole" / "audit.jsonl"


def test_clusters_are_of_the_home_region_unless_they_name_one(files: Paths) -> None:
    text = "clusters: [shop, eu-west-1/workers, us-east-1/shop]"
    found = settings(files, text).areas("us-east-1")
    assert found == (Area("us-east-1", "shop"), Area("eu-west-1", "workers"))
    assert settings(files).areas("us-east-1") == (Area("us-east-1", "shop"), found[1])
    variable = settings(files, environ={"BGCONSOLE_CLUSTERS": "a, eu-west-1/b"})
    assert variable.areas("x") == (Area("x", "a"), Area("eu-west-1", "b"))


@pytest.mark.parametrize("entry", ["a/b", "eu-west-1/", "a b", "arn:aws:ecs:x", "eu-west-1/a/b"])
def test_what_is_no_cluster_is_told_with_its_place(files: Paths, entry: str) -> None:
    assert "config.yml:1:12: clusters: " in wrong(files, f"clusters: ['{entry}']")
    told = wrong(files, "theme: x", environ={"BGCONSOLE_CLUSTERS": entry})
    assert "BGCONSOLE_CLUSTERS" in told
