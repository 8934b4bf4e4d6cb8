"""A service's metadata without reading its model, and the model when it is wanted."""

from __future__ import annotations

import pytest

from bgconsole.sandbox.wire.lazy_model import LazyModel, metadata
from bgconsole.sandbox.wire.models import service_model


@pytest.mark.parametrize(
    "service", ["cloudformation", "cloudwatch", "ec2", "ecr", "iam", "logs", "rds", "ssm", "sts"]
)
def test_the_metadata_is_that_of_the_model(service: str) -> None:
    assert metadata(service) == service_model(service).metadata


def test_anything_else_comes_from_the_model() -> None:
    model = LazyModel("sts")

    assert "AssumeRole" in model.operation_names
    assert model.metadata["protocol"] == "query"


def test_a_service_that_is_not_there_is_said_so() -> None:
    with pytest.raises(LookupError):
        LazyModel("no-such-service")
