"""Where a roll back goes: by record and content, never one revision less."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bgconsole.domain.rollback import choose, pins, way_back
from bgconsole.domain.services import ContainerImage
from bgconsole.domain.snapshot import Snapshot
from bgconsole.domain.versions import Version, alike, live_version
from bgconsole.gateway.scripted import ScriptedWorld, scripted_gateway
from bgconsole.watch.once import read
from tests import values, worlds
from tests.values import BAD, CONTAINER, MEOW, NOW, POSTS, REF, Rollout


def seen(world: ScriptedWorld) -> Snapshot:
    return read(scripted_gateway(world), REF, lambda: world.now)


def history(*rollouts: Rollout, statuses: tuple[str, ...] = ()) -> ScriptedWorld:
    """A steady world whose service went through these, oldest first."""
    world = worlds.steady()
    records = []
    for index, rollout in enumerate(rollouts):
        sources = rollouts[index - 1 : index] if index else ()
        status = statuses[index] if statuses else "SUCCESSFUL"
        records.append(values.service_deployment(rollout, *sources, status=status))
        world.revisions[rollout.revision_arn] = values.revision(rollout)
        world.definitions.setdefault(rollout.definition_arn, values.definition(rollout))
    last = rollouts[-1]
    live = last if not statuses or statuses[-1] == "SUCCESSFUL" else rollouts[-2]
    world.history[REF] = tuple(reversed(records))
    world.tasks[REF] = tuple(values.task(live, i) for i in range(4))
    world.services[REF] = replace(
        world.services[REF],
        task_definition=live.definition_arn,
        deployments=(values.deployment(live),),
    )
    return world


def again(rollout: Rollout, minutes: float, **changes: object) -> Rollout:
    """A later deployment of the same, with changes."""
    number = f"9{int(minutes * 10):018d}"
    made: Rollout = replace(  # type: ignore[call-overload]
        rollout, at=NOW - timedelta(minutes=minutes), number=number, **changes
    )
    return made


def test_the_newest_other_success_is_the_way_back() -> None:
    back = way_back(seen(worlds.steady()))
    assert back is not None
    assert (back.to, back.words) == ("1", "back to 1 (cold: 4 new tasks, about 3 min)")


def test_while_deploying_ecs_is_asked_to_go_to_its_own_source() -> None:
    choice = choose(seen(worlds.deploying()))
    assert choice.stop is not None
    assert choice.target is not None
    assert choice.target.revision == "1"
    back = way_back(seen(worlds.deploying()))
    assert back is not None
    assert back.words == "back to 1 (warm: old tasks still run)"


def test_force_redeploys_of_a_bad_image_are_skipped() -> None:
    world = history(POSTS, MEOW, again(MEOW, 40), again(MEOW, 20))
    choice = choose(seen(world))
    assert choice.target is not None
    assert choice.target.revision == "1"
    assert [(c.version.revision, c.same_as_live, c.deployments) for c in choice.candidates] == [
        ("2", True, 3),
        ("1", False, 1),
    ]


def test_one_definition_with_a_mutable_tag_ran_as_two_versions() -> None:
    old = replace(POSTS, tag="latest", revision=2)
    new = replace(MEOW, tag="latest")
    choice = choose(seen(history(old, new)))
    assert choice.target is not None
    assert choice.target.revision == "2"
    assert choice.target.digests == {CONTAINER: POSTS.digest}


def test_a_deployment_that_was_rolled_back_is_no_candidate_and_going_further_is_no_guess() -> None:
    choice = choose(seen(worlds.rolled_back()))
    assert choice.target is None
    assert "because the deployment of revision 3 was rolled back" in choice.reason
    assert [c.version.revision for c in choice.candidates] == ["2", "1"]
    assert way_back(seen(worlds.rolled_back())) is None


def test_what_was_deployed_again_after_a_roll_back_is_not_live_for_the_roll_backs_sake() -> None:
    statuses = ("SUCCESSFUL", "SUCCESSFUL", "ROLLBACK_SUCCESSFUL", "SUCCESSFUL")
    choice = choose(seen(history(POSTS, MEOW, BAD, again(MEOW, 20), statuses=statuses)))
    assert choice.target is None
    assert choice.reason == (
        "Revision 2 was deployed again after the deployment of revision 3 had been rolled back "
        "to it: going further back is not guessed."
    )
    by_hand = choose(seen(history(POSTS, MEOW, again(POSTS, 40), again(POSTS, 20))))
    assert by_hand.reason == (
        "Revision 1 is live again after revision 2, and was deployed once more since: "
        "going further back is not guessed."
    )


def test_a_version_that_is_live_again_is_the_result_of_a_roll_back() -> None:
    choice = choose(seen(history(POSTS, MEOW, again(POSTS, 20))))
    assert choice.target is None
    assert "live again after revision 2" in choice.reason


def test_so_is_a_copy_pinned_to_the_digest() -> None:
    pinned = again(POSTS, 20, revision=3)
    world = history(POSTS, MEOW, pinned)
    made = world.revisions[pinned.revision_arn]
    image = replace(made.images[0], image=f"{values.REGISTRY}/app@{POSTS.digest}")
    world.revisions[pinned.revision_arn] = replace(made, images=(image,))
    choice = choose(seen(world))
    assert choice.target is None
    assert "live again after revision 2" in choice.reason


def test_so_is_a_copy_that_names_the_same_tag() -> None:
    choice = choose(seen(history(POSTS, MEOW, again(POSTS, 20, revision=3))))
    assert choice.target is None


def test_the_same_image_under_another_tag_is_no_roll_back() -> None:
    """Both versions pushed under one tag after they had run under their own."""
    first = again(POSTS, 30, revision=3, tag="latest")
    second = again(MEOW, 20, revision=3, tag="latest")
    choice = choose(seen(history(POSTS, MEOW, first, second)))
    assert choice.target is not None
    assert choice.target.digests == {CONTAINER: POSTS.digest}
    assert choice.target.revision == "3"


def test_a_named_revision_is_taken_from_the_record() -> None:
    choice = choose(seen(worlds.rolled_back()), to="1")
    assert choice.target is not None
    assert choice.target.service_revision == POSTS.revision_arn
    assert choice.ran is not None
    assert choice.ran.until is not None


def test_a_named_revision_without_a_record_is_taken_by_its_number() -> None:
    choice = choose(seen(worlds.steady()), to="7")
    assert choice.target is not None
    assert choice.target.task_definition.endswith(":7")
    assert not choice.target.images


@pytest.mark.parametrize(("to", "part"), [("2", "is what is live"), ("x", "No deployment")])
def test_a_named_revision_that_makes_no_sense(to: str, part: str) -> None:
    choice = choose(seen(worlds.steady()), to=to)
    assert choice.target is None
    assert part in choice.reason


def test_one_of_several_versions_is_named_by_its_digest() -> None:
    first, second = replace(POSTS, tag="latest", revision=2), replace(MEOW, tag="latest")
    third = again(BAD, 20, tag="latest", revision=2)
    snapshot = seen(history(first, second, third))
    newest, oldest = choose(snapshot, to="2"), choose(snapshot, to="2@9d1d59")
    assert newest.target is not None
    assert newest.target.digests == {CONTAINER: MEOW.digest}
    assert oldest.target is not None
    assert oldest.target.digests == {CONTAINER: POSTS.digest}


def test_without_a_record_nothing_is_guessed() -> None:
    world = worlds.steady()
    world.history[REF] = ()
    choice = choose(seen(world))
    assert choice.target is None
    assert "no record" in choice.reason


def test_the_first_deployment_has_nothing_before_it() -> None:
    world = worlds.steady()
    world.history[REF] = (values.service_deployment(MEOW),)
    assert "No earlier version" in choose(seen(world)).reason
    world.history[REF] = (values.service_deployment(MEOW, status="IN_PROGRESS"),)
    assert "nothing it could go back to" in choose(seen(world)).reason


def test_a_roll_back_under_way_is_not_asked_for_twice() -> None:
    world = worlds.deploying()
    newest, *older = world.history[REF]
    world.history[REF] = (replace(newest, status="ROLLBACK_IN_PROGRESS"), *older)
    choice = choose(seen(world))
    assert choice.target is None
    assert choice.reason == "A roll back to revision 1 is under way already."


def test_content_tells_two_definitions_apart_and_together() -> None:
    one = Version(values.definition_arn(1), (replace(POSTS.image, digest=MEOW.digest),))
    two = Version(values.definition_arn(2), (MEOW.image,))
    definitions = {r.definition_arn: values.definition(r) for r in (POSTS, MEOW)}
    assert alike(one, two, definitions) is None, "their content is not known"

    def holding(first: str, second: str) -> bool | None:
        known = {
            arn: replace(definition, content=content)
            for (arn, definition), content in zip(definitions.items(), (first, second), strict=True)
        }
        return alike(one, two, known)

    assert holding("same", "same") is True
    assert holding("same", "other") is False


def test_what_could_change_the_choice_is_asked_for() -> None:
    changed = replace(MEOW, revision=3, number="911", at=NOW - timedelta(hours=1))
    world = history(POSTS, MEOW, changed)
    choice = choose(seen(world))
    assert choice.undecided == (MEOW.definition_arn,)
    known = {
        arn: replace(definition, content="the same but for the image")
        for arn, definition in world.definitions.items()
    }
    decided = choose(seen(world), known)
    assert decided.target is not None
    assert decided.target.revision == "1", "revision 2 is the same as what is live"


@pytest.mark.parametrize(
    ("means_now", "pinned"),
    [
        ({"r/app:latest": "sha256:new"}, True),
        ({"r/app:latest": "sha256:old"}, False),
        ({"r/app:latest": ""}, True),
        ({}, True),
    ],
)
def test_a_tag_that_may_mean_another_image_is_pinned(
    means_now: dict[str, str], pinned: bool
) -> None:
    ran = Version("arn:td/f:1", (ContainerImage("app", "r/app:latest", "sha256:old"),))
    found = pins(ran, None, means_now)
    assert found == ({"app": "r/app@sha256:old"} if pinned else {})


def test_an_inactive_definition_is_copied_and_pinned() -> None:
    definition = replace(values.definition(POSTS), status="INACTIVE")
    ran = Version(POSTS.definition_arn, (POSTS.image,))
    assert pins(ran, definition, {POSTS.image.image: POSTS.digest}) == {
        CONTAINER: f"{values.REGISTRY}/{values.REPOSITORY}@{POSTS.digest}"
    }


def test_what_is_live_is_read_from_tasks_where_there_is_no_record() -> None:
    world = worlds.steady()
    world.history[REF] = ()
    live = live_version(seen(world))
    assert live is not None
    assert live.digests == {CONTAINER: MEOW.digest}
