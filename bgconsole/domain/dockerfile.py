"""What a Dockerfile asks of its builder, read from its text."""

from __future__ import annotations

import re

_SYNTAX = re.compile(r"#\s*syntax\s*=\s*(\S+)", re.IGNORECASE)
_DIRECTIVE = re.compile(r"#\s*(?:escape|check)\s*=", re.IGNORECASE)
"""Behind another comment Docker reads no directive any more."""
_FLAG = re.compile(
    r"(?:RUN\s+(?:--\S+\s+)*(--(?:mount|network|security)\b)"
    r"|(?:COPY|ADD)\s+(?:--\S+\s+)*(--(?:link|chmod|parents|exclude|checksum|keep-git-dir)\b))",
    re.IGNORECASE,
)
_HEREDOC = re.compile(
    r"(?:RUN|COPY|ADD)\s.*(?<![<\w])<<-?(?:\"\w+\"|'\w+'|[A-Za-z_]\w*)", re.IGNORECASE
)
_ARG = re.compile(r"\s*ARG\s+(\w+)", re.IGNORECASE)


def buildkit_reason(text: str) -> str:
    """Why a Dockerfile cannot be built by the classic builder, in words; empty where it can.

    As Docker documents: a `# syntax` line, flags such as `RUN --mount`, here-documents.
    """
    directives = True
    for number, line in _logical_lines(text):
        if line.startswith("#"):
            if directives and (found := _SYNTAX.match(line)):
                return f"line {number}: # syntax={found[1]}"
            directives = directives and _DIRECTIVE.match(line) is not None
            continue
        directives = False
        word = line.split(maxsplit=1)[0].upper()
        if flag := _FLAG.match(line):
            return f"line {number}: {word} {flag[1] or flag[2]}"
        if _HEREDOC.match(line):
            return f"line {number}: a here-document"
    return ""


def declared_arguments(text: str) -> frozenset[str]:
    """The names that a Dockerfile declares with ARG."""
    return frozenset(match[1] for line in text.splitlines() if (match := _ARG.match(line)))


def _logical_lines(text: str) -> list[tuple[int, str]]:
    """Lines with their continuations, each with the number of its first; no empty ones."""
    found: list[tuple[int, str]] = []
    begun, start = "", 0
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if begun and line.startswith("#"):
            continue
        start = start if begun else number
        begun += line
        if begun.endswith("\\") and not begun.startswith("#"):
            begun = begun[:-1] + " "
            continue
        if begun:
            found.append((start, begun))
        begun = ""
    return [*found, (start, begun)] if begun.strip() else found
