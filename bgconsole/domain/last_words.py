"""The line of a task's output that best says why it ended."""

from __future__ import annotations

import re

_TELLING = re.compile(
    r"\b[A-Za-z_]\w*(?:::\w+)*(?:Error|Exception|Fault)\b"
    r"|\b[A-Z]\w*::[A-Z]\w+\b.*:"
    r"|\b(?:FATAL|PANIC|panic|Traceback|Killed|OOM|Segmentation fault)\b"
    r"|\b(?:ERROR|E,) "
)
_FRAME = re.compile(r"^\s*(?:from |at |File \"|[\w./-]+:\d+:in [`'])")
_PREFIX = re.compile(r"^(?:\[[0-9a-f-]{8,}\]\s*)?(?:[FEWID], \[[^\]]*\]\s+\w+ -- :\s*)?")
_WRAPPED = re.compile(r"\b[A-Z]\w*(?:::[A-Z]\w+)+(?=: )")
_CLASS_BEHIND = re.compile(r"\s*\((?:[A-Z]\w*::)*[A-Z]\w*\)\s*$")
_PLACE = re.compile(r"^\S+:\d+:in [`'][^`']*[`']:\s*")


def telling(message: str) -> str:
    """What the line says of an error, without its log prefix; empty where it says nothing.

    A frame of a backtrace is not telling; the line that names the exception is.
    """
    text = _PREFIX.sub("", message.strip(), count=1)
    unplaced = _PLACE.sub("", text, count=1)
    if unplaced == text and _FRAME.match(text):
        return ""
    if not _TELLING.search(unplaced):
        return ""
    # "Unable to load: ActiveRecord::StatementInvalid: PG::UndefinedColumn: …": the innermost tells.
    inner = list(_WRAPPED.finditer(unplaced))
    said = unplaced[inner[-1].start() :] if inner else unplaced
    said = " ".join(_CLASS_BEHIND.sub("", said).split())
    return said.removesuffix(")") if said.count(")") > said.count("(") else said
