"""The settings: user's file, project's file, environment, flags; later beats earlier.

What stands under the chosen profile is more exact, so it beats what stands at the top of either
file; the environment and flags beat both. Everything is checked when it is read: an error names
file, line and column, or the variable.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from bgconsole.config.keymap import KEYMAP, Keymap, key_name
from bgconsole.config.options import LEVELS, OPTIONS, Option
from bgconsole.domain.errors import ConfigurationError
from bgconsole.domain.plain import plain
from bgconsole.domain.probe_version import DEFAULT as PROBE_VERSION

if TYPE_CHECKING:
    from pathlib import Path

    from bgconsole.config.paths import Paths
    from bgconsole.config.yaml_file import Item
    from bgconsole.domain.overview import Area
    from bgconsole.domain.services import ServiceRef

_NOTHING: Mapping[str, Any] = MappingProxyType({})
_YES = {"1": True, "true": True, "yes": True, "on": True}
_NO = {"0": False, "false": False, "no": False, "off": False}


@dataclass(frozen=True, slots=True)
class Settings:
    """What was said, all of it checked. Empty where nothing was."""

    profile: str = ""
    region: str = ""
    endpoint_url: str = ""
    cluster: str = ""
    service: str = ""
    clusters: tuple[str, ...] = ()
    """Each as `cluster` or `region/cluster`."""
    read_only: bool = False
    operate: tuple[str, ...] = ()
    risk: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    """`safe`, `disruptive` or `dangerous` by operation id."""
    build_context: str = ""
    dockerfile: str = ""
    build_args: tuple[str, ...] = ()
    """Each `NAME=VALUE`."""
    image_repository: str = ""
    tag_latest: bool = False
    docker_host: str = ""
    artifact_bucket: str = ""
    migrate: bool = False
    migrate_command: str = ""
    migrate_task_definition: str = ""
    migrate_container: str = ""
    deploy_through: str = ""
    """`service` or `stack`."""
    stack_image_parameter: str = ""
    probe: bool = True
    probe_url: str = ""
    probe_path: str = ""
    probe_interval: float = 2.0
    """Seconds."""
    probe_version: str = PROBE_VERSION
    """As `domain.probe_version.version_rule` reads it."""
    metric: str = ""
    """As `domain.metrics.OwnMetric` reads it."""
    log_lines: float = 100_000
    """Lines that the logs pane keeps."""
    attention: str = "both"
    """`bell`, `notice`, `both` or `off`."""
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: _NOTHING)
    """Textual's names of keys by action or operation id."""
    theme: str = ""
    origins: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    """Where each setting was said: a flag, a variable, a file's line."""

    @property
    def keymap(self) -> Keymap:
        """The table of keys with the wishes in it."""
        return KEYMAP.changed(self.keys)

    @property
    def params(self) -> Mapping[str, Mapping[str, str]]:
        """What the settings give to operations, by operation id and parameter; empty left out."""
        migration = {
            "command": self.migrate_command,
            "task-definition": self.migrate_task_definition,
            "container": self.migrate_container,
        }
        image = {
            "context": self.build_context,
            "dockerfile": self.dockerfile,
            "build-args": ",".join(self.build_args),
            "repository": self.image_repository,
            "latest": "yes" if self.tag_latest else "",
        }
        stack = {
            "through": self.deploy_through,
            "image-parameter": self.stack_image_parameter,
        }
        deploy = {
            **image,
            **stack,
            "migrate": "yes" if self.migrate else "",
            "command": self.migrate_command,
            "task-definition": self.migrate_task_definition,
            "migrate-container": self.migrate_container,
        }
        stacks = {"artifact-bucket": self.artifact_bucket}
        given = {
            "image.build": image,
            "service.migrate": migration,
            "service.deploy": deploy,
            "stacks.up": stacks,
            "stacks.down": stacks,
            "service.rollback": stack,
        }
        return {
            operation: {name: value for name, value in params.items() if value}
            for operation, params in given.items()
        }

    def areas(self, home: str) -> tuple[Area, ...]:
        """The clusters that are named; one without its region is of the region `home`."""
        from bgconsole.domain.overview import Area

        parts = (entry.rpartition("/") for entry in self.clusters)
        return tuple(dict.fromkeys(Area(region or home, name) for region, _, name in parts))

    def why_read_only(self, ref: ServiceRef) -> str:
        """Why a service may only be looked at, in words; empty where it may be operated."""
        if self.read_only:
            return self._read_only
        if self.operate and not any(fnmatchcase(str(ref), pattern) for pattern in self.operate):
            return f"{ref} is outside `operate` ({self.origins.get('operate', 'as set')})."
        return ""

    def why_no_stacks(self, names: tuple[str, ...]) -> str:
        """Why stacks may only be looked at, in words; empty where they may be changed.

        Without names it is about every stack there is or may come to be.
        """
        if self.read_only:
            return self._read_only
        words = [f"stack:{name}" for name in names or ("*",)]
        outside = [w for w in words if not any(fnmatchcase(w, p) for p in self.operate)]
        if not self.operate or not outside:
            return ""
        origin = self.origins.get("operate", "as set")
        return (
            f"{', '.join(outside)} is outside `operate` ({origin}). To change it from here, add "
            f"a pattern there: {', '.join(repr(word) for word in outside)}."
        )

    @property
    def _read_only(self) -> str:
        return f"This console is read-only ({self.origins.get('read_only', 'as set')})."


def load(flags: Mapping[str, Any], environ: Mapping[str, str], paths: Paths) -> Settings:
    """Read everything once.

    Args:
        flags: settings given on the command line, by option name; None and False are not given.
        environ: the environment.
        paths: where the files are.

    Raises:
        ConfigurationError: something in it is wrong.
    """
    files = [
        _File.read(item, of_project=of_project)
        for file, of_project in ((paths.config, False), (paths.project, True))
        if (item := _read(file)) is not None
    ]
    variables = _environment(environ)
    given = {
        name: (value, f"flag {OPTIONS[name].flag}")
        for name, value in flags.items()
        if value is not None and value is not False and value != ""
    }
    layers = [file.top for file in files]
    outer = [variables, given]
    profile = str(_merged([*layers, *outer]).get("profile", ("", ""))[0])
    profile_used = profile or environ.get("AWS_PROFILE") or environ.get("AWS_DEFAULT_PROFILE")
    sections = [file.profiles.get(profile_used or "default", {}) for file in files]
    merged = _merged([*layers, *sections, *outer])
    settings = Settings(
        **{name: value for name, (value, _) in merged.items()},
        origins=MappingProxyType({name: origin for name, (_, origin) in merged.items()}),
    )
    if clashes := settings.keymap.clashes():
        origin = settings.origins.get("keys", "")
        raise ConfigurationError("The configuration is wrong", f"{origin}: {clashes[0]}")
    return settings


def _read(file: Path) -> Item | None:
    """A settings file; None where there is none, which is known without loading a parser."""
    try:
        file.stat()
    except FileNotFoundError:
        return None
    except OSError:
        pass  # the parser's module tells of it
    from bgconsole.config.yaml_file import read_yaml

    return read_yaml(file)


Layer = dict[str, tuple[Any, str]]
"""Values by option name, each with where it was said."""


@dataclass(frozen=True, slots=True)
class _File:
    top: Layer
    profiles: Mapping[str, Layer]

    @classmethod
    def read(cls, item: Item, *, of_project: bool) -> _File:
        top: Layer = {}
        profiles: dict[str, Layer] = {}
        for name, key, value in item.entries("the file"):
            if name == "profiles":
                for profile, _, section in value.entries("profiles"):
                    entries = section.entries(f"profile {plain(profile)}")
                    profiles[profile] = dict(
                        _setting(n, k, v, of_project=of_project, of_profile=True)
                        for n, k, v in entries
                    )
            else:
                top.update([_setting(name, key, value, of_project=of_project, of_profile=False)])
        return cls(top, profiles)


def _setting(
    name: str, key: Item, value: Item, *, of_project: bool, of_profile: bool
) -> tuple[str, tuple[Any, str]]:
    option = OPTIONS.get(name)
    if option is None:
        known = [n for n, o in OPTIONS.items() if o.of_profile or not of_profile]
        raise key.wrong(f"unknown setting {plain(name)!r}", _meant(name, [*known, "profiles"]))
    if of_profile and not option.of_profile:
        raise key.wrong(f"{name} cannot stand under a profile", "Put it at the top of the file")
    if of_project and not option.of_project:
        raise key.wrong(
            f"{name} cannot stand in a project's file",
            f"Use your own file, {option.flag} or {option.variable}",
        )
    return name, (_value(option, value), value.place)


def _value(option: Option, item: Item) -> Any:
    name = option.name
    if option.kind == "text":
        text = item.text(name)
        if problem := option.problem(text):
            raise item.wrong(f"{name}: {problem}")
        return text
    if option.kind == "number":
        number = item.number(name)
        if problem := _out_of_bounds(option, number):
            raise item.wrong(f"{name} {problem}")
        return number
    if option.kind == "yes or no":
        return item.yes(name)
    if option.kind == "list":
        return tuple(_entry(option, entry) for entry in item.items(name))
    if option.kind == "risks":
        return {
            operation: _level(operation, value.text(f"risk of {plain(operation)}"), key, value)
            for operation, key, value in item.entries(name)
        }
    return {action: _keys(action, key, value) for action, key, value in item.entries(name)}


def _entry(option: Option, item: Item) -> str:
    text = item.text(f"an entry of {option.name}")
    if problem := option.problem(text):
        raise item.wrong(f"{option.name}: {problem}")
    return text


def _level(operation: str, level: str, key: Item, value: Item) -> str:
    if problem := _no_operation(operation):
        raise key.wrong(*problem)
    if level not in LEVELS:
        raise value.wrong(f"{plain(level)!r} is no risk", _meant(level, LEVELS))
    return level


def _keys(action: str, key: Item, value: Item) -> tuple[str, ...]:
    one_or_more = value.items(action) if value.kind == "a list" else (value,)
    wanted = tuple(key_name(entry.text(f"the key of {plain(action)}")) for entry in one_or_more)
    if not wanted:
        raise value.wrong(f"{plain(action)} needs a key")
    if problem := KEYMAP.problem(action, wanted):
        raise (key if action not in KEYMAP else value).wrong(problem)
    return wanted


def _no_operation(operation: str) -> tuple[str, str] | None:
    known = [key.id for key in KEYMAP.values() if key.kind == "write"]
    if operation in known:
        return None
    return f"unknown operation {plain(operation)!r}", _meant(operation, known)


def _environment(environ: Mapping[str, str]) -> Layer:
    layer: Layer = {}
    variables = {option.variable: option for option in OPTIONS.values()}
    for variable, text in environ.items():
        if not variable.startswith("BGCONSOLE_") or not text:
            continue
        option = variables.get(variable)
        if option is None:
            if near := get_close_matches(variable, variables, n=1, cutoff=0.85):
                raise _wrong_variable(variable, "no such setting", f"Did you mean {near[0]}?")
            continue
        layer[option.name] = (_from_text(option, variable, text), f"variable {variable}")
    return layer


def _from_text(option: Option, variable: str, text: str) -> Any:
    if option.kind == "text":
        return _text(option, variable, text)
    if option.kind == "number":
        return _number(option, variable, text)
    if option.kind == "yes or no":
        found = {**_YES, **_NO}.get(text.lower())
        if found is None:
            raise _wrong_variable(variable, f"{plain(text)!r} is neither true nor false")
        return found
    entries = [entry.strip() for entry in text.split(",") if entry.strip()]
    if option.kind == "list":
        return tuple(_text(option, variable, entry) for entry in entries)
    pairs = [entry.partition("=") for entry in entries]
    for name, sign, value in pairs:
        if not sign:
            raise _wrong_variable(variable, f"{plain(name)!r} has no value", "Write id=value")
        problem: tuple[str, str] | None
        if option.kind == "risks":
            problem = _no_operation(name)
            if problem is None and value not in LEVELS:
                problem = (f"{plain(value)!r} is no risk", _meant(value, LEVELS))
        else:
            words = KEYMAP.problem(name, (key_name(value),))
            problem = (words, "") if words else None
        if problem:
            raise _wrong_variable(variable, *problem)
    if option.kind == "risks":
        return {name: value for name, _, value in pairs}
    return {name: (key_name(value),) for name, _, value in pairs}


def _text(option: Option, variable: str, text: str) -> str:
    if problem := option.problem(text):
        raise _wrong_variable(variable, problem)
    return text


def _number(option: Option, variable: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise _wrong_variable(variable, f"{plain(text)!r} is no number") from None
    if problem := _out_of_bounds(option, number):
        raise _wrong_variable(variable, problem)
    return number


def _out_of_bounds(option: Option, number: float) -> str:
    least, most = option.bounds
    # A comparison that fails for "not a number", too.
    return "" if least <= number <= most else f"must be from {least:g} to {most:g}, and is {number}"


def _wrong_variable(variable: str, problem: str, hint: str = "") -> ConfigurationError:
    return ConfigurationError("The configuration is wrong", f"{variable}: {problem}", hint)


def _meant(word: str, known: list[str] | tuple[str, ...]) -> str:
    near = get_close_matches(word, known, n=1)
    return f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(known)}"


def _merged(layers: list[Layer]) -> Layer:
    """Later layers win; mappings are joined entry by entry."""
    merged: Layer = {}
    for layer in layers:
        for name, (value, origin) in layer.items():
            before = merged.get(name)
            joined = {**before[0], **value} if before and isinstance(value, dict) else value
            merged[name] = (joined, origin)
    return merged
