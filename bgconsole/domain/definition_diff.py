"""What differs between two versions: their task definitions line by line, digests resolved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from bgconsole.domain.how_many import how_many
from bgconsole.domain.join import SideView, revision_by_number, sides
from bgconsole.domain.snapshot import Snapshot
from bgconsole.domain.versions import Version, alike, version_of

Kind = Literal["same", "old", "new", "left out"]
CONTEXT = 3
"""Lines that are alike before and after each difference."""
DIGITS = 12
"""Of a digest: enough that two are never taken for one, and no line is broken for it."""


@dataclass(frozen=True, slots=True)
class Compared:
    """Two versions that are worth comparing."""

    old: Version
    new: Version


@dataclass(frozen=True, slots=True)
class DiffLine:
    """One line of a unified difference; `left out` says how many alike lines are not shown."""

    kind: Kind
    text: str


def compared(snapshot: Snapshot) -> Compared | None:
    """Old and new of the deployment under way, else of the newest one that changed something.

    None where the account has no record of such a deployment.
    """
    both = sides(snapshot)
    if both.old and both.new:
        return Compared(_of_side(snapshot, both.old), _of_side(snapshot, both.new))
    deployments, tasks = snapshot.deployments.value, snapshot.tasks.value
    definitions = tasks.definitions if tasks else {}
    for deployment in deployments.history if deployments else ():
        target = version_of(snapshot, deployment.target.arn)
        for source in deployment.sources:
            before = version_of(snapshot, source.arn)
            if target and before and alike(before, target, definitions) is not True:
                return Compared(before, target)
    return None


def difference(
    old: Mapping[str, object],
    new: Mapping[str, object],
    *,
    old_digests: Mapping[str, str],
    new_digests: Mapping[str, str],
) -> tuple[DiffLine, ...]:
    """The lines that differ with `CONTEXT` lines around; empty where the two are alike.

    Args:
        old: a task definition's document (`Services.definition_document`).
        new: the other one.
        old_digests: by container, what its image was resolved to, where that is known.
        new_digests: the same of the other one.
    """
    before, after = lines_of(old, old_digests), lines_of(new, new_digests)
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    told: list[DiffLine] = []
    shown = 0
    for group in matcher.get_grouped_opcodes(CONTEXT):
        told += _left_out(group[0][1] - shown)
        for tag, a, b, c, d in group:
            if tag == "equal":
                told += (DiffLine("same", text) for text in before[a:b])
            else:
                told += (DiffLine("old", text) for text in before[a:b])
                told += (DiffLine("new", text) for text in after[c:d])
        shown = group[-1][2]
    if not told:
        return ()
    return (*told, *_left_out(len(before) - shown))


def lines_of(document: Mapping[str, object], digests: Mapping[str, str]) -> list[str]:
    """The document as indented lines, names sorted, so that order alone is no difference."""
    return list(_mapping(document, digests, ""))


def _left_out(count: int) -> Iterator[DiffLine]:
    if count:
        yield DiffLine("left out", f"{how_many(count, 'line')} alike")


def _mapping(value: Mapping[str, object], digests: Mapping[str, str], indent: str) -> Iterator[str]:
    for name in sorted(value):
        inner = value[name]
        if name == "containerDefinitions" and isinstance(inner, Sequence):
            yield f"{indent}containers:"
            for container in _named(inner):
                yield from _container(container, digests, indent + "  ")
        else:
            yield from _member(name, inner, digests, indent)


def _container(
    container: Mapping[str, object], digests: Mapping[str, str], indent: str
) -> Iterator[str]:
    name = str(container.get("name", ""))
    yield f"{indent}{name}:"
    yield f"{indent}  image: {container.get('image', '')}"
    digest = digests.get(name, "").rpartition(":")[2][:DIGITS]
    yield f"{indent}  digest: {f'sha256:{digest}…' if digest else 'not known'}"
    rest = {key: value for key, value in container.items() if key not in ("name", "image")}
    yield from _mapping(rest, digests, indent + "  ")


def _member(name: str, value: object, digests: Mapping[str, str], indent: str) -> Iterator[str]:
    if value in ({}, [], (), None):
        return
    if isinstance(value, Mapping):
        yield f"{indent}{name}:"
        yield from _mapping(value, digests, indent + "  ")
    elif isinstance(value, list | tuple):
        yield from _sequence(name, value, digests, indent)
    else:
        yield f"{indent}{name}: {_scalar(value)}"


def _sequence(
    name: str, values: Sequence[object], digests: Mapping[str, str], indent: str
) -> Iterator[str]:
    if not any(isinstance(each, Mapping) for each in values):
        yield f"{indent}{name}: [{', '.join(_scalar(each) for each in values)}]"
        return
    yield f"{indent}{name}:"
    for each in _named(values):
        pair = [key for key in each if key != "name"]
        if "name" in each and len(pair) == 1 and not isinstance(each[pair[0]], Mapping | list):
            # A name and one more member, as an environment variable is: one line.
            yield f"{indent}  {each['name']}: {_scalar(each[pair[0]])}"
            continue
        yield f"{indent}  -"
        yield from _mapping(each, digests, indent + "    ")


def _named(values: Iterable[object]) -> list[Mapping[str, object]]:
    """By name where they have one: their order means nothing."""
    listed = [each for each in values if isinstance(each, Mapping)]
    if all("name" in each for each in listed):
        listed.sort(key=lambda each: str(each["name"]))
    return listed


def _scalar(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return " ".join(str(value).split()) if isinstance(value, str) else str(value)


def _of_side(snapshot: Snapshot, view: SideView) -> Version:
    known = revision_by_number(snapshot, view.number)
    if known is not None:
        return Version(known.task_definition, known.images, known.arn)
    return Version(view.task_definition)
