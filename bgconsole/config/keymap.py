"""The one table of keys: every surface that shows or binds a key reads it here.

Reads are lower case (or keys without case), writes are shifted letters, the lower-case twin of a
write is bound to nothing, and one key has one meaning on every screen. `G` and `N` are the reads
that are shifted: they go the other way of their lower-case twins. A key stands here once it does
something.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Literal

Kind = Literal["read", "write"]
Group = Literal["panes", "move", "look", "change", "console"]
"""The headings of the help screen, in their order."""


@dataclass(frozen=True, slots=True)
class Key:
    """What one or more keys do, everywhere."""

    id: str
    """Of an action (`pane.next`) or of an operation (`service.rollback`)."""
    keys: tuple[str, ...]
    """Textual's names: `slash`, `ctrl+r`, `F`. The first is the one that is shown."""
    words: str
    """Short, for the footer."""
    help: str
    """A sentence, for the help screen."""
    group: Group
    kind: Kind = "read"
    footer: bool = False
    """Whether the footer has room for it."""

    @property
    def shown(self) -> str:
        """The first key as a person reads it."""
        return shown(self.keys[0])


class Keymap(Mapping[str, Key]):
    """Keys by id, in the order of the help screen."""

    def __init__(self, keys: Iterable[Key]) -> None:
        self._keys = {key.id: key for key in keys}

    def __getitem__(self, key_id: str) -> Key:
        return self._keys[key_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def changed(self, wishes: Mapping[str, tuple[str, ...]]) -> Keymap:
        """The same with other keys for some ids, as the configuration says; check it first."""
        return Keymap(
            replace(key, keys=wishes[key.id]) if key.id in wishes else key for key in self.values()
        )

    def problem(self, key_id: str, wanted: tuple[str, ...]) -> str:
        """What is wrong with giving an id these keys, whoever holds them; empty where nothing is.

        A clash with another id is seen by `clashes`, when all wishes are known.
        """
        if key_id not in self:
            near = get_close_matches(key_id, self, n=1)
            return f"unknown action {key_id!r}" + (f"; did you mean {near[0]!r}?" if near else "")
        for name in wanted:
            if not _NAMED.fullmatch(name):
                return f"{name!r} is not the name of a key"
            if self[key_id].kind == "write" and not (len(name) == 1 and name.isupper()):
                return f"{key_id} changes the world: its key must be a shifted letter"
        return ""

    def clashes(self) -> tuple[str, ...]:
        """Every key that has two meanings, and every bound lower-case twin of a write."""
        found = []
        holders: dict[str, Key] = {}
        for key in self.values():
            for name in key.keys:
                if other := holders.get(name):
                    found.append(f"{shown(name)!r} is both {other.id} and {key.id}")
                holders[name] = key
        for key in self.values():
            for name in key.keys if key.kind == "write" else ():
                if twin := holders.get(name.lower()):
                    found.append(
                        f"{shown(name.lower())!r} is {twin.id}: it must stay unbound "
                        f"beside {shown(name)!r}, which is {key.id}"
                    )
        return tuple(found)


def key_name(text: str) -> str:
    """Textual's name of a key that is written as a person writes it: `/` is `slash`."""
    *modifiers, last = text.split("+") if len(text) > 1 else [text]
    if len(last) == 1 and not last.isalnum():
        name = unicodedata.name(last, "").lower().replace("-", "_").replace(" ", "_")
        last = _SHORTER.get(name, name)
    return "+".join((*modifiers, last))


def shown(name: str) -> str:
    """A key's name as a person reads it: `slash` is `/`."""
    *modifiers, last = name.split("+")
    return "+".join((*modifiers, _GLYPHS.get(last, last)))


_SHORTER = {
    "solidus": "slash",
    "reverse_solidus": "backslash",
    "commercial_at": "at",
    "hyphen_minus": "minus",
    "plus_sign": "plus",
    "low_line": "underscore",
}
_GLYPHS = {key_name(c): c for c in "/\\@-+_!?:;.,[]()<>=*#$%&'\"|~^`{}"} | {"escape": "esc"}
_NAMED = re.compile(
    r"(?:(?:ctrl|alt|shift)\+)*"
    r"(?:[A-Za-z0-9]|f[1-9]|f1[0-9]|f2[0-4]|enter|escape|tab|space|up|down|left|right|home|end|"
    r"pageup|pagedown|insert|delete|backspace|"
    + "|".join(re.escape(name) for name in _GLYPHS)
    + ")"
)

KEYMAP = Keymap(
    (
        Key("pane.tasks", ("1",), "Tasks", "Show or focus the tasks", "panes"),
        Key("pane.targets", ("2",), "Targets", "Show or focus targets and traffic", "panes"),
        Key("pane.stacks", ("3",), "Stacks", "Show or focus the stacks", "panes"),
        Key("pane.logs", ("4",), "Logs", "Show or focus the logs", "panes"),
        Key("pane.probe", ("5",), "Probe", "Show or focus what the site answers", "panes"),
        Key("pane.next", ("tab",), "next pane", "Go to the next pane", "panes"),
        Key("pane.previous", ("shift+tab",), "previous pane", "Go to the pane before", "panes"),
        Key("pane.zoom", ("plus",), "zoom", "Give one pane the whole screen", "panes", footer=True),
        Key("pane.unzoom", ("underscore",), "unzoom", "Show all panes again", "panes"),
        Key("move.down", ("j", "down"), "down", "One row down", "move"),
        Key("move.up", ("k", "up"), "up", "One row up", "move"),
        Key("move.first", ("g", "home"), "first", "To the first row", "move"),
        Key("move.last", ("G", "end"), "last", "To the last row; logs follow again", "move"),
        Key("move.page-down", ("ctrl+f", "pagedown"), "page down", "One page down", "move"),
        Key("move.page-up", ("ctrl+b", "pageup"), "page up", "One page up", "move"),
        Key("open", ("enter",), "open", "Open what is highlighted", "move"),
        Key("back", ("escape",), "back", "Clear the filter, else go back", "move"),
        Key("filter", ("slash",), "filter", "Show only what matches", "look", footer=True),
        Key("only-wrong", ("exclamation_mark",), "only wrong", "Show only what is wrong", "look"),
        Key("describe", ("d",), "describe", "All that is known of the row", "look", footer=True),
        Key(
            "definition-diff",
            ("t",),
            "task definition",
            "What differs between the old and the new task definition",
            "look",
        ),
        Key("logs-of-row", ("l",), "logs", "The logs of the highlighted task", "look", footer=True),
        Key(
            "events", ("v",), "events", "The service's events, in AWS's words", "look", footer=True
        ),
        Key("history", ("p",), "history", "The service's deployments", "look", footer=True),
        Key("timeline", ("i",), "timeline", "What happened, in one list by time", "look"),
        Key(
            "range.shorter",
            ("left_square_bracket",),
            "shorter",
            "Look back less far, in the timeline or the logs",
            "look",
        ),
        Key(
            "range.longer",
            ("right_square_bracket",),
            "longer",
            "Look back further, in the timeline or the logs",
            "look",
        ),
        Key("find", ("backslash",), "find", "Find in the logs, hiding nothing", "look"),
        Key("match.next", ("n",), "next match", "To the next line that matches", "look"),
        Key("match.previous", ("N",), "previous match", "To the match before", "look"),
        Key("error.next", ("full_stop",), "next error", "To the next error in the logs", "look"),
        Key("error.previous", ("comma",), "previous error", "To the error before", "look"),
        Key("level", ("number_sign",), "level", "Only log lines of a level or worse", "look"),
        Key("side", ("equals_sign",), "side", "Only log lines of the old or new side", "look"),
        Key("fold", ("minus",), "fold", "One row for each request in the logs", "look"),
        Key("wrap", ("w",), "wrap", "Let long log lines go on below", "look"),
        Key("times", ("at",), "times", "Times of logs: local, UTC, how long ago, none", "look"),
        Key("jump", ("apostrophe",), "go to", "To a time in the logs, or the next mark", "look"),
        Key(
            "mark",
            ("space",),
            "mark",
            "Mark a log line, to copy or save it, or a service, to change several",
            "look",
        ),
        Key("hold", ("semicolon",), "hold", "Hold the logs still, or follow again", "look"),
        Key("shell", ("s",), "shell", "A shell in the highlighted task (asks first)", "look"),
        Key("operation", ("e",), "operation", "The operation begun here, how it goes", "look"),
        Key(
            "browse",
            ("o",),
            "open page",
            "Open the site, or AWS's page of the row, in a browser",
            "look",
        ),
        Key("copy", ("c",), "copy", "Copy the highlighted row, or the page", "look"),
        Key("save", ("ctrl+s",), "save", "Save the timeline, or the logs, to a file", "look"),
        Key(
            "image.build",
            ("B",),
            "build+push",
            "Build an image of the app's source and push it to ECR (asks first)",
            "change",
            "write",
            footer=True,
        ),
        Key(
            "service.migrate",
            ("M",),
            "migrate",
            "Run the database's migrations as a task (asks first)",
            "change",
            "write",
            footer=True,
        ),
        Key(
            "service.deploy",
            ("U",),
            "update",
            "Update to a new image: build it or choose one, migrate, deploy (asks first)",
            "change",
            "write",
            footer=True,
        ),
        Key(
            "service.force-redeploy",
            ("F",),
            "redeploy",
            "Replace every task, keeping the task definition (asks first)",
            "change",
            "write",
            footer=True,
        ),
        Key(
            "service.rollback",
            ("R",),
            "roll back",
            "Put the version before back (asks first)",
            "change",
            "write",
            footer=True,
        ),
        Key(
            "service.approve",
            ("A",),
            "approve",
            "Let a deployment that waits at a pause hook go on (asks first)",
            "change",
            "write",
            footer=True,
        ),
        Key(
            "service.stop",
            ("X",),
            "stop",
            "Reject a paused hook, or stop the deployment under way (asks first)",
            "change",
            "write",
            footer=True,
        ),
        Key("pick", ("ctrl+o",), "pick", "Pick another cluster or service", "console"),
        Key("refresh", ("ctrl+r",), "refresh", "Ask AWS for everything now", "console"),
        Key(
            "palette",
            ("colon", "ctrl+p"),
            "command",
            "Name a command: cluster, service, …",
            "console",
            footer=True,
        ),
        Key(
            "help", ("question_mark",), "help", "Every key and what it does", "console", footer=True
        ),
        Key(
            "quit", ("q", "ctrl+q"), "quit", "Go back, then quit (asks in mid-operation)", "console"
        ),
    )
)
"""Every key of the console."""
