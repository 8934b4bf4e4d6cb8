"""What is written and said when the console meets a bug: never a local variable's value."""

from __future__ import annotations

import platform
from traceback import format_exception

from textual.content import Content

from bgconsole import __version__
from bgconsole.domain.masking import mask
from bgconsole.domain.plain import plain


def report(error: BaseException) -> str:
    """For the crash log: where it happened, secrets masked, no locals."""
    told = mask("".join(format_exception(error)))
    return f"bgconsole {__version__}, Python {platform.python_version()}\n\n{told}"


def said(error: BaseException, path: str) -> Content:
    """For the terminal, after the screen is gone."""
    where = f"The report is in {plain(path)}" if path else "No report could be written"
    return Content(
        f"bgconsole met a bug of its own and stopped: {type(error).__name__}.\n"
        f"{where}. What AWS was asked to do goes on."
    )
