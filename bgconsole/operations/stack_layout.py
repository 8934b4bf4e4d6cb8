"""Which stacks come up in which order, and what their parameters are, as far as that is known."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

from bgconsole.domain.errors import AccessDenied, ConfigurationError
from bgconsole.domain.snapshot import Snapshot
from bgconsole.domain.stack_states import way_back
from bgconsole.domain.stacks import Stack
from bgconsole.gateway.port import NO_TAGS, Artifacts
from bgconsole.operations.spec import Params, items_in
from bgconsole.operations.stack_conditions import Values, with_defaults
from bgconsole.operations.stack_package import PARAMETER, Package, bucket_of, packaged, prefix_of
from bgconsole.operations.stack_templates import Feed, Template

SECRET = "secret-"  # noqa: S105 - a prefix
"""Begins the names of parameters that were asked for."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line and its files say."""

    stacks: tuple[str, ...]
    values: Mapping[str, str]
    """Given by name; they win over all else."""
    shared: Mapping[str, str]
    """Of a parameter file; only templates that know them take them."""
    secrets: Mapping[str, str]
    tags: Mapping[str, str] = field(default_factory=lambda: NO_TAGS)
    """Of the folder's `parameters/tags.json`."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One stack's turn."""

    template: Template
    present: Stack | None
    """None where it is not there, or only a draft of it is."""
    values: Mapping[str, str]
    keep: tuple[str, ...]
    """Parameters that keep the value the stack has."""
    waits: Mapping[str, Feed]
    """Parameters whose value a stack of this run has yet to give."""
    lacks: tuple[str, ...]
    """Parameters without any value."""
    behind: tuple[str, ...] = ()
    """Stacks of this run that have yet to export what it imports."""
    package: Package | None = None
    """What it nests, where it nests anything; its template names the addresses then."""
    nests: bool = False
    """Whether what it nests is drafted with it."""
    tags: Mapping[str, str] = field(default_factory=lambda: NO_TAGS)
    """What the stack is tagged with; nothing leaves what it has."""

    @property
    def stack(self) -> str:
        """The stack's name."""
        return self.template.stack

    @property
    def creates(self) -> bool:
        """Whether the stack is made anew."""
        return self.present is None or way_back(self.present.status).recreate

    @property
    def known(self) -> Values:
        """The values of its template's parameters, as far as they are known."""
        old = dict(self.present.parameters) if self.present else {}
        kept = {name: old.get(name) for name in self.keep}
        return with_defaults(
            self.template.tree, {**dict.fromkeys(self.waits), **kept, **self.values}
        )

    @property
    def secrets(self) -> tuple[str, ...]:
        """Those of `lacks` that are secret."""
        return tuple(name for name in self.lacks if self.template.parameters[name].secret)

    @property
    def draft_name(self) -> str:
        """The same for the same template and values, so that a draft is found again."""
        parts = [self.template.body, dict(self.values), self.keep, dict(self.tags)]
        told = json.dumps(parts, sort_keys=True)
        return f"bgconsole-{sha256(told.encode()).hexdigest()[:16]}"


def wishes(params: Params, folder: Path) -> Wishes:
    """Read the words and files of the command line.

    Raises:
        ConfigurationError: a file cannot be read.
    """
    words = items_in(params)
    shared: dict[str, str] = {}
    if name := params.get("parameters", ""):
        shared |= _file(folder / "parameters" / f"{name}.json")
    if file := params.get("parameter-file", ""):
        shared |= _file(Path(file))
    return Wishes(
        stacks=tuple(word for word in words if "=" not in word),
        values=dict(word.split("=", 1) for word in words if "=" in word),
        shared=shared,
        secrets={
            name.removeprefix(SECRET): value
            for name, value in params.items()
            if name.startswith(SECRET)
        },
        tags=_file(tags) if (tags := folder / "parameters" / "tags.json").exists() else NO_TAGS,
    )


def turns(
    templates: Iterable[Template], present: Mapping[str, Stack], wished: Wishes
) -> tuple[Turn, ...]:
    """Each stack's turn, in the templates' order."""
    templates = tuple(templates)
    coming = {
        t.stack
        for t in templates
        if (stack := _there(present.get(t.stack))) is None
        or stack.moving
        or way_back(stack.status).recreate
    }
    return tuple(_turn(template, present, coming, wished) for template in templates)


def with_package(
    turn: Turn, folder: Path, wished: str, snapshot: Snapshot, artifacts: Artifacts
) -> Turn:
    """The turn with what its template nests packaged; only reads.

    Raises:
        ConfigurationError: a nested file is not there, or it is not known whose account this is.
        GatewayError: the bucket cannot be looked at; it may be another account's.
    """
    template = turn.template
    if not template.nested:
        return turn
    old = dict(turn.present.parameters) if turn.present else {}
    name = turn.values.get(PARAMETER) or wished or old.get(PARAMETER, "")
    bucket = bucket_of(name, snapshot.identity.value, snapshot.place)
    try:
        held = artifacts.look(bucket, prefix_of(template.stack))
    except AccessDenied as error:
        words = f"If the bucket {bucket.name} is another account's, name another: --artifact-bucket"
        raise AccessDenied(
            error.title,
            error.detail,
            f"{error.hint}. {words}" if error.hint else words,
            action=error.action,
            request_id=error.request_id,
        ) from None
    values, keep = dict(turn.values), turn.keep
    if PARAMETER in template.parameters:
        values[PARAMETER] = bucket.name
        keep = tuple(name for name in keep if name != PARAMETER)
    turn = replace(turn, values=values, keep=keep)
    written, package = packaged(folder, template, held, artifacts.url, turn.known)
    return replace(turn, template=written, package=package)


def _turn(
    template: Template, present: Mapping[str, Stack], coming: set[str], wished: Wishes
) -> Turn:
    stack = _there(present.get(template.stack))
    old = dict(stack.parameters) if stack and not way_back(stack.status).recreate else {}
    values: dict[str, str] = {}
    keep, waits, lacks = [], {}, []
    for name, declared in template.parameters.items():
        feed = template.feeds.get(name)
        source = _there(present.get(feed.stack)) if feed else None
        given = _first(name, wished.values, wished.secrets, wished.shared)
        if given is not None:
            values[name] = given
        elif name in old and (feed is None or feed.output == "RepositoryUri" or source is None):
            keep.append(name)
        elif feed and feed.stack in coming:
            waits[name] = feed
        elif feed and source and name not in _IMAGES and source.output(feed.output) is not None:
            values[name] = source.output(feed.output) or ""
        elif feed and source and name in _IMAGES:
            waits[name] = feed
        elif name in old:
            keep.append(name)
        elif declared.default is None:
            lacks.append(name)
    behind = tuple(sorted(template.after & coming))
    return Turn(template, stack, values, tuple(keep), waits, tuple(lacks), behind, tags=wished.tags)


_IMAGES = frozenset({"DockerImage"})
"""Fed by a repository's URI: an image in it, not the URI itself."""


def _there(stack: Stack | None) -> Stack | None:
    return None if stack is None or stack.status == "REVIEW_IN_PROGRESS" else stack


def _first(name: str, *places: Mapping[str, str]) -> str | None:
    return next((place[name] for place in places if name in place), None)


_PAIRS = (("ParameterKey", "ParameterValue"), ("Key", "Value"))
"""How AWS's tools name the two of a parameter, and of a tag."""


def _file(file: Path) -> Mapping[str, str]:
    """The forms that AWS's own tools take: `{"Parameters": {…}}`, a mapping, a list."""
    try:
        told = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError("The parameter file cannot be read", f"{file}: {error}") from None
    if isinstance(told, list):
        return dict(_pair(item, file) for item in told)
    if isinstance(told, dict):
        told = told.get("Parameters", told)
    if isinstance(told, dict):
        return {str(name): str(value) for name, value in told.items()}
    raise _unknown(file)


def _pair(item: object, file: Path) -> tuple[str, str]:
    if isinstance(item, str) and "=" in item:
        name, _, value = item.partition("=")
        return name, value
    if isinstance(item, dict):
        for name, value in _PAIRS:
            if name in item and value in item:
                return str(item[name]), str(item[value])
    raise _unknown(file)


def _unknown(file: Path) -> ConfigurationError:
    return ConfigurationError("The parameter file is of no known form", str(file))
