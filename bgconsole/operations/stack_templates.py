"""The templates of a folder: what each needs and gives, and in which order their stacks come up.

A template's stack is named in its description, `(stack demodb)`, else after its file. Which output
feeds which parameter is read from the template that nests the others; where none does, an output
and a parameter of one name belong together. What imports a value comes after what exports it.
"""

from __future__ import annotations

import sysconfig
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from bgconsole.domain.errors import ConfigurationError
from bgconsole.domain.stacks import STACK
from bgconsole.operations.stack_exports import exports, imports

_SITE = "LoadBalancerUrl"
"""The output of the stack that serves: it, and what feeds it, is what `up` makes by itself."""
_IMAGE, _REPOSITORY = "DockerImage", "RepositoryUri"


@dataclass(frozen=True, slots=True)
class Declared:
    """One parameter of a template."""

    default: str | None = None
    secret: bool = False
    """NoEcho."""


@dataclass(frozen=True, slots=True)
class Feed:
    """Where a parameter's value comes from."""

    stack: str
    output: str


@dataclass(frozen=True, slots=True)
class Template:
    """One file, read."""

    stack: str
    file: str
    """Its name in the folder."""
    body: str
    parameters: Mapping[str, Declared]
    resources: Mapping[str, str]
    """Logical id → type."""
    outputs: frozenset[str]
    kept: frozenset[str] = frozenset()
    """Logical ids whose resources leave something behind when they are deleted."""
    nested: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Logical ids of nested stacks → their files, where the template names files."""
    feeds: Mapping[str, Feed] = field(default_factory=lambda: MappingProxyType({}))
    exports: frozenset[str] = frozenset()
    imports: frozenset[str] = frozenset()
    tree: Mapping[str, Any] = field(
        default_factory=lambda: MappingProxyType({"Resources": {}}), repr=False, compare=False
    )
    """All of it, read."""
    after: frozenset[str] = frozenset()
    """Stacks whose exports it imports."""

    @property
    def needs(self) -> frozenset[str]:
        """The stacks that come before it."""
        return self.after | {feed.stack for feed in self.feeds.values()}


def folder_of(given: str = "") -> Path:
    """Where templates are: as given, else ./cfn, else those of the installation.

    Raises:
        ConfigurationError: there are none.
    """
    installed = Path(sysconfig.get_path("data")) / "share" / "bgconsole" / "cfn"
    places = [Path(given)] if given else [Path("cfn"), installed]
    for place in places:
        if any(place.glob("*.yml")):
            return place
    looked = " and ".join(str(place) for place in places)
    raise ConfigurationError(
        "No templates", f"no *.yml in {looked}", "Name the folder: --templates"
    )


def templates_in(folder: Path) -> tuple[Template, ...]:
    """Every template of a folder, each fed by the others, in the order of their stacks.

    Raises:
        ConfigurationError: a file cannot be read or is no template, or they feed in a circle.
    """
    found = []
    wiring: dict[tuple[str, str], tuple[str, str]] = {}
    for file in sorted(folder.glob("*.yml")):
        body, tree = _read(file)
        if isinstance(tree.get("Resources"), dict):
            found.append(_template(file, body, tree))
            wiring |= dict(_wiring(tree))
    return _ordered(tuple(_fed(template, found, wiring) for template in found))


def template_of(file: Path) -> Template:
    """One file, as a template that nothing feeds.

    Raises:
        ConfigurationError: it cannot be read, or is no template.
    """
    body, tree = _read(file)
    if not isinstance(tree.get("Resources"), dict):
        raise ConfigurationError("Not a template", f"{file} has no Resources")
    return _template(file, body, tree)


def is_file(url: str) -> bool:
    """Whether a TemplateURL is a path, which is packaged, and not an address."""
    return not url.startswith(("http://", "https://", "s3://"))


def wanted(
    templates: Iterable[Template],
    names: Iterable[str],
    *,
    given: frozenset[str] = frozenset(),
    there: frozenset[str] = frozenset(),
) -> tuple[Template, ...] | str:
    """Those that are named; without a name the one that serves and all that feed it.

    Where the stack that nests them is there, and the one that serves is not, it is that one.
    Gives the name that is none, where one is.

    Args:
        templates: in order.
        names: of stacks or files.
        given: parameters with a value of their own, which need no other stack.
        there: stacks that are there: they keep the values they have where a feeder is not.
    """
    templates = tuple(templates)
    by_name = {t.stack: t for t in templates} | {Path(t.file).stem: t for t in templates}
    chosen: set[str] = set()
    for name in names:
        if name.removesuffix(".yml") not in by_name:
            return name
        chosen.add(by_name[name.removesuffix(".yml")].stack)
    if not chosen:
        sites = [t for t in templates if _SITE in t.outputs]
        chosen = {t.stack for t in sites if not t.nested}
        whole = {t.stack for t in sites if t.nested} & there
        if whole and not chosen & there:
            chosen = whole
        grown = True
        while grown:
            fed = {
                stack
                for t in templates
                if t.stack in chosen
                for stack in (
                    *(feed.stack for name, feed in t.feeds.items() if name not in given),
                    *t.after,
                )
                if t.stack not in there or stack in there
            }
            grown = not fed <= chosen
            chosen |= fed
    return tuple(t for t in templates if t.stack in chosen)


def _read(file: Path) -> tuple[str, Mapping[str, Any]]:
    try:
        body = file.read_text("utf-8")
        tree = yaml.load(body, TemplateLoader)  # noqa: S506 - a SafeLoader with CloudFormation's tags
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        why = " ".join(str(error).split())
        raise ConfigurationError("A template cannot be read", f"{file}: {why}") from None
    return body, tree if isinstance(tree, dict) else {}


class TemplateLoader(yaml.SafeLoader):
    """Reads `!GetAtt a.b` as {"Fn::GetAtt": "a.b"}, and so on."""


def _tagged(loader: TemplateLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        return {name: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    return {name: loader.construct_mapping(node, deep=True)}  # type: ignore[arg-type]


TemplateLoader.add_multi_constructor("!", _tagged)


def _template(file: Path, body: str, tree: Mapping[str, Any]) -> Template:
    resources = tree["Resources"]
    described = str(tree.get("Description", ""))
    named = described.rpartition("(stack ")[2].partition(")")[0] if "(stack " in described else ""
    return Template(
        stack=named or file.stem,
        file=file.name,
        body=body,
        parameters={
            name: Declared(
                default=str(about["Default"]) if "Default" in about else None,
                secret=str(about.get("NoEcho", "")).lower() == "true",
            )
            for name, about in (tree.get("Parameters") or {}).items()
        },
        resources={name: str(about.get("Type", "")) for name, about in resources.items()},
        outputs=frozenset(tree.get("Outputs") or ()),
        kept=frozenset(
            name
            for name, about in resources.items()
            if about.get("DeletionPolicy") in ("Retain", "Snapshot", "RetainExceptOnCreate")
        ),
        nested=dict(_nested(resources)),
        exports=exports(tree, named or file.stem),
        imports=imports(tree, named or file.stem),
        tree=tree,
    )


def _nested(resources: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, about in resources.items():
        if about.get("Type") == STACK:
            url = (about.get("Properties") or {}).get("TemplateURL")
            if isinstance(url, str) and is_file(url):
                yield name, url


def _wiring(tree: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
    """(file, parameter) → (file, output), of the stacks that a template nests."""
    files = dict(_nested(tree["Resources"]))
    for name, file in files.items():
        given = tree["Resources"][name]["Properties"].get("Parameters") or {}
        for parameter, value in given.items():
            for source in _attributes(value):
                nested, _, rest = source.partition(".Outputs.")
                if rest and nested in files:
                    yield (file, parameter), (files[nested], rest)
                    break


def _attributes(value: object) -> Iterator[str]:
    """What is asked for with GetAtt, at any depth."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name == "Fn::GetAtt":
                yield inner if isinstance(inner, str) else ".".join(map(str, inner))
            else:
                yield from _attributes(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _attributes(inner)


def _fed(
    template: Template,
    everyone: Iterable[Template],
    wiring: Mapping[tuple[str, str], tuple[str, str]],
) -> Template:
    feeds: dict[str, Feed] = {}
    if template.nested:
        return template
    others = [o for o in everyone if o.stack != template.stack and not o.nested]
    for name, declared in template.parameters.items():
        wired = wiring.get((template.file, name))
        output = _REPOSITORY if name == _IMAGE else name
        for other in others:
            if wired is not None:
                if wired[0] == other.file:
                    feeds[name] = Feed(other.stack, wired[1])
            elif declared.default is None and output in other.outputs:
                feeds.setdefault(name, Feed(other.stack, output))
    after = frozenset(other.stack for other in others if other.exports & template.imports)
    return replace(template, feeds=feeds, after=after)


def _ordered(templates: tuple[Template, ...]) -> tuple[Template, ...]:
    by_stack = {template.stack: template for template in templates}
    graph = {template.stack: sorted(template.needs) for template in templates}
    try:
        order = tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        circle = " → ".join(error.args[1])
        raise ConfigurationError("Templates feed each other in a circle", circle) from None
    return tuple(by_stack[name] for name in order)
