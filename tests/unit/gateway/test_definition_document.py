"""A task definition's document: everything that is run, and no value that may be secret."""

from __future__ import annotations

import json
from typing import Any

from bgconsole.gateway.definition_document import masked_document
from tests.values import MEOW, POSTS, SECRET_ARN, document

KEY = b"of this test"


def said(raw: dict[str, Any], key: bytes = KEY) -> Any:
    return masked_document(raw, key)


def test_no_environment_value_is_left() -> None:
    told = json.dumps(said(document(MEOW)))
    for secret in ("postgres", "pw2", "production"):
        assert secret not in told
    assert "DATABASE_URL" in told


def test_equal_values_look_alike_and_changed_ones_do_not() -> None:
    (one,), (other,) = (said(document(r))["containerDefinitions"] for r in (POSTS, MEOW))
    same, changed = zip(one["environment"], other["environment"], strict=True)
    assert same[0] == same[1]
    assert changed[0]["name"] == changed[1]["name"] == "DATABASE_URL"
    assert changed[0]["value"] != changed[1]["value"]


def test_a_mark_tells_nothing_without_the_key() -> None:
    (one,), (other,) = (
        said(document(MEOW), key)["containerDefinitions"] for key in (KEY, b"another")
    )
    assert one["environment"][0]["value"] != other["environment"][0]["value"]


def test_secrets_keep_name_and_arn() -> None:
    (container,) = said(document(MEOW))["containerDefinitions"]
    assert container["secrets"] == [{"name": "SECRET_KEY_BASE", "valueFrom": SECRET_ARN}]


def test_secrets_elsewhere_are_masked_by_shape_and_name() -> None:
    told = said(
        {
            "containerDefinitions": [
                {
                    "name": "web",
                    "command": ["run", "--url", "postgres://u:hunter2@db/x"],
                    "dockerLabels": {"api-token": "abc", "team": "shop"},
                    "repositoryCredentials": {"credentialsParameter": SECRET_ARN},
                }
            ],
            "revision": 7,
        }
    )
    (container,) = told["containerDefinitions"]
    assert container["command"][:2] == ["run", "--url"]
    assert container["command"][2].startswith("postgres://u:•••@db/x ")
    assert container["dockerLabels"]["team"] == "shop"
    assert container["dockerLabels"]["api-token"].startswith("••• ")
    assert container["repositoryCredentials"] == {"credentialsParameter": SECRET_ARN}
    assert "revision" not in told
