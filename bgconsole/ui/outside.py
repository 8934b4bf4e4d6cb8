"""Text from outside (AWS, logs, containers) as content that is never parsed as markup."""

from __future__ import annotations

from textual.content import Content

from bgconsole.domain.plain import plain, plain_lines


def one_line(text: str, style: str = "") -> Content:
    """One line that no terminal and no markup parser acts on."""
    return Content.styled(plain(text), style) if style else Content(plain(text))


def lines(text: str, style: str = "") -> Content:
    """The same for text of several lines."""
    return Content("\n").join(
        Content.styled(line, style) if style else Content(line) for line in plain_lines(text)
    )
