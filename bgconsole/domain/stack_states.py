"""The way back out of each state that a stack can be in: the 23 of CloudFormation.

What each state allows is that of CloudFormation's documentation on stack status codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class WayBack:
    """What can be done about a stack in some state."""

    words: str
    """For a person: what it means and how it goes on."""
    updates: bool = False
    """Whether a change set can be made for it now."""
    deletes: bool = False
    """Whether it can be deleted now."""
    cancels: bool = False
    """CancelUpdateStack."""
    continues: bool = False
    """ContinueUpdateRollback."""
    recreate: bool = False
    """Whether it must be deleted before it can be made again."""


_STEADY = "steady; the way back is an update with what was before: bgconsole up NAME PARAMETER=…"
_WAIT = "CloudFormation is at work and cannot be stopped here"

WAYS_BACK: Mapping[str, WayBack] = MappingProxyType(
    {
        "CREATE_IN_PROGRESS": WayBack(
            f"{_WAIT}; it can be deleted: bgconsole down NAME", deletes=True
        ),
        "CREATE_FAILED": WayBack(
            "a resource was not made and nothing was rolled back; delete it and make it again",
            deletes=True,
            recreate=True,
        ),
        "CREATE_COMPLETE": WayBack(_STEADY, updates=True, deletes=True),
        "ROLLBACK_IN_PROGRESS": WayBack(f"{_WAIT}: what the failed creation made is removed"),
        "ROLLBACK_FAILED": WayBack(
            "what the failed creation made could not all be removed; delete it",
            deletes=True,
            recreate=True,
        ),
        "ROLLBACK_COMPLETE": WayBack(
            "its creation failed and nothing is left in it; bgconsole up makes it again",
            deletes=True,
            recreate=True,
        ),
        "DELETE_IN_PROGRESS": WayBack(f"{_WAIT}: it is being deleted"),
        "DELETE_FAILED": WayBack(
            "something keeps it; see the failed resource, then again: bgconsole down NAME",
            deletes=True,
            recreate=True,
        ),
        "DELETE_COMPLETE": WayBack("it is gone; bgconsole up makes it again"),
        "UPDATE_IN_PROGRESS": WayBack(
            "cancel the update: CloudFormation rolls it back (bgconsole cancel-update NAME)",
            cancels=True,
        ),
        "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": WayBack(
            f"{_WAIT}: the update is done, what it replaced is removed"
        ),
        "UPDATE_COMPLETE": WayBack(_STEADY, updates=True, deletes=True),
        "UPDATE_FAILED": WayBack(
            "the update stopped half-way and was not rolled back; correct it and update again",
            updates=True,
            deletes=True,
        ),
        "UPDATE_ROLLBACK_IN_PROGRESS": WayBack(f"{_WAIT}: it is already going back"),
        "UPDATE_ROLLBACK_FAILED": WayBack(
            "the way back got stuck; correct what failed, or skip it, and continue: "
            "bgconsole continue-rollback NAME",
            continues=True,
            deletes=True,
        ),
        "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": WayBack(
            f"{_WAIT}: it is back, what the update made is removed"
        ),
        "UPDATE_ROLLBACK_COMPLETE": WayBack(
            "it is as it was before its last update, which failed; correct it and update again",
            updates=True,
            deletes=True,
        ),
        "REVIEW_IN_PROGRESS": WayBack(
            "only a draft of it is there; bgconsole up makes it, bgconsole down removes the draft",
            deletes=True,
            recreate=True,
        ),
        "IMPORT_IN_PROGRESS": WayBack(f"{_WAIT}: resources are being imported"),
        "IMPORT_COMPLETE": WayBack(_STEADY, updates=True, deletes=True),
        "IMPORT_ROLLBACK_IN_PROGRESS": WayBack(f"{_WAIT}: an import is being taken back"),
        "IMPORT_ROLLBACK_FAILED": WayBack(
            "taking an import back got stuck; import or update again",
            updates=True,
            deletes=True,
        ),
        "IMPORT_ROLLBACK_COMPLETE": WayBack(
            "an import failed and was taken back; import again, or update",
            updates=True,
            deletes=True,
        ),
    }
)

UNKNOWN = WayBack("bgconsole does not know this state: look at it in AWS's console")


def way_back(status: str, name: str = "NAME") -> WayBack:
    """The way back out of a state, with the stack's name in its commands."""
    found = WAYS_BACK.get(status, UNKNOWN)
    return WayBack(
        found.words.replace("NAME", name),
        found.updates,
        found.deletes,
        found.cancels,
        found.continues,
        found.recreate,
    )
