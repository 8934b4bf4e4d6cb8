"""What a Dockerfile asks of its builder."""

from __future__ import annotations

from pathlib import Path

import pytest

from bgconsole.domain.dockerfile import buildkit_reason, declared_arguments


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("FROM ruby\nRUN --mount=type=cache,target=/x bundle\n", "line 2: RUN --mount"),
        ("FROM ruby\nRUN --network=none --mount=type=ssh x\n", "line 2: RUN --mount"),
        ("# escape=`\n# syntax = docker/d:1\nFROM x\n", "line 2: # syntax=docker/d:1"),
        ("FROM x\nCOPY --link a b\n", "line 2: COPY --link"),
        ("FROM x\nCOPY --from=b --chmod=755 a b\n", "line 2: COPY --chmod"),
        ("FROM x\nRUN <<EOF\necho hi\nEOF\n", "line 2: a here-document"),
        ("FROM x\nRUN a && \\\n  # a remark\n  cat <<-'END' > f\nEND\n", "line 2: a here-document"),
        ("FROM x\n\nCOPY <<EOF /f\nhi\nEOF\n", "line 3: a here-document"),
    ],
)
def test_what_only_buildkit_can_is_named_with_its_line(text: str, reason: str) -> None:
    assert buildkit_reason(text) == reason


@pytest.mark.parametrize(
    "text",
    [
        "FROM x\n# RUN --mount=x\nRUN echo --mount=x\n",
        "# a remark\n# syntax=docker/dockerfile:1\nFROM x\n",
        "FROM --platform=linux/amd64 x\nCOPY --from=a --chown=1:1 b c\n",
        "FROM x\nRUN test $((1<<3)) = 8\nRUN cat <<< word\n",
        "",
    ],
)
def test_the_rest_is_for_any_builder(text: str) -> None:
    assert buildkit_reason(text) == ""


def test_the_shipped_app_needs_no_buildkit() -> None:
    text = (Path(__file__).parents[3] / "rails_app" / "Dockerfile").read_text()
    assert buildkit_reason(text) == ""
    assert declared_arguments(text) == {"BASE_IMAGE", "REVISION"}
