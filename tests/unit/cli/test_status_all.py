"""`status --all`: the list as text and JSON, and what its exit code says of holes in it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from bgconsole.cli import status_all_json
from bgconsole.config.settings import Settings
from bgconsole.domain.errors import AccessDenied, ConfigurationError, ExpiredCredentials
from bgconsole.domain.identity import Place
from bgconsole.gateway.port import Gateway
from bgconsole.gateway.scripted import scripted_gateway
from tests import fleet
from tests.unit.cli.conftest import Terminal
from tests.values import CLUSTER

SCHEMA = json.loads(
    Path(status_all_json.__file__).with_name("status_all.schema.json").read_text("utf-8")
)


def facts(terminal: Terminal, *arguments: str, code: int = 0) -> dict[str, Any]:
    ended = terminal(*arguments, "status", "--all", "--json")
    assert ended.code == code, ended.err
    found: dict[str, Any] = json.loads(ended.out)
    Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(found)
    return found


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["properties"]["schema"]["const"] == status_all_json.SCHEMA


def test_every_service_of_every_cluster_worst_first(terminal: Terminal) -> None:
    terminal.world = fleet.calm(2, fleet.mixed(), "workers")
    found = facts(terminal)
    assert [one["cluster"] for one in found["clusters"]] == [CLUSTER, "workers"]
    assert [one["services"] for one in found["clusters"]] == [13, 2]
    assert len(found["services"]) == 15
    orders = next(one for one in found["services"] if one["name"] == "orders")
    assert (orders["word"], orders["severity"], orders["tag"]) == ("FAILING", "bad", "bad0c0d")
    assert (orders["old_revision"], orders["revision"]) == ("2", "3")
    assert orders["owner"] == "payments"
    order = ["good", "busy", "unknown", "waiting", "bad"]
    ranks = [order.index(one["severity"]) for one in found["services"]]
    assert ranks == sorted(ranks, reverse=True)


def test_the_text_is_aligned_and_explains_what_is_wrong(terminal: Terminal) -> None:
    terminal.world = fleet.mixed()
    ended = terminal("status", "--all")
    place, total, first, why, *_ = ended.out.splitlines()
    assert place == "account 123456789012 (demo) · us-east-1"
    assert total == "4 wrong, 1 waiting for you, 1 deploying, 7 running as asked"
    assert first.split()[:4] == ["✖", "DOWN", "cart", "0/4"]
    assert why.startswith("    0/4 tasks run")
    rows = [line for line in ended.out.splitlines() if line[:1] in "✖▲◐○?"]
    assert len({row.index("/") for row in rows if "/4 " in row}) == 1
    assert "health is not read" not in ended.out, "what runs needs no sentence"


@pytest.mark.parametrize("as_json", [True, False])
def test_hostile_names_are_plain(terminal: Terminal, as_json: bool) -> None:
    terminal.world = fleet.hostile()
    ended = terminal("status", "--all", *(["--json"] if as_json else []))
    assert ended.code == 0
    assert not any(c in ended.out for c in "\x1b\x00\x9b\x07")
    assert "[/foo]" in ended.out


def test_clusters_are_those_that_are_named(terminal: Terminal) -> None:
    terminal.world = fleet.calm(2, fleet.calm(1), "workers")
    assert len(facts(terminal, "--cluster", "workers")["services"]) == 2
    terminal.environ["BGCONSOLE_CLUSTERS"] = "workers"
    assert [c["cluster"] for c in facts(terminal)["clusters"]] == ["workers"]
    both = facts(terminal, "--cluster", CLUSTER)["clusters"]
    assert [c["cluster"] for c in both] == [CLUSTER, "workers"]
    assert terminal.world.count("services.clusters") == 0


def test_other_regions_are_asked_through_their_own_gateway(terminal: Terminal) -> None:
    home, abroad = fleet.calm(1), fleet.calm(1, fleet.empty(), "workers")
    abroad.place = Place("eu-west-1")

    def connect(settings: Settings) -> Gateway:
        if settings.region == "xx-mars-1":
            raise ConfigurationError("No such region", "xx-mars-1")
        return scripted_gateway(abroad if settings.region == "eu-west-1" else home)

    terminal.connect = connect
    terminal.environ["BGCONSOLE_CLUSTERS"] = f"{CLUSTER},eu-west-1/workers"
    found = facts(terminal)
    assert [(s["region"], s["name"]) for s in found["services"]] == [
        ("eu-west-1", "service-00"),
        ("us-east-1", "service-00"),
    ]
    terminal.environ["BGCONSOLE_CLUSTERS"] += ",xx-mars-1/base"
    broken = facts(terminal, code=1)
    assert len(broken["services"]) == 2
    assert "No such region: xx-mars-1" in broken["clusters"][2]["error"]


def test_a_hole_in_the_list_is_told_and_is_no_success(terminal: Terminal) -> None:
    terminal.environ["BGCONSOLE_CLUSTERS"] = f"{CLUSTER},nope"
    found = facts(terminal, code=1)
    assert "No such cluster" in found["clusters"][1]["absent"]
    assert len(found["services"]) == 1
    ended = terminal("status", "--all")
    assert ended.code == 1
    assert "No such cluster" in ended.err
    assert "? NOT THERE" in ended.out


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (AccessDenied("AWS denies", action="ecs:DescribeServices"), 4),
        (ExpiredCredentials("Credentials expired", "prod"), 4),
    ],
)
def test_trouble_has_the_exit_code_of_status(
    terminal: Terminal, error: AccessDenied, code: int
) -> None:
    terminal.world.fail("services.describe_all", error)
    assert terminal("status", "--all").code == code
    terminal.world.heal()
    terminal.world.fail("services.clusters", error)
    ended = terminal("status", "--all")
    assert (ended.code, ended.out) == (code, "")


def test_watching_all_is_refused(terminal: Terminal) -> None:
    assert terminal("status", "--all", "--watch").code == 2


def test_an_account_without_a_cluster_is_an_empty_list(terminal: Terminal) -> None:
    terminal.world = replace(fleet.empty())
    assert facts(terminal)["services"] == []
    assert "nothing" in terminal("status", "--all").out
