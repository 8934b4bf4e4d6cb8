"""The task-definition diff: what differs, what is left out, and which two are compared."""

from __future__ import annotations

from typing import Any

from bgconsole.domain.definition_diff import Compared, DiffLine, compared, difference, lines_of
from bgconsole.domain.snapshot import Snapshot
from bgconsole.gateway.scripted import ScriptedWorld, scripted_gateway
from bgconsole.watch.once import read
from tests import worlds
from tests.values import BAD, CONTAINER, MEOW, NOW, POSTS, REF, document


def seen(world: ScriptedWorld) -> Snapshot:
    return read(scripted_gateway(world), REF, lambda: NOW)


def differing(old: Any, new: Any, **digests: Any) -> tuple[DiffLine, ...]:
    return difference(old, new, **{"old_digests": {}, "new_digests": {}, **digests})


def test_what_differs_stands_between_lines_that_do_not() -> None:
    told = differing(
        document(POSTS),
        document(MEOW),
        old_digests=POSTS_DIGESTS,
        new_digests=MEOW_DIGESTS,
    )
    text = [f"{line.kind}: {line.text.strip()}" for line in told]
    assert f"old: image: {POSTS.image.image}" in text
    assert f"new: digest: {MEOW.digest[:19]}…" in text
    assert "old: memory: 512" in text and "new: memory: 768" in text
    assert "same: cpu: 256" in text
    assert not any("awslogs-region" in line for line in text)
    assert text.index("old: memory: 512") < text.index("new: memory: 768")


def test_alike_is_no_line_at_all_whatever_the_order() -> None:
    one = {"b": 1, "containerDefinitions": [{"name": "y"}, {"name": "x", "image": "i"}]}
    other = {"containerDefinitions": [{"image": "i", "name": "x"}, {"name": "y"}], "b": 1}
    assert differing(one, other) == ()


def test_the_same_definition_with_another_digest_differs_in_the_digest_alone() -> None:
    told = differing(
        document(MEOW), document(MEOW), old_digests=POSTS_DIGESTS, new_digests=MEOW_DIGESTS
    )
    assert [line.text.strip() for line in told if line.kind in ("old", "new")] == [
        f"digest: {POSTS.digest[:19]}…",
        f"digest: {MEOW.digest[:19]}…",
    ]
    assert told[-1].kind == "left out"


def test_every_shape_has_its_lines() -> None:
    lines = lines_of(
        {
            "family": "f",
            "volumes": [],
            "placementConstraints": [{"type": "memberOf", "expression": "a  b"}],
            "containerDefinitions": [
                {
                    "name": "web",
                    "essential": True,
                    "command": ["run", "it"],
                    "environment": [{"name": "B", "value": "••• 1"}, {"name": "A", "value": "2"}],
                    "logConfiguration": {"options": {"x": "y"}},
                    "portMappings": [{"containerPort": 80, "protocol": "tcp"}],
                }
            ],
        },
        {"web": "sha256:1"},
    )
    assert lines == [
        "containers:",
        "  web:",
        "    image: ",
        "    digest: sha256:1…",
        "    command: [run, it]",
        "    environment:",
        "      A: 2",
        "      B: ••• 1",
        "    essential: true",
        "    logConfiguration:",
        "      options:",
        "        x: y",
        "    portMappings:",
        "      -",
        "        containerPort: 80",
        "        protocol: tcp",
        "family: f",
        "placementConstraints:",
        "  -",
        "    expression: a b",
        "    type: memberOf",
    ]


def test_while_deploying_the_two_sides_are_compared() -> None:
    assert numbers(compared(seen(worlds.crash_looping()))) == (MEOW.revision, BAD.revision)


def test_at_rest_the_newest_change_is_compared() -> None:
    assert numbers(compared(seen(worlds.steady()))) == (POSTS.revision, MEOW.revision)
    assert numbers(compared(seen(worlds.rolled_back()))) == (MEOW.revision, BAD.revision)


def test_without_a_record_nothing_is_compared() -> None:
    world = worlds.steady()
    world.history[REF] = ()
    assert compared(seen(world)) is None


def numbers(found: Compared | None) -> tuple[int, int]:
    assert found is not None
    return int(found.old.revision), int(found.new.revision)


POSTS_DIGESTS = {CONTAINER: POSTS.digest}
MEOW_DIGESTS = {CONTAINER: MEOW.digest}
