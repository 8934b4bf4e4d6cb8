"""What is left of AWS's reasons where there is room for a sentence."""

from __future__ import annotations

import pytest

from bgconsole.domain.cause import heart

SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:demodb-DatabaseUrl-a1b2c3"


@pytest.mark.parametrize(
    ("reason", "left"),
    [
        (
            "ResourceInitializationError: unable to pull secrets or registry auth: execution "
            "resource retrieval failed: unable to retrieve secret from asm: service call has been "
            f"retried 1 time(s): failed to fetch secret {SECRET} from secrets manager: "
            "ResourceNotFoundException: Secrets Manager can't find the specified secret.",
            "ResourceInitializationError: failed to fetch secret demodb-DatabaseUrl-a1b2c3 from "
            "secrets manager: ResourceNotFoundException: Secrets Manager can't find the specified "
            "secret.",
        ),
        (
            "CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to "
            "resolve ref app:v9: not found",
            "CannotPullContainerError: failed to resolve ref app:v9: not found",
        ),
        (
            "Task failed ELB health checks in (target-group "
            "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/blue/6d0e)",
            "Task failed ELB health checks in (target-group blue/6d0e)",
        ),
        (
            "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to "
            f"resolve ref app@sha256:2870668b{56 * 'a'}: app@sha256:2870668b{56 * 'a'}: not found",
            "CannotPullContainerError: failed to resolve ref app@sha256:2870668b: not found",
        ),
        ("OutOfMemoryError: container killed", "OutOfMemoryError: container killed"),
    ],
)
def test_what_is_wrong_is_not_behind_where_it_happened(reason: str, left: str) -> None:
    assert heart(reason) == left
