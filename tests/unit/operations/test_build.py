"""Build and push: what is made and under which name, what is refused before, what goes wrong."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from bgconsole.domain.builds import BuildLine, Built, Layer, Order, Pushed, Source
from bgconsole.domain.errors import (
    AccessDenied,
    ExpiredCredentials,
    NotThere,
    Rejected,
    Unreachable,
)
from bgconsole.domain.images import Image
from bgconsole.gateway.scripted import ScriptedWorld
from bgconsole.operations.first_image import first_image
from bgconsole.operations.outcome import PlanChanged
from bgconsole.operations.spec import Risk
from bgconsole.operations.stack_templates import Feed
from tests import worlds
from tests.unit.operations.conftest import MakeDesk, states
from tests.unit.operations.test_plans import facts
from tests.values import MEOW, NOW, REF, REGISTRY, REPOSITORY

B = "image.build"
DIGEST = "sha256:" + "c" * 64


def nothing(_: ScriptedWorld) -> None:
    """Time passes."""


def test_a_repository_that_is_still_to_be_made_leaves_no_hole_in_the_command() -> None:
    source = Source("/src/app", "/src/app/Dockerfile", files=1, size=9, revision="5e0c4a1")
    _, push = first_image(Feed("demorepo", "RepositoryUri"), source, worlds.steady().place)
    assert push.command.endswith(
        "docker login -u AWS --password-stdin REGISTRY && docker push REPOSITORY_URI:5e0c4a1"
    )


def test_an_image_of_the_commit_goes_to_the_repository_of_the_service(desk: MakeDesk) -> None:
    somebody = desk(worlds.steady())
    proposal = somebody.proposed(B)

    assert proposal.risk is Risk.DISRUPTIVE
    assert proposal.plan.summary == f"Build rails_app and push it as {REPOSITORY}:5e0c4a1"
    assert facts(proposal.plan)["image"] == f"{REGISTRY}/{REPOSITORY}:5e0c4a1"
    assert facts(proposal.plan)["source"] == "/src/rails_app at 5e0c4a1"
    assert set(states(proposal.plan).values()) == {"ok"}
    assert proposal.plan.steps[0].command.startswith("docker build --build-arg REVISION=5e0c4a1 ")
    assert "password" not in " ".join(step.command for step in proposal.plan.steps).replace(
        "get-login-password", ""
    ).replace("--password-stdin", "")

    outcome = somebody.run(proposal)

    assert outcome.ok, outcome
    assert DIGEST in outcome.sentence
    [order] = [c.arguments["order"] for c in somebody.world.calls if c.name == "docker.build"]
    assert isinstance(order, Order)
    assert order.names == (f"{REGISTRY}/{REPOSITORY}:5e0c4a1",)
    assert order.arguments == {"REVISION": "5e0c4a1"}
    assert somebody.world.images[REPOSITORY][0].tags == ("5e0c4a1",)
    assert somebody.world.writes == [], "what serves is not touched"
    texts = [each.text for each in somebody.told if each.kind == "output"]
    assert texts[0] == "Step 1/2 : FROM ruby:3.4-slim"
    assert "layer 248e1baffdd4: layer already exists" in texts
    assert "layer e010cb8e0d0e: pushed 61.4 kB" in texts
    amounts = [(a.of, a.done, a.total) for e in somebody.told if (a := e.amount)]
    assert ("build context", 61_440, 61_440) in amounts
    assert ("layer e010cb8e0d0e", 40_000, 61_440) in amounts
    assert amounts[-1] == ("layer e010cb8e0d0e", 61_440, 61_440)
    [submitted] = [r for r in somebody.audit.records() if r["event"] == "submitted"]
    assert submitted["created"] == f"{REGISTRY}/{REPOSITORY}@{DIGEST}"
    assert f"now   {REPOSITORY}:5e0c4a1 is {DIGEST}, as read back from ECR" in outcome.receipt
    assert "password 1" not in somebody.audit.path.read_text()


def test_what_is_not_committed_is_said_and_seen_in_the_tag(desk: MakeDesk) -> None:
    world = worlds.steady()
    world.source = replace(world.source, dirty=True)
    proposal = desk(world).proposed(B)
    assert facts(proposal.plan)["image"].endswith(":5e0c4a1-dirty")
    assert states(proposal.plan)["changes that are not committed are built as well"] == "warning"


def test_latest_is_given_too_where_it_is_wanted(desk: MakeDesk) -> None:
    somebody = desk(worlds.steady())
    somebody.settings["defaults"] = {B: {"latest": "yes", "build-args": "A=1,B=2,3"}}
    proposal = somebody.proposed(B, tag="v3")
    assert somebody.run(proposal).ok
    pushed = [c.arguments["image"] for c in somebody.world.calls if c.name == "docker.push"]
    assert pushed == [f"{REGISTRY}/{REPOSITORY}:v3", f"{REGISTRY}/{REPOSITORY}:latest"]
    [order] = [c.arguments["order"] for c in somebody.world.calls if c.name == "docker.build"]
    assert isinstance(order, Order)
    assert order.arguments == {"REVISION": "v3", "A": "1", "B": "2,3"}
    assert "--build-arg A=… --build-arg B=…" in proposal.plan.steps[0].command


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"tag": "no tag"}, "'no tag' cannot be a tag"),
        ({"repository": "nowhere"}, "ECR has no repository nowhere: make it with"),
        ({"repository": "docker.io/library/ruby"}, "docker.io is not ECR"),
        ({"container": "sidecar"}, "The service has no container sidecar."),
        ({"build-args": "A"}, "'A' is no build argument"),
    ],
)
def test_what_cannot_be_made_is_refused(desk: MakeDesk, params: dict[str, str], words: str) -> None:
    assert words in desk(worlds.steady()).refused(B, **params).reason


def test_without_a_commit_a_tag_is_asked_for(desk: MakeDesk) -> None:
    world = worlds.steady()
    world.source = replace(world.source, revision="")
    no = desk(world).refused(B)
    assert "is in no git commit to name the image after" in no.reason
    assert no.param == "tag"
    [(offered, _)] = no.choices
    assert offered == f"{NOW:%Y%m%d-%H%M%S}"
    assert facts(desk(world).proposed(B, tag=offered).plan)["image"].endswith(f":{offered}")
    assert facts(desk(world).proposed(B, tag="v3").plan)["image"].endswith(":v3")


def test_no_engine_and_no_source_are_refused_with_what_to_do(desk: MakeDesk) -> None:
    world = worlds.steady()
    world.fail("docker.engine", Unreachable("No Docker engine", "unix:///x", "Start Docker"))
    assert desk(world).refused(B).reason == "No Docker engine: unix:///x. Start Docker"
    world.heal()
    world.fail("docker.source", NotThere("No build context", "no folder /x", "Name it"))
    assert desk(world).refused(B).reason == "No build context: no folder /x. Name it"


def test_what_needs_buildkit_is_built_by_buildx_or_refused_before_any_upload(
    desk: MakeDesk,
) -> None:
    world = worlds.steady()
    world.source = replace(world.source, buildkit="line 7: RUN --mount")
    somebody = desk(world)
    reason = somebody.refused(B).reason
    assert reason.startswith("The Dockerfile needs BuildKit (line 7: RUN --mount)")
    assert world.count("docker.build") == 0
    world.buildx = True
    proposal = somebody.proposed(B)
    assert proposal.plan.steps[0].command.startswith("docker buildx build --load ")
    assert somebody.run(proposal).ok
    [order] = [c.arguments["order"] for c in world.calls if c.name == "docker.build"]
    assert isinstance(order, Order)
    assert order.buildkit


def test_a_tag_that_is_taken_is_refused_where_tags_never_move(desk: MakeDesk) -> None:
    world = worlds.steady()
    assert desk(world).proposed(B, tag=MEOW.tag).risk is Risk.DISRUPTIVE
    words = [w for w, s in states(desk(world).proposed(B, tag=MEOW.tag).plan).items() if s != "ok"]
    assert any("it will move to the new image" in each for each in words)
    assert f"the service names {MEOW.tag}: its next deployment will take the new image" in words
    world.immutable.add(REPOSITORY)
    reason = desk(world).refused(B, tag=MEOW.tag).reason
    assert reason.startswith(f"{REPOSITORY}:{MEOW.tag} is in ECR already (sha256:77ab10c2")
    assert "Deploy it" in reason
    world.images[REPOSITORY] += (Image(REPOSITORY, DIGEST, ("latest",)),)
    assert desk(world).proposed(B, tag="v3", latest="yes"), "that one may move"


def test_changes_without_a_commit_get_the_next_name_that_is_free(desk: MakeDesk) -> None:
    world = worlds.steady()
    world.source = replace(world.source, dirty=True)
    world.immutable.add(REPOSITORY)
    somebody = desk(world)
    for tag in ("5e0c4a1-dirty", "5e0c4a1-dirty-2", "5e0c4a1-dirty-3"):
        world.push_story = (Pushed(f"sha256:{tag}"),)
        proposal = somebody.proposed(B)
        assert facts(proposal.plan)["image"].endswith(f":{tag}")
        assert somebody.run(proposal).ok


def test_a_look_up_that_is_denied_blocks_nothing(desk: MakeDesk) -> None:
    world = worlds.steady()
    action = "ecr:DescribeRepositories"
    world.fail("images.repository", AccessDenied("AccessDenied", action=action))
    plan = desk(world).proposed(B).plan
    words = f"repository {REPOSITORY}: not checked (AccessDenied: {action})"
    assert states(plan)[words] == "not checked"


def test_a_commit_made_meanwhile_is_another_plan(desk: MakeDesk) -> None:
    somebody = desk(worlds.steady())
    proposal = somebody.proposed(B)
    somebody.world.source = replace(somebody.world.source, revision="0000001")
    with pytest.raises(PlanChanged) as changed:
        somebody.run(proposal)
    assert set(changed.value.changed) == {"source", "image"}
    assert somebody.world.count("docker.build") == 0


def test_a_build_that_fails_pushes_nothing(desk: MakeDesk) -> None:
    somebody = desk(worlds.steady())
    somebody.world.fail("docker.build", Rejected("The build failed", "returned code: 3"))
    outcome = somebody.run(somebody.proposed(B))
    assert (outcome.ok, outcome.exit_code) == (False, 1)
    assert "The build failed: returned code: 3. What serves was not changed." in outcome.sentence
    assert somebody.world.count("docker.push") == 0


def test_a_push_that_is_interrupted_goes_on_and_gives_up_in_the_end(desk: MakeDesk) -> None:
    somebody = desk(worlds.steady())
    somebody.waits = [nothing]
    lost = Unreachable("The push was interrupted", "connection reset by peer", "Push again")
    somebody.world.fail("docker.push", lost, times=2)
    assert somebody.run(somebody.proposed(B)).ok
    assert somebody.world.count("docker.push") == 3
    assert any("pushing again, without what is there" in each.text for each in somebody.told)

    somebody.world.fail("docker.push", lost)
    outcome = somebody.run(somebody.proposed(B))
    assert not outcome.ok
    assert "The push was interrupted: connection reset by peer. Push again" in outcome.sentence
    assert somebody.world.count("docker.push") == 6


def test_a_login_that_ran_out_is_renewed_once(desk: MakeDesk) -> None:
    somebody = desk(worlds.steady())
    over = ExpiredCredentials("The registry does not take the login", "token has expired")
    somebody.world.fail("docker.push", over, times=1)
    assert somebody.run(somebody.proposed(B)).ok
    logins = [c.arguments["login"] for c in somebody.world.calls if c.name == "docker.push"]
    assert logins[0] != logins[1]
    assert "password" not in repr(logins)

    somebody.world.fail("docker.push", over)
    outcome = somebody.run(somebody.proposed(B))
    assert (outcome.ok, outcome.exit_code) == (False, 4)
    assert somebody.world.count("images.login") == 4


def test_stopped_while_it_builds_nothing_is_pushed(desk: MakeDesk) -> None:
    somebody = desk(worlds.steady())
    cancelled = threading.Event()
    told = []
    for progress in somebody.runner.run(somebody.proposed(B), cancelled):
        told.append(progress)
        if progress.kind == "output":
            cancelled.set()
    outcome = told[-1].outcome
    assert outcome is not None
    assert (outcome.ok, outcome.exit_code) == (False, 130)
    assert "The build was stopped; nothing was pushed." in outcome.sentence
    assert somebody.world.count("docker.push") == 0


def test_a_push_that_another_one_overtook_is_no_success(desk: MakeDesk) -> None:
    somebody = desk(worlds.steady())
    proposal = somebody.proposed(B)

    def overtaken(world: ScriptedWorld) -> None:
        other = Image(REPOSITORY, "sha256:" + "d" * 64, ("5e0c4a1",))
        world.images[REPOSITORY] = (other,)

    somebody.world.after("images.find", nothing, overtaken)
    outcome = somebody.run(proposal)
    assert (outcome.ok, outcome.exit_code) == (False, 1)
    assert "another push came between" in outcome.sentence


def test_an_engine_that_tells_no_digest_is_read_back(desk: MakeDesk) -> None:
    world = worlds.steady()
    world.build_story = (BuildLine("STEP 1/1"), Built(""))
    world.push_story = (Layer("a", "Pushed"), Pushed(""))
    somebody = desk(world)
    proposal = somebody.proposed(B)
    image = Image(REPOSITORY, DIGEST, ("5e0c4a1",))
    world.after("images.find", nothing, lambda w: w.images.update({REPOSITORY: (image,)}))
    outcome = somebody.run(proposal)
    assert outcome.ok
    assert DIGEST in outcome.sentence
    assert REF.name in outcome.receipt[0]
