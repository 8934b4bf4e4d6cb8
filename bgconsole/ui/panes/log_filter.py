"""What is typed to show only some log lines: text, `/regex/`, `!what to hide`, `level:` and others.

Words that stand beside each other are one phrase; everything else must hold as well. Case matters
only where a capital is typed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bgconsole.domain.join import Side
from bgconsole.ui.panes.log_entry import Entry, Level

Test = Callable[[Entry], bool]
SideOf = Callable[[Entry], Side]

HELP = "text   /regex/   !hide   level:warn   side:new   task:5c1f03   stream:web"
LEVELS: tuple[Level, ...] = ("DEBUG", "INFO", "WARN", "ERROR", "FATAL")
_TOKEN = re.compile(
    r"(?P<hides>!?)(?:"
    r"(?P<key>level|side|task|stream):(?P<value>\S*)"
    r"|/(?P<regex>(?:\\.|[^\\])*?)(?:/(?=\s|$)|$)"
    r"|\"(?P<quoted>[^\"]*)\"?"
    r"|(?P<word>\S+))"
)


@dataclass(frozen=True, slots=True)
class LogFilter:
    """What is typed, understood."""

    tests: tuple[Test, ...] = ()
    pattern: re.Pattern[str] | None = None
    """What of a line is sought: it is shown standing out."""
    problem: str = ""
    """What is wrong with what is typed, in words."""

    def keeps(self, entry: Entry) -> bool:
        """Whether a line is shown. Where something may be missing is always told."""
        return entry.gap or all(test(entry) for test in self.tests)


def log_filter(text: str, side_of: SideOf) -> LogFilter:
    """Understand what was typed; a part that is not understood hides nothing and is told."""
    tests: list[Test] = []
    sought: list[str] = []
    problems: list[str] = []
    phrase: list[str] = []

    def end_phrase() -> None:
        if phrase:
            pattern = _text(" ".join(phrase))
            phrase.clear()
            sought.append(pattern)
            tests.append(_holds(re.compile(pattern), hides=False))

    for match in _TOKEN.finditer(text):
        hides = bool(match["hides"])
        if match["word"] is not None and not hides:
            phrase.append(match["word"])
            continue
        end_phrase()
        if match["key"]:
            test, problem = _by_key(match["key"], match["value"], side_of)
            if problem:
                problems.append(problem)
            else:
                tests.append(_not(test) if hides else test)
            continue
        words = match["quoted"] if match["quoted"] is not None else match["word"]
        if match["regex"] is not None:
            pattern, problem = _regex(match["regex"])
            if problem:
                problems.append(problem)
        else:
            pattern = _text(words or "")
        if pattern:
            tests.append(_holds(re.compile(pattern), hides=hides))
            if not hides:
                sought.append(pattern)
    end_phrase()
    return LogFilter(
        tuple(tests), re.compile("|".join(sought)) if sought else None, "; ".join(problems)
    )


def sought(text: str) -> tuple[re.Pattern[str] | None, str]:
    """What is typed to be found, as text or `/regex/`; or None and what is wrong with it."""
    if text.startswith("/") and len(text) > 1:
        pattern, problem = _regex(text[1:].removesuffix("/"))
    else:
        pattern, problem = _text(text), ""
    return (re.compile(pattern) if pattern else None), problem


def at_least(level: Level) -> Test:
    """Lines of a level or worse; those that do not say theirs count as INFO."""
    wanted = frozenset(LEVELS[LEVELS.index(level) :])
    return lambda entry: (entry.level or "INFO") in wanted


def _text(text: str) -> str:
    if not text:
        return ""
    escaped = re.escape(text)
    return escaped if text != text.lower() else f"(?i:{escaped})"


def _regex(text: str) -> tuple[str, str]:
    """A pattern that compiles, or empty and why not."""
    if not text:
        return "", ""
    wrapped = f"(?:{text})" if text != text.lower() else f"(?i:{text})"
    try:
        re.compile(text)
        re.compile(wrapped)
    except re.error as error:
        return "", f"/{text}/: {error.msg}"
    return wrapped, ""


def _holds(pattern: re.Pattern[str], *, hides: bool) -> Test:
    search = pattern.search
    if hides:
        return lambda entry: search(entry.text) is None
    return lambda entry: search(entry.text) is not None


def _not(test: Test) -> Test:
    return lambda entry: not test(entry)


def _nothing(_: Entry) -> bool:
    return True


_LEVEL_NAMES: Mapping[str, Level] = {
    **{name.lower(): name for name in LEVELS},
    "warning": "WARN",
    "err": "ERROR",
}
_SIDES = {"old": Side.OLD, "new": Side.NEW, "unknown": Side.UNKNOWN, "?": Side.UNKNOWN}


def _by_key(key: str, value: str, side_of: SideOf) -> tuple[Test, str]:
    value = value.lower()
    if not value:
        return _nothing, ""
    known: Mapping[str, object] = {"level": _LEVEL_NAMES, "side": _SIDES}.get(key, {})
    if known and value not in known:
        # It is still being typed, or it is nothing.
        begun = any(name.startswith(value) for name in known)
        return _nothing, "" if begun else f"{key}: one of {', '.join(known)}"
    if key == "level":
        return at_least(_LEVEL_NAMES[value]), ""
    if key == "side":
        side = _SIDES[value]
        return (lambda entry: side_of(entry) is side), ""
    if key == "task":
        return (lambda entry: entry.task.startswith(value)), ""
    return (lambda entry: value in entry.stream.lower()), ""
