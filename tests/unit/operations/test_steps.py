"""Steps that take longer than a call: what they tell, hand on, leave behind, and how they stop."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from bgconsole.domain.errors import AccessDenied, BgconsoleError, ExpiredCredentials, Unreachable
from bgconsole.gateway.port import Gateway, Submitted
from bgconsole.operations.spec import Evidence, Operation, Plan, Risk
from bgconsole.operations.step import Bench, Step
from bgconsole.watch.follow import Expected
from bgconsole.watch.telling import Amount, End, Note
from tests import worlds
from tests.unit.operations.conftest import Desk, MakeDesk
from tests.values import BAD, CONTAINER, MEOW, REF, REGISTRY, REPOSITORY

PUSHED = f"{REGISTRY}/{REPOSITORY}@{BAD.digest}"


def built(bench: Bench) -> Iterator[Note | Submitted | End]:
    """A long step that goes well and makes an image."""
    yield Note("step 1/9", kind="output")
    for done in (0, 50, 100):
        yield Note("pushing", amount=Amount("layer 1", done, 100))
    assert not bench.cancelled.is_set()
    yield Submitted("push-1", created=PUSHED)


def update(gateway: Gateway, made: Mapping[str, str]) -> Submitted:
    arn = gateway.changes.register_pinned(MEOW.definition_arn, {CONTAINER: made["image"]})
    return gateway.changes.update(REF, task_definition=arn.created)


def resumed(made: Mapping[str, str]) -> str:
    return f"bgconsole deploy --image {made.get('image', '?')}"


def plan(*steps: Step, expect: Expected | None = None) -> Operation:
    return Operation(
        id="service.try",
        title="Try",
        key="Y",
        help="Try it.",
        risk=Risk.DISRUPTIVE,
        allowed=lambda _: None,
        gather=lambda *_: Evidence(),
        plan=lambda *_: Plan("Try it", (), (), steps, expect=expect, before="revision 2"),
    )


def at_work(desk: MakeDesk, *steps: Step, expect: Expected | None = None) -> tuple[Desk, Any]:
    somebody = desk(worlds.steady())
    operation = plan(*steps, expect=expect)
    somebody.settings["operations"] = {operation.id: operation}
    proposal = somebody.runner.propose(operation, somebody.snapshot(), {})
    return somebody, proposal


BUILD = Step("build and push", work=built, makes="image", effect="prepares", go_on=resumed)
UPDATE = Step("update", act=update, go_on=resumed)


def test_a_long_step_tells_its_output_and_its_bytes_and_hands_on_what_it_made(
    desk: MakeDesk,
) -> None:
    expect = Expected(digests={CONTAINER: "image"})
    somebody, proposal = at_work(desk, BUILD, UPDATE, Step("follow"), expect=expect)
    outcome = somebody.run(proposal)
    assert outcome.ok, outcome
    assert [each.kind for each in somebody.told][:2] == ["step started", "output"]
    amounts = [each.amount for each in somebody.told if each.amount]
    assert [amount.done for amount in amounts] == [0, 50, 100]
    assert "push-1" in [each.request_id for each in somebody.told]
    running = {c.digest for task in somebody.world.tasks[REF] for c in task.containers}
    assert running == {BAD.digest}, "the digest that was made is the one that is proved"
    submitted = [r for r in somebody.audit.records() if r["event"] == "submitted"]
    assert submitted[0]["created"] == PUSHED


def test_a_step_that_ends_badly_ends_the_run_and_says_what_is_spared(desk: MakeDesk) -> None:
    def exits(_: Bench) -> Iterator[Note | Submitted | End]:
        yield Note("PG::Error", kind="output")
        yield End("failed", "The migration ended with exit code 3.", somebody.world.now)

    migrate = Step("wait for the migration", work=exits, effect="looks", go_on=resumed)
    somebody, proposal = at_work(desk, BUILD, migrate, UPDATE)
    outcome = somebody.run(proposal)
    assert (outcome.ok, outcome.exit_code, outcome.title) == (False, 1, "Failed")
    assert outcome.sentence == (
        "The migration ended with exit code 3. What serves was not changed. "
        f"Made before it: {PUSHED}."
    )
    assert outcome.go_on == f"bgconsole deploy --image {PUSHED}"
    assert somebody.world.writes == []
    assert somebody.events == ["started", "submitted", "failed"]


def test_cancelled_inside_a_step_nothing_later_is_begun(desk: MakeDesk) -> None:
    cancelled = threading.Event()

    def slow(bench: Bench) -> Iterator[Note | Submitted | End]:
        cancelled.set()
        if bench.wait(1.0):
            yield End("stopped", "The build was stopped.", bench.clock())

    somebody, proposal = at_work(
        desk, Step("build", work=slow, effect="prepares", go_on=resumed), UPDATE
    )
    outcome = somebody.run(proposal, cancelled)
    assert (outcome.title, outcome.exit_code) == ("Stopped", 130)
    assert outcome.sentence.endswith("What serves was not changed.")
    assert outcome.go_on.startswith("bgconsole deploy")
    assert somebody.world.writes == []
    assert somebody.events == ["started", "left"]


def test_cancelled_between_steps_says_what_was_made_and_how_to_go_on(desk: MakeDesk) -> None:
    cancelled = threading.Event()

    def last(bench: Bench) -> Iterator[Note | Submitted | End]:
        yield from built(bench)
        cancelled.set()

    somebody, proposal = at_work(
        desk, Step("build", work=last, makes="image", effect="prepares"), UPDATE
    )
    outcome = somebody.run(proposal, cancelled)
    assert outcome.sentence == (
        f"Stopped before step 2. What serves was not changed. Made before it: {PUSHED}."
    )
    assert outcome.go_on == f"bgconsole deploy --image {PUSHED}"
    assert outcome.exit_code == 130


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ExpiredCredentials("The credentials have expired"), 4),
        (Unreachable("No answer"), 1),
    ],
)
def test_looking_that_breaks_off_is_no_failure(desk: MakeDesk, error: Exception, code: int) -> None:
    def breaks(_: Bench) -> Iterator[Note | Submitted | End]:
        raise error
        yield

    somebody, proposal = at_work(
        desk, BUILD, Step("wait", work=breaks, effect="looks", go_on=resumed), UPDATE
    )
    outcome = somebody.run(proposal)
    assert outcome.title == "Submitted, not followed"
    assert outcome.exit_code == code
    assert "What serves was not changed" in outcome.sentence
    assert outcome.go_on


def raising(error: Exception) -> Callable[[Gateway, Mapping[str, str]], Submitted]:
    def act(_: Gateway, __: Mapping[str, str]) -> Submitted:
        raise error

    return act


def test_denied_in_the_middle_after_something_served_says_so(desk: MakeDesk) -> None:
    denied = Step("update the other", act=raising(AccessDenied("Denied", action="ecs:Update")))
    first = Step(
        "update the one",
        act=lambda gateway, _: gateway.changes.update(REF, force=True),
    )
    somebody, proposal = at_work(desk, first, denied)
    outcome = somebody.run(proposal)
    assert outcome.exit_code == 4
    assert "Done before it: update the one." in outcome.sentence
    assert "not changed" not in outcome.sentence


def test_an_operations_own_failure_is_told_with_its_code(desk: MakeDesk) -> None:
    def fails(_: Bench) -> Iterator[Note | Submitted | End]:
        raise BgconsoleError("The build failed", "RUN bundle install: exit code 7")
        yield

    somebody, proposal = at_work(desk, Step("build", work=fails, effect="prepares"), UPDATE)
    outcome = somebody.run(proposal)
    assert outcome.exit_code == 1
    assert outcome.sentence.startswith("The build failed: RUN bundle install: exit code 7")


def test_a_run_that_ends_in_a_long_step_ends_as_that_step_did(desk: MakeDesk) -> None:
    def well(bench: Bench) -> Iterator[Note | Submitted | End]:
        yield End("reached", "Exit code 0 after 12 s.", bench.clock(), unread="it does not serve")

    somebody, proposal = at_work(
        desk,
        Step("run the task", work=built, effect="prepares"),
        Step("wait for it", work=well, effect="looks"),
    )
    outcome = somebody.run(proposal)
    assert outcome.ok
    assert outcome.sentence == "Exit code 0 after 12 s."
    assert somebody.events == ["started", "submitted", "finished"]


def test_the_service_is_free_for_others_once_only_looking_is_left(desk: MakeDesk) -> None:
    def looks(bench: Bench) -> Iterator[Note | Submitted | End]:
        others = next(somebody.runner.run(proposal, threading.Event()))
        yield Note(f"another console: {others.kind}")
        yield End("reached", "Done.", bench.clock())

    somebody, proposal = at_work(
        desk,
        Step("run the task", work=built, effect="prepares"),
        Step("wait for it", work=looks, effect="looks"),
    )
    assert somebody.run(proposal).ok
    assert "another console: step started" in [each.text for each in somebody.told]
