"""A template that nests others, packaged: what goes into the bucket, and the text that names it.

CloudFormation reads a nested template from S3. As `aws cloudformation package` does, each file is
put there under the hash of its content, and its address stands in the place of its path. Only
nested templates are packaged, not code of functions.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType

import yaml

from bgconsole.domain.artifacts import Bucket, Held, bucket_problem
from bgconsole.domain.errors import ConfigurationError
from bgconsole.domain.identity import Identity, Place
from bgconsole.domain.stacks import STACK
from bgconsole.operations.stack_conditions import Values, handed_on, standing, with_defaults
from bgconsole.operations.stack_templates import Template, TemplateLoader, is_file, template_of

NO_VALUES: Values = MappingProxyType({})
PARAMETER = "TemplateBucket"
"""A parameter of this name is given the bucket's: whoever deploys reads the templates again."""


@dataclass(frozen=True, slots=True)
class Upload:
    """One nested template."""

    file: str
    """Its path, as the template that nests it names it."""
    key: str
    body: str


@dataclass(frozen=True, slots=True)
class Package:
    """What a stack needs in the bucket."""

    held: Held
    uploads: tuple[Upload, ...]
    """What is nested deeper comes first."""
    kinds: Mapping[str, tuple[str, ...]]
    """Logical id of a nested stack → the types of all that would be in it, however deep."""
    whole: bool
    """Whether all that is nested is packaged, so that another template has another address."""
    keeps: frozenset[str]
    """Logical ids of nested stacks with resources that leave something behind: they hold data."""

    @property
    def bucket(self) -> Bucket:
        """Where it goes."""
        return self.held.bucket

    @property
    def missing(self) -> tuple[Upload, ...]:
        """What is not in the bucket yet."""
        return tuple(each for each in self.uploads if each.key not in self.held.keys)


def prefix_of(stack: str) -> str:
    """What the keys of a stack's templates begin with: what `down` of that stack deletes."""
    return f"bgconsole/{stack}/"


def bucket_of(name: str, identity: Identity | None, place: Place) -> Bucket:
    """The bucket of a name; without one, that of the account and region.

    Raises:
        ConfigurationError: it is not known whose account this is, or S3 takes no such name.
    """
    if identity is None:
        raise ConfigurationError(
            "The artifact bucket cannot be told", "it is not known which account this is"
        )
    name = name or f"bgconsole-artifacts-{identity.account}-{place.region}"
    if problem := bucket_problem(name):
        hint = "3 to 63 lower-case letters, digits, dots and hyphens"
        raise ConfigurationError("The artifact bucket cannot be had", problem, hint)
    return Bucket(name, identity.account)


def packaged(
    folder: Path,
    template: Template,
    held: Held,
    url: Callable[[str, str], str],
    values: Values = NO_VALUES,
) -> tuple[Template, Package]:
    """The template with addresses in the place of paths, and what must be there.

    Args:
        folder: where the template is.
        template: it.
        held: what the bucket holds.
        url: of a bucket's name and a key.
        values: of the template's parameters, as far as they are known.

    Raises:
        ConfigurationError: a nested file is not there, is no template, or nests itself.
    """
    packing = _Packing(prefix_of(template.stack), lambda key: url(held.bucket.name, key))
    body = packing.pack(folder / template.file, template.body, ())
    package = Package(
        held,
        tuple({upload.key: upload for upload in packing.uploads}.values()),
        {
            name: _kinds(folder / file, handed_on(template.tree, name, values))
            for name, file in template.nested.items()
        },
        template.nested.keys() == {n for n, k in template.resources.items() if k == STACK},
        frozenset(name for name, file in template.nested.items() if _keeps(folder / file)),
    )
    return replace(template, body=body), package


@dataclass(slots=True)
class _Packing:
    prefix: str
    url: Callable[[str], str]
    uploads: list[Upload] = field(default_factory=list)

    def pack(self, file: Path, body: str, above: tuple[Path, ...]) -> str:
        """The text of one file with addresses in it; children are put aside first."""
        above = (*above, file.resolve())
        parts, done = [], 0
        for node in _addresses(body):
            child = file.parent / node.value
            if child.resolve() in above:
                raise ConfigurationError("A template nests itself", str(child))
            inner = self.pack(child, template_of(child).body, above)
            key = f"{self.prefix}{sha256(inner.encode()).hexdigest()}{child.suffix}"
            self.uploads.append(Upload(node.value, key, inner))
            parts += [body[done : node.start_mark.index], json.dumps(self.url(key))]
            done = node.end_mark.index
        return "".join([*parts, body[done:]])


def _addresses(body: str) -> Iterator[yaml.ScalarNode]:
    """The TemplateURLs that are paths, where they stand in the text."""
    root = yaml.compose(body, TemplateLoader)
    for resource in _values(_value(root, "Resources")):
        kind, node = _value(resource, "Type"), _value(_value(resource, "Properties"), "TemplateURL")
        if (
            isinstance(kind, yaml.ScalarNode)
            and kind.value == STACK
            and isinstance(node, yaml.ScalarNode)
            and not node.tag.startswith("!")
            and is_file(node.value)
        ):
            yield node


def _value(node: yaml.Node | None, name: str) -> yaml.Node | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((value for key, value in node.value if key.value == name), None)


def _values(node: yaml.Node | None) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        yield from (value for _, value in node.value)


def _kinds(file: Path, given: Values) -> tuple[str, ...]:
    template = template_of(file)
    values = with_defaults(template.tree, given)
    stands = standing(template.tree, values)
    inside = (
        _kinds(file.parent / nested, handed_on(template.tree, name, values))
        for name, nested in template.nested.items()
        if name in stands
    )
    return (*stands.values(), *(kind for kinds in inside for kind in kinds))


def _keeps(file: Path) -> bool:
    template = template_of(file)
    return bool(template.kept) or any(_keeps(file.parent / n) for n in template.nested.values())
