"""Which resources of a template would stand, as far as the values of its parameters are known.

What only AWS can tell is not known (None): a resource whose condition rests on it may stand, and
counts as one that does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Values = Mapping[str, str | None]
"""Of parameters; None where a value is given, but not known yet."""


def standing(tree: Mapping[str, Any], values: Values) -> dict[str, str]:
    """Logical id → type of each resource whose condition is not surely false."""
    known = _Known(tree, values)
    return {
        name: str(about.get("Type", ""))
        for name, about in tree["Resources"].items()
        if known.condition(about.get("Condition")) is not False
    }


def handed_on(tree: Mapping[str, Any], name: str, values: Values) -> Values:
    """What a nested stack's parameters are given, by those of the template that nests it."""
    known = _Known(tree, values)
    given = (tree["Resources"][name].get("Properties") or {}).get("Parameters") or {}
    return {parameter: known.text(value) for parameter, value in given.items()}


def with_defaults(tree: Mapping[str, Any], values: Values) -> Values:
    """The values of all parameters: as given, else their defaults, else not known."""
    declared = tree.get("Parameters") or {}
    defaults = {
        name: _word(about["Default"]) if "Default" in about else None
        for name, about in declared.items()
    }
    return {**defaults, **values}


@dataclass(frozen=True, slots=True)
class _Known:
    tree: Mapping[str, Any]
    values: Values

    def condition(self, name: object, above: tuple[str, ...] = ()) -> bool | None:
        """Of a resource; one without a condition stands."""
        if name is None:
            return True
        conditions = self.tree.get("Conditions") or {}
        if not isinstance(name, str) or name not in conditions or name in above:
            return None  # AWS will say what is wrong with it
        return self.truth(conditions[name], (*above, name))

    def truth(self, value: object, above: tuple[str, ...]) -> bool | None:
        """A condition, written out; None where it rests on what is not known."""
        function, given = _function(value)
        if function == "Condition":
            return self.condition(given, above)
        if not isinstance(given, list):
            return None
        if function == "Fn::Equals" and len(given) == 2:
            one, other = (self.text(each, above) for each in given)
            return None if one is None or other is None else one == other
        parts = [self.truth(each, above) for each in given]
        if function == "Fn::Not" and len(parts) == 1:
            return None if parts[0] is None else not parts[0]
        if function in ("Fn::And", "Fn::Or"):
            decides = function == "Fn::Or"  # one part that is so decides
            return decides if decides in parts else None if None in parts else not decides
        return None

    def text(self, value: object, above: tuple[str, ...] = ()) -> str | None:
        """A value as a parameter would hold it; None where it is not known."""
        if isinstance(value, str | int | float):
            return _word(value)
        function, given = _function(value)
        if function == "Ref":
            return self.values.get(str(given))
        if function == "Fn::If" and isinstance(given, list) and len(given) == 3:
            holds = self.condition(given[0], above)
            return None if holds is None else self.text(given[1 if holds else 2], above)
        if function == "Fn::Join" and isinstance(given, list) and len(given) == 2:
            parts = list(self._parts(given[1], above))
            texts = [part for part in parts if part is not None]
            return str(given[0]).join(texts) if len(texts) == len(parts) else None
        return None

    def _parts(self, value: object, above: tuple[str, ...]) -> Iterator[str | None]:
        if isinstance(value, list):
            yield from (self.text(part, above) for part in value)
        else:  # a parameter that is a list: its text has commas
            whole = self.text(value, above)
            yield from (None,) if whole is None else whole.split(",")


def _function(value: object) -> tuple[str, object]:
    if isinstance(value, Mapping) and len(value) == 1:
        return next(iter(value.items()))
    return "", None


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
