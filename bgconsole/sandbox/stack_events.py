"""Which events a stack tells: those of AWS, where the engine tells more or in other words.

The engine tells of every resource of an updated stack; CloudFormation only of those it touches. It
calls what an update adds an update, and leaves out the clean-up phase.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

STACK = "AWS::CloudFormation::Stack"
_CLEANING = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"


class Add(Protocol):
    """Records one event."""

    def __call__(
        self,
        stack_id: str,
        stack_name: str,
        logical_id: str,
        resource_type: str,
        status: str,
        reason: str = "",
        physical_id: str = "",
        detailed_status: str = "",
    ) -> None:
        """Record it, with the time of now."""
        ...


class Telling:
    """Stands before the engine's recorder of events; told what the engine really does.

    The parts of one operation come one after the other, so no lock is needed.
    """

    def __init__(self, add: Add, record_of: Callable[[str], dict[str, Any]]) -> None:
        """`record_of` gives a stack's record, whose `StackStatus` is changed here."""
        self._add = add
        self._record_of = record_of
        self._held: dict[tuple[str, str], Callable[[str], None]] = {}
        self._created: set[tuple[str, str]] = set()
        self._failed: dict[str, list[str]] = {}
        self._cleaning: set[str] = set()
        self._stuck: dict[str, dict[str, str]] = {}

    def touches(self, stack_name: str, logical_id: str, *, creates: bool = False) -> None:
        """The engine begins to change (or make) this resource now."""
        key = (str(self._record_of(stack_name).get("StackId")), logical_id)
        tell = self._held.pop(key, None)
        if tell is None:
            return
        if creates:
            self._created.add(key)
        tell("CREATE_IN_PROGRESS" if creates else "UPDATE_IN_PROGRESS")

    def event(
        self,
        stack_id: str,
        stack_name: str,
        logical_id: str,
        resource_type: str,
        status: str,
        reason: str = "",
        physical_id: str = "",
        detailed_status: str = "",
    ) -> None:
        """One event of the engine: recorded, held until the resource is touched, or dropped."""
        key = (stack_id, logical_id)

        def tell(told: str, why: str = reason) -> None:
            self._add(
                stack_id, stack_name, logical_id, resource_type, told, why, physical_id,
                detailed_status,
            )  # fmt: skip

        if resource_type == STACK and logical_id == stack_name:
            self._of_stack(stack_id, stack_name, status, reason, tell)
            return
        if status == "UPDATE_IN_PROGRESS" and not reason and not physical_id:
            self._held[key] = tell
            return
        if key in self._held:
            if status == "UPDATE_COMPLETE":
                del self._held[key]  # it was looked at and left as it is
                return
            if status == "UPDATE_IN_PROGRESS":
                del self._held[key]  # a replacement has a reason in the same place
            else:
                self.touches(stack_name, logical_id)
        if key in self._created and status in ("UPDATE_COMPLETE", "UPDATE_FAILED"):
            self._created.discard(key)
            status = status.replace("UPDATE", "CREATE")
        if status == "UPDATE_FAILED":
            self._stuck.setdefault(stack_id, {})[logical_id] = reason
        if status == "CREATE_FAILED":
            self._failed.setdefault(stack_id, []).append(logical_id)
        if status.startswith("DELETE_"):
            self._clean_up(stack_id, stack_name)
        tell(status)

    def _of_stack(
        self,
        stack_id: str,
        stack_name: str,
        status: str,
        reason: str,
        tell: Callable[..., None],
    ) -> None:
        failed = self._failed.pop(stack_id, [])
        if status == "ROLLBACK_IN_PROGRESS" and failed and reason == "Rollback requested":
            reason = (
                f"The following resource(s) failed to create: [{', '.join(failed)}]. "
                "Rollback requested by user."
            )
        if status == "UPDATE_COMPLETE" and stack_id not in self._cleaning:
            self._add(stack_id, stack_name, stack_name, STACK, _CLEANING, "", stack_id)
        self._cleaning.discard(stack_id)
        self._mark(stack_id, stack_name, status)
        tell(status, reason)

    def _mark(self, stack_id: str, stack_name: str, status: str) -> None:
        """A resource that could not go back is UPDATE_FAILED until it did, or was skipped.

        The engine gives it the status of before its update again.
        """
        if status == "UPDATE_ROLLBACK_IN_PROGRESS":
            self._stuck.pop(stack_id, None)
        resources = self._record_of(stack_name).get("_resources", {})
        if status == "UPDATE_ROLLBACK_FAILED":
            for name, reason in self._stuck.get(stack_id, {}).items():
                if name in resources:
                    resources[name] |= {
                        "ResourceStatus": "UPDATE_FAILED",
                        "ResourceStatusReason": reason,
                    }
        if status == "UPDATE_ROLLBACK_COMPLETE":
            for resource in resources.values():
                if resource.get("ResourceStatus") == "UPDATE_FAILED":
                    resource["ResourceStatus"] = "UPDATE_COMPLETE"
                    resource.pop("ResourceStatusReason", None)

    def _clean_up(self, stack_id: str, stack_name: str) -> None:
        """The first deletion of an update that went well so far begins its clean-up."""
        record = self._record_of(stack_name)
        if record.get("StackStatus") == "UPDATE_IN_PROGRESS":
            record["StackStatus"] = _CLEANING
            self._cleaning.add(stack_id)
            self._add(stack_id, stack_name, stack_name, STACK, _CLEANING, "", stack_id)
