"""The way back of every state, and why a stack failed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import botocore.session
import pytest

from bgconsole.domain.stack_cause import cause, first_failure, reason_words
from bgconsole.domain.stack_states import WAYS_BACK, way_back
from bgconsole.domain.stacks import STACK, StackEvent

START = datetime(2026, 3, 1, 14, 0, tzinfo=UTC)


def test_every_state_of_cloudformation_has_a_way_back() -> None:
    model = botocore.session.Session().get_service_model("cloudformation")
    states = model.shape_for("StackStatus").enum  # type: ignore[attr-defined]
    assert len(states) == 23
    assert set(states) == set(WAYS_BACK)


@pytest.mark.parametrize("status", sorted(WAYS_BACK))
def test_what_moves_takes_no_update_and_what_failed_is_said_how_to_leave(status: str) -> None:
    way = WAYS_BACK[status]
    assert way.words
    if status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS":
        assert not way.updates
        assert not way.continues
    elif status != "DELETE_COMPLETE":
        assert way.updates or way.deletes
    assert way.cancels == (status == "UPDATE_IN_PROGRESS")
    assert way.continues == (status == "UPDATE_ROLLBACK_FAILED")


def test_a_way_back_names_the_stack() -> None:
    assert "cancel-update demodb" in way_back("UPDATE_IN_PROGRESS", "demodb").words
    assert "does not know" in way_back("SOMETHING_NEW").words


def event(seconds: int, logical_id: str, status: str, reason: str = "") -> StackEvent:
    kind = STACK if logical_id == "demo" else "AWS::ECS::Service"
    at = START + timedelta(seconds=seconds)
    return StackEvent(str(seconds), at, logical_id, kind, status, stack="demo", reason=reason)


def test_the_cause_is_the_first_failure_that_no_other_caused() -> None:
    events = [
        event(9, "demo", "UPDATE_ROLLBACK_FAILED", "The following resource(s) failed: [Service]"),
        event(3, "Service", "UPDATE_FAILED", "it broke"),
        event(2, "Group", "CREATE_FAILED", "Resource creation cancelled"),
        event(1, "Group", "CREATE_IN_PROGRESS"),
    ]
    assert cause(events) == "Service (AWS::ECS::Service): it broke"
    found = first_failure(events[:1])
    assert found is not None
    assert found.of_stack
    assert cause([event(1, "Group", "CREATE_COMPLETE")]) == ""


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (
            "Resource handler returned message: \"Error occurred during operation 'ECS Deployment "
            "Circuit Breaker was triggered'.\" (RequestToken: 1-2, HandlerErrorCode: General)",
            "ECS Deployment Circuit Breaker was triggered",
        ),
        ("Resource handler returned message: no (RequestToken: 1, HandlerErrorCode: X)", "no"),
        ("url postgresql://u:geheim@db/foo is wrong.", "url postgresql://u:•••@db/foo is wrong"),
        ("a\x1b[31m b\nc", "a b c"),
    ],
)
def test_a_reason_is_read_without_its_wrapping_or_secrets(reason: str, words: str) -> None:
    assert reason_words(reason) == words
