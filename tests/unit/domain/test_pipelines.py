"""A pipeline's last execution in words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bgconsole.domain.pipelines import PipelineRun
from tests.values import NOW

RUN = PipelineRun(
    "web",
    status="Failed",
    started_at=NOW - timedelta(minutes=3),
    commit="1f3c2aa9b1c2d3e4f5061728394a5b6c7d8e9f00",
    summary='{"ProviderType":"GitHub","CommitMessage":"Add posts\\n\\nand more"}',
    trigger="arn:aws:sts::123456789012:assumed-role/ci/session",
    stage="Build",
    problem="exit status 1",
)


@pytest.mark.parametrize(
    ("run", "words", "wrong"),
    [
        (RUN, "Failed in Build, 3:00 ago · 1f3c2aa9 “Add posts” · by role/ci: exit status 1", True),
        (PipelineRun("web"), "has never run", False),
        (
            PipelineRun("web", status="Succeeded", stage="Ship", summary="Add", trigger="Hook"),
            "Succeeded · “Add” · by Hook",
            False,
        ),
        (PipelineRun("web", status="InProgress", stage="Migrate"), "InProgress in Migrate", False),
    ],
)
def test_it_says_where_it_stands_and_what_it_brings(
    run: PipelineRun, words: str, wrong: bool
) -> None:
    assert run.words(NOW) == words
    assert run.wrong is wrong
