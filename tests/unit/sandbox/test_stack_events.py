"""Events of a stack: told as AWS tells them, whatever the engine says."""

from __future__ import annotations

from typing import Any

from bgconsole.sandbox.stack_events import STACK, Telling

ID = "arn:aws:cloudformation:us-east-1:123456789012:stack/web/1"


class Engine:
    """Records what is told, and tells as the engine does."""

    def __init__(self, status: str) -> None:
        self.record: dict[str, Any] = {"StackId": ID, "StackStatus": status}
        self.told: list[tuple[str, str, str]] = []
        self.telling = Telling(self._add, lambda _: self.record)

    def _add(
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
        self.told.append((logical_id, status, reason))

    def says(self, logical_id: str, status: str, reason: str = "", **more: Any) -> None:
        kind = STACK if logical_id == "web" else "AWS::ECS::Service"
        self.telling.event(ID, "web", logical_id, kind, status, reason, **more)


def test_a_resource_that_stays_as_it_is_is_not_told() -> None:
    engine = Engine("UPDATE_IN_PROGRESS")

    engine.says("Same", "UPDATE_IN_PROGRESS")
    engine.says("Same", "UPDATE_COMPLETE")
    engine.says("Other", "UPDATE_IN_PROGRESS")
    engine.telling.touches("web", "Other")
    engine.says("Other", "UPDATE_COMPLETE")

    assert engine.told == [("Other", "UPDATE_IN_PROGRESS", ""), ("Other", "UPDATE_COMPLETE", "")]


def test_what_an_update_adds_is_created() -> None:
    engine = Engine("UPDATE_IN_PROGRESS")

    for end in ("UPDATE_COMPLETE", "UPDATE_FAILED"):
        engine.says("New", "UPDATE_IN_PROGRESS")
        engine.telling.touches("web", "New", creates=True)
        engine.says("New", end)

    assert [status for _, status, _ in engine.told] == [
        "CREATE_IN_PROGRESS",
        "CREATE_COMPLETE",
        "CREATE_IN_PROGRESS",
        "CREATE_FAILED",
    ]


def test_a_replacement_begins_with_its_reason_once() -> None:
    engine = Engine("UPDATE_IN_PROGRESS")

    engine.says("Definition", "UPDATE_IN_PROGRESS")
    engine.says("Definition", "UPDATE_IN_PROGRESS", "Requested update requires …")
    engine.telling.touches("web", "Definition")
    engine.says("Definition", "UPDATE_COMPLETE")

    assert engine.told == [
        ("Definition", "UPDATE_IN_PROGRESS", "Requested update requires …"),
        ("Definition", "UPDATE_COMPLETE", ""),
    ]


def test_a_failure_before_anything_was_touched_is_told_with_its_beginning() -> None:
    engine = Engine("UPDATE_IN_PROGRESS")

    engine.says("Service", "UPDATE_IN_PROGRESS")
    engine.says("Service", "UPDATE_FAILED", "no")

    assert engine.told == [
        ("Service", "UPDATE_IN_PROGRESS", ""),
        ("Service", "UPDATE_FAILED", "no"),
    ]


def test_the_way_back_is_told_as_it_comes() -> None:
    engine = Engine("UPDATE_ROLLBACK_IN_PROGRESS")

    engine.says("Service", "UPDATE_IN_PROGRESS", physical_id="arn")
    engine.says("Service", "UPDATE_COMPLETE", physical_id="arn")
    engine.says("Definition", "DELETE_COMPLETE")

    assert [status for _, status, _ in engine.told] == [
        "UPDATE_IN_PROGRESS",
        "UPDATE_COMPLETE",
        "DELETE_COMPLETE",
    ]


def test_an_update_ends_with_its_clean_up_told_once() -> None:
    engine = Engine("UPDATE_IN_PROGRESS")

    engine.says("Definition", "DELETE_SKIPPED")
    assert engine.record["StackStatus"] == "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
    engine.says("Rule", "DELETE_COMPLETE")
    engine.record["StackStatus"] = "UPDATE_COMPLETE"
    engine.says("web", "UPDATE_COMPLETE")
    engine.says("web", "UPDATE_COMPLETE")  # of the next update, with nothing to remove

    assert [status for _, status, _ in engine.told] == [
        "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        "DELETE_SKIPPED",
        "DELETE_COMPLETE",
        "UPDATE_COMPLETE",
        "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        "UPDATE_COMPLETE",
    ]


def test_a_failed_create_names_what_failed() -> None:
    engine = Engine("CREATE_IN_PROGRESS")

    engine.says("Service", "CREATE_FAILED", "no")
    engine.says("web", "ROLLBACK_IN_PROGRESS", "Rollback requested")

    assert engine.told[-1][2] == (
        "The following resource(s) failed to create: [Service]. Rollback requested by user."
    )


def test_what_could_not_go_back_is_failed_until_it_is_skipped() -> None:
    engine = Engine("UPDATE_IN_PROGRESS")
    service = {"ResourceStatus": "CREATE_COMPLETE"}
    engine.record["_resources"] = {"Service": service, "Other": {"ResourceStatus": "X"}}

    engine.says("Other", "UPDATE_FAILED", "its own update")
    engine.says("web", "UPDATE_ROLLBACK_IN_PROGRESS")
    engine.says("Service", "UPDATE_FAILED", "TaskDefinition is inactive")
    engine.says("web", "UPDATE_ROLLBACK_FAILED")

    assert service == {
        "ResourceStatus": "UPDATE_FAILED",
        "ResourceStatusReason": "TaskDefinition is inactive",
    }
    assert engine.record["_resources"]["Other"] == {"ResourceStatus": "X"}
    engine.says("web", "UPDATE_ROLLBACK_COMPLETE")
    assert service == {"ResourceStatus": "UPDATE_COMPLETE"}
