"""How every state looks: one glyph, one word and one tone each, and what colour a tone is.

A state is never told by colour alone: with NO_COLOR the glyph and the word still say it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache
from typing import Any
from zlib import crc32

from rich.style import Style as RichStyle
from textual.app import App
from textual.color import Color
from textual.style import Style

from bgconsole.domain.join import Side
from bgconsole.domain.severity import Severity
from bgconsole.domain.stacks import Stack


class Tone(Enum):
    """What a colour means."""

    PLAIN = auto()
    QUIET = auto()
    GOOD = auto()
    BUSY = auto()
    UNKNOWN = auto()
    WAITING = auto()
    BAD = auto()
    OLD = auto()
    NEW = auto()


@dataclass(frozen=True, slots=True)
class Look:
    """How one state is shown; `wrong` is what `!` keeps."""

    glyph: str
    tone: Tone
    wrong: bool = False


SEVERITY: Mapping[Severity, Tone] = {
    Severity.GOOD: Tone.GOOD,
    Severity.BUSY: Tone.BUSY,
    Severity.UNKNOWN: Tone.UNKNOWN,
    Severity.WAITING: Tone.WAITING,
    Severity.BAD: Tone.BAD,
}

SIDE: Mapping[Side, Tone] = {
    Side.OLD: Tone.OLD,
    Side.NEW: Tone.NEW,
    Side.SOLE: Tone.PLAIN,
    Side.UNKNOWN: Tone.QUIET,
}

_GOOD = Look("●", Tone.GOOD)
_COMING = Look("◔", Tone.BUSY)
_GOING = Look("◌", Tone.QUIET)
_WRONG = Look("✖", Tone.BAD, wrong=True)
_IDLE = Look("○", Tone.QUIET)
_UNKNOWN = Look("?", Tone.UNKNOWN, wrong=True)

_TASK = {
    "running": _GOOD,
    "provisioning": _COMING,
    "pending": _COMING,
    "activating": _COMING,
    "deactivating": _GOING,
    "stopping": _GOING,
    "deprovisioning": _GOING,
    "stopped": _WRONG,
}
_HEALTH = {
    "healthy": _GOOD,
    "no check": _GOOD,
    "initial": _COMING,
    "not registered": _COMING,
    "draining": _GOING,
    "unhealthy.draining": _GOING,
    "unused": _IDLE,
    "unhealthy": _WRONG,
    "unavailable": _UNKNOWN,
    "not known": _UNKNOWN,
}
STACK_WORDS: Mapping[str, str] = {
    "CREATE_IN_PROGRESS": "creating",
    "CREATE_COMPLETE": "create complete",
    "CREATE_FAILED": "create failed",
    "UPDATE_IN_PROGRESS": "updating",
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": "updated, cleaning up",
    "UPDATE_COMPLETE": "update complete",
    "UPDATE_FAILED": "update failed",
    "DELETE_IN_PROGRESS": "deleting",
    "DELETE_COMPLETE": "deleted",
    "DELETE_FAILED": "delete failed",
    "ROLLBACK_IN_PROGRESS": "create failed, rolling back",
    "ROLLBACK_COMPLETE": "create failed, rolled back",
    "ROLLBACK_FAILED": "create failed, roll back failed",
    "UPDATE_ROLLBACK_IN_PROGRESS": "update failed, rolling back",
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": "update failed, rolled back, cleaning up",
    "UPDATE_ROLLBACK_COMPLETE": "update failed, rolled back",
    "UPDATE_ROLLBACK_FAILED": "update failed, roll back failed",
    "REVIEW_IN_PROGRESS": "not created, change set waits",
    "IMPORT_IN_PROGRESS": "importing",
    "IMPORT_COMPLETE": "import complete",
    "IMPORT_ROLLBACK_IN_PROGRESS": "import failed, rolling back",
    "IMPORT_ROLLBACK_COMPLETE": "import failed, rolled back",
    "IMPORT_ROLLBACK_FAILED": "import failed, roll back failed",
}


def task_look(status: str, health: str) -> Look:
    """A task's: its own status until it runs, then what its health check says."""
    own = _TASK.get(status, _UNKNOWN)
    return _HEALTH.get(health, _UNKNOWN) if status == "running" and health else own


def health_look(state: str) -> Look:
    """A target's, by its state; a state that AWS invents later is unknown."""
    return _HEALTH.get(state, _UNKNOWN)


def stack_look(stack: Stack) -> Look:
    """A stack's. A roll back that is under way is already wrong."""
    if stack.failed or "ROLLBACK" in stack.status:
        return _WRONG
    if stack.moving:
        return Look("◐", Tone.BUSY)
    if stack.status.endswith("COMPLETE"):
        return _GOOD
    return _IDLE if stack.status == "REVIEW_IN_PROGRESS" else _UNKNOWN


def stack_words(status: str) -> str:
    """A stack's status in plain words; one that is not known, in AWS's."""
    return STACK_WORDS.get(status, status.replace("_", " ").lower())


@dataclass(frozen=True, slots=True)
class Palette:
    """What the tones are in one theme."""

    colors: Mapping[Tone, Color | None]
    fills: Mapping[Tone, Color]
    hues: tuple[Color, ...]
    """Tasks are told apart by these; none of them means good or bad."""

    @classmethod
    def of(cls, app: App[Any]) -> Palette:
        """The palette of the app's present theme."""
        theme = app.current_theme
        variables = app.theme_variables
        return _palette(theme.name, theme.dark, tuple((n, variables.get(n, "")) for n in _NEEDED))

    def style(self, tone: Tone, *, bold: bool = False) -> Style:
        """For `Content`."""
        return Style(foreground=self.colors[tone], bold=bold or None)

    def rich(self, tone: Tone, *, bold: bool = False) -> RichStyle:
        """For `rich.text.Text` and `Segment`."""
        color = self.colors[tone]
        return RichStyle(color=color.rich_color if color else None, bold=bold or None)

    def task(self, task_id: str) -> RichStyle:
        """A task's own colour: the same wherever its id stands."""
        hue = self.hues[crc32(task_id.encode("utf-8", "replace")) % len(self.hues)]
        return RichStyle(color=hue.rich_color)

    def chip(self, tone: Tone) -> Style:
        """A filled word that cannot be overlooked."""
        fill = self.fills.get(tone)
        if fill is None:
            return self.style(tone, bold=True)
        return Style(background=fill, foreground=fill.get_contrast_text(1.0), bold=True)


_ANSI_HUES = ("ansi_blue", "ansi_cyan", "ansi_magenta", "ansi_bright_black")
_DARK_HUES = ("#7aa2d6", "#5fb8b8", "#b59adf", "#d39ab5", "#a3b18a", "#c9a87c")
_LIGHT_HUES = ("#2f5f9f", "#0f6f6f", "#6a3fb0", "#9a3568", "#4d6128", "#7a5520")
_NEEDED = (
    "foreground",
    "background",
    "text-success",
    "text-warning",
    "text-error",
    "text-primary",
    "warning",
    "error",
)


@lru_cache(maxsize=8)
def _palette(name: str, dark: bool, variables: tuple[tuple[str, str], ...]) -> Palette:
    found = dict(variables)
    ansi = name.startswith("ansi") or found["foreground"].startswith("ansi")
    if ansi:
        old, new, quiet = "ansi_cyan", "ansi_magenta", "ansi_bright_black"
    elif dark:
        old, new, quiet = "#8fb3d9", "#c8a2ff", ""
    else:
        old, new, quiet = "#2f5f8f", "#7a2fd0", ""
    faded = (
        Color.parse(quiet)
        if quiet
        else Color.parse(found["background"]).blend(Color.parse(found["foreground"]), 0.6)
    )
    return Palette(
        colors={
            Tone.PLAIN: None,
            Tone.QUIET: faded,
            Tone.GOOD: Color.parse(found["text-success"]),
            Tone.BUSY: Color.parse(found["text-primary"]),
            Tone.UNKNOWN: Color.parse(found["text-warning"]),
            Tone.WAITING: Color.parse(found["text-warning"]),
            Tone.BAD: Color.parse(found["text-error"]),
            Tone.OLD: Color.parse(old),
            Tone.NEW: Color.parse(new),
        },
        hues=tuple(map(Color.parse, _ANSI_HUES if ansi else _DARK_HUES if dark else _LIGHT_HUES)),
        fills={
            Tone.WAITING: Color.parse(found["warning"]),
            Tone.UNKNOWN: Color.parse(found["warning"]),
            Tone.BAD: Color.parse(found["error"]),
        },
    )
