"""The console's own colours: quiet, so that what is loud must be looked at."""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="bgconsole",
    dark=True,
    primary="#5fa8d3",
    secondary="#7f9fb5",
    accent="#9fc5e8",
    warning="#e0b040",
    error="#e5626a",
    success="#6cbf84",
    foreground="#d6dbe1",
    background="#11151a",
    surface="#161b21",
    panel="#1e252d",
)
LIGHT = Theme(
    name="bgconsole-light",
    dark=False,
    primary="#1f6391",
    secondary="#4a6a80",
    accent="#1f6391",
    warning="#9a6b00",
    error="#b3261e",
    success="#1e7a3c",
    foreground="#1d2329",
    background="#fbfbf9",
    surface="#f2f2ee",
    panel="#e6e6e0",
)
THEMES = (DARK, LIGHT)
DEFAULT = DARK.name
