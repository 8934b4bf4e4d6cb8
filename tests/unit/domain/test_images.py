"""References of images: what can name one at all."""

from __future__ import annotations

import pytest

from bgconsole.domain.images import is_reference

DIGEST = f"sha256:{64 * 'a'}"


@pytest.mark.parametrize(
    "text",
    [
        "rails",
        "rails:8.1",
        "127.0.0.1:4566/demorepo:8be01c9",
        f"123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/web_app--x:v1.2_3@{DIGEST}",
        f"localhost/web@{DIGEST}",
    ],
)
def test_what_docker_takes_is_a_reference(text: str) -> None:
    assert is_reference(text)


@pytest.mark.parametrize(
    "text",
    ["", "a b", "Web:v1", "web:v1:v2", "web@sha256:77ab10c2", "web:", "/web", "web/", "web:v1 "],
)
def test_what_docker_refuses_is_none(text: str) -> None:
    assert not is_reference(text)
