"""BLUE_GREEN, CANARY and LINEAR on the virtual clock: stages, weights, pauses, and the way back."""

from __future__ import annotations

from typing import Any

import pytest

from bgconsole.sandbox.api import ApiError
from bgconsole.sandbox.ecs.texts import BREAKER_REASON, NO_CANDIDATE
from tests.unit.sandbox.pair_story import PairStory
from tests.unit.sandbox.story import CLUSTER, FAMILY, SERVICE

STAGES = [
    "PRE_SCALE_UP",
    "SCALE_UP",
    "POST_SCALE_UP",
    "TEST_TRAFFIC_SHIFT",
    "POST_TEST_TRAFFIC_SHIFT",
    "PRODUCTION_TRAFFIC_SHIFT",
    "POST_PRODUCTION_TRAFFIC_SHIFT",
    "BAKE_TIME",
    "CLEAN_UP",
]
FLIPPED = [
    "(service web) has started 4 tasks: (task T) (task T) (task T) (task T).",
    "(service web) registered 4 targets in (target-group BLUE)",
    "(service web) has stopped 4 running tasks: (task T) (task T) (task T) (task T).",
    "(service web) deregistered 4 targets in (target-group GREEN)",
    "(service web, taskSet D1) has begun draining connections on 4 tasks.",
    "(service web) (deployment D2) deployment completed.",
    "(service web) has reached a steady state.",
]


@pytest.fixture
def story() -> PairStory:
    made = PairStory()
    made.build()
    return made


def serving(story: PairStory, strategy: str = "BLUE_GREEN", **configuration: Any) -> PairStory:
    """The service on revision 1, steady, in the green group."""
    story.create_pair(strategy, **configuration)
    story.until_steady()
    return story


def pause(stage: str, action: str = "ROLLBACK", minutes: int = 60) -> dict[str, Any]:
    timeout = {"timeoutInMinutes": minutes, "action": action}
    return {
        "lifecycleHooks": [
            {"targetType": "PAUSE", "lifecycleStages": [stage], "timeoutConfiguration": timeout}
        ]
    }


def breaker() -> dict[str, Any]:
    threshold = {"type": "COUNT", "value": 3}
    return {
        "deploymentCircuitBreaker": {
            "enable": True,
            "rollback": True,
            "thresholdConfiguration": threshold,
        }
    }


def waiting(story: PairStory) -> list[dict[str, Any]]:
    hooks = story.deployment().get("lifecycleHookDetails", [])
    return [hook for hook in hooks if hook["status"] == "AWAITING_ACTION"]


def answer(story: PairStory, action: str | None = None) -> None:
    (hook,) = waiting(story)
    arn = story.deployment()["serviceDeploymentArn"]
    more = {} if action is None else {"action": action}
    story.ecs("ContinueServiceDeployment", serviceDeploymentArn=arn, hookId=hook["hookId"], **more)


def stop(story: PairStory) -> None:
    arn = story.deployment()["serviceDeploymentArn"]
    story.ecs("StopServiceDeployment", serviceDeploymentArn=arn, stopType="ROLLBACK")


def ended(story: PairStory) -> bool:
    return story.deployment()["status"] in ("ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED", "STOPPED")


def test_a_deployment_goes_through_its_stages_and_the_weights_move_the_traffic(
    story: PairStory,
) -> None:
    serving(story)
    # As observed, the tasks of the create land in the group that the rule did not point at.
    assert (story.weights(story.production), story.healthy(story.green)) == ((0, 100), 4)
    seen = len(story.events())
    story.update(taskDefinition=f"{FAMILY}:2")
    told: dict[str, tuple[Any, ...]] = {}
    while not (story.deployment()["status"] == "SUCCESSFUL" and story.steady()):
        story.clock.advance(1)
        if stage := story.stage():
            told[stage] = (story.weights(story.production), story.weights(story.test))
            answers = story.answers(story.production_listener, 20)
            live = "v2" if told[stage][0] == (100, 0) else "v1"
            assert answers == {live: 20}, f"{stage}: {answers}"
    assert list(told) == STAGES
    assert told["POST_SCALE_UP"] == ((0, 100), (0, 100))
    assert told["POST_TEST_TRAFFIC_SHIFT"] == ((0, 100), (100, 0))
    assert told["PRODUCTION_TRAFFIC_SHIFT"] == ((100, 0), (100, 0))
    assert story.events(seen) == FLIPPED
    assert (story.healthy(story.blue), story.healthy(story.green)) == (4, 0)


def test_each_deployment_uses_the_other_group(story: PairStory) -> None:
    serving(story)
    groups = []
    for _ in range(3):
        story.update(forceNewDeployment=True)
        story.until_steady()
        revision = story.deployment()["targetServiceRevision"]["arn"]
        described = story.ecs("DescribeServiceRevisions", serviceRevisionArns=[revision])
        (balancer,) = described["serviceRevisions"][0]["resolvedConfiguration"]["loadBalancers"]
        assert balancer["productionListenerRule"] == story.production
        groups.append(balancer["targetGroupArn"])
    assert groups == [story.blue, story.green, story.blue]
    # The pair itself keeps its names.
    (given,) = story.service()["loadBalancers"]
    assert given["targetGroupArn"] == story.blue


def test_both_revisions_stay_whole_while_the_deployment_bakes(story: PairStory) -> None:
    serving(story)
    story.update(taskDefinition=f"{FAMILY}:2")
    began = story.until_stage("BAKE_TIME")
    assert 60 <= began <= 180
    old = [t for t in story.tasks() if t["taskDefinitionArn"].endswith(":1")]
    story.container(old[0]).exit(1)
    story.until(lambda: story.healthy(story.green) == 3)
    story.until(lambda: story.healthy(story.green) == 4)
    record = story.deployment()
    assert record["lifecycleStage"] == "BAKE_TIME"
    (source,), target = record["sourceServiceRevisions"], record["targetServiceRevision"]
    assert (source["requestedTaskCount"], source["runningTaskCount"]) == (4, 4)
    assert source["requestedProductionTrafficWeight"] == 0.0
    assert (target["requestedTaskCount"], target["runningTaskCount"]) == (4, 4)
    assert target["requestedProductionTrafficWeight"] == 100.0
    assert target["requestedTestTrafficWeight"] == 100.0


def test_a_canary_gets_its_share_for_its_time(story: PairStory) -> None:
    canary = {"canaryPercent": 10.0, "canaryBakeTimeInMinutes": 7}
    serving(story, "CANARY", canaryConfiguration=canary)
    story.update(taskDefinition=f"{FAMILY}:2")
    story.until(lambda: story.weights(story.production) == (10, 90))
    answers = story.answers(story.production_listener, 2000)
    assert 140 <= answers["v2"] <= 260
    assert answers["v1"] == 2000 - answers["v2"]
    target = story.deployment()["targetServiceRevision"]
    assert target["requestedProductionTrafficWeight"] == 10.0
    seconds = story.until(lambda: story.weights(story.production) == (100, 0))
    assert 7 * 60 <= seconds <= 7 * 60 + 30
    story.until_steady()


def test_a_fraction_of_a_percent_becomes_weights_in_tenths(story: PairStory) -> None:
    canary = {"canaryPercent": 0.5, "canaryBakeTimeInMinutes": 1}
    serving(story, "CANARY", canaryConfiguration=canary)
    story.update(taskDefinition=f"{FAMILY}:2")
    story.until(lambda: story.weights(story.production) == (5, 995))
    story.until(lambda: story.weights(story.production) == (100, 0))


def test_linear_steps_bake_each(story: PairStory) -> None:
    linear = {"stepPercent": 30.0, "stepBakeTimeInMinutes": 2}
    serving(story, "LINEAR", linearConfiguration=linear)
    story.update(taskDefinition=f"{FAMILY}:2")
    seen = [(0, 100)]
    while not story.steady():
        story.clock.advance(1)
        if (now := story.weights(story.production)) != seen[-1]:
            seen.append(now)
    assert seen == [(0, 100), (30, 70), (60, 40), (90, 10), (100, 0)]


@pytest.mark.parametrize(("action", "live"), [(None, "v2"), ("CONTINUE", "v2"), ("ROLLBACK", "v1")])
def test_a_pause_waits_for_an_answer(story: PairStory, action: str | None, live: str) -> None:
    serving(story)
    configuration = pause("POST_TEST_TRAFFIC_SHIFT")
    story.update(taskDefinition=f"{FAMILY}:2", deploymentConfiguration=configuration)
    story.until(lambda: len(waiting(story)) == 1)
    (hook,) = waiting(story)
    assert hook["hookId"].startswith("ecs-pause-")
    assert hook["timeoutAction"] == "ROLLBACK"
    assert (hook["expiresAt"] - story.clock.now()).total_seconds() == pytest.approx(3600, abs=5)
    story.clock.advance(1800)
    assert story.stage() == "POST_TEST_TRAFFIC_SHIFT"
    assert story.answers(story.production_listener, 20) == {"v1": 20}
    assert story.answers(story.test_listener, 20) == {"v2": 20}
    seen = len(story.events())
    answer(story, action)
    story.until_steady()
    assert story.answers(story.production_listener, 20) == {live: 20}
    if live == "v1":
        record = story.deployment()
        assert record["status"] == "ROLLBACK_SUCCESSFUL"
        reason = (
            "Service deployment rolled back because POST_TEST_TRAFFIC_SHIFT lifecycle hook(s) "
            "failed."
        )
        assert record["statusReason"] == record["rollback"]["reason"] == reason
        assert story.events(seen)[:2] == [
            f"(service web) (deployment D2) deployment failed: {reason}",
            "(service web) rolling back to deployment D1.",
        ]


@pytest.mark.parametrize(("action", "live"), [("CONTINUE", "v2"), ("ROLLBACK", "v1")])
def test_a_pause_that_nobody_answers_does_what_its_timeout_says(
    story: PairStory, action: str, live: str
) -> None:
    serving(story)
    configuration = pause("POST_SCALE_UP", action, 30)
    story.update(taskDefinition=f"{FAMILY}:2", deploymentConfiguration=configuration)
    story.until(lambda: len(waiting(story)) == 1)
    seconds = story.until(lambda: not waiting(story))
    assert seconds == pytest.approx(1800, abs=1)
    assert story.deployment()["lifecycleHookDetails"][0]["status"] == "TIMED_OUT"
    story.until_steady()
    assert story.answers(story.production_listener, 20) == {live: 20}


def test_pauses_before_each_production_step_have_ids_of_their_own(story: PairStory) -> None:
    linear = {"stepPercent": 50.0, "stepBakeTimeInMinutes": 1}
    serving(story)
    story.update(
        taskDefinition=f"{FAMILY}:2",
        deploymentConfiguration={
            "strategy": "LINEAR",
            "linearConfiguration": linear,
            **pause("PRE_PRODUCTION_TRAFFIC_SHIFT"),
        },
    )
    for weights in ((0, 100), (50, 50)):
        story.until(lambda: len(waiting(story)) == 1)
        assert story.weights(story.production) == weights
        answer(story)
    story.until_steady()
    ids = [hook["hookId"] for hook in story.deployment()["lifecycleHookDetails"]]
    assert len(set(ids)) == 2


def test_an_answer_is_refused_where_nothing_waits(story: PairStory) -> None:
    serving(story)
    arn = story.deployment()["serviceDeploymentArn"]
    with pytest.raises(ApiError) as refusal:
        story.ecs("ContinueServiceDeployment", serviceDeploymentArn=arn, hookId="x")
    assert refusal.value.code == "InvalidParameterException"
    with pytest.raises(ApiError) as refusal:
        story.ecs("ContinueServiceDeployment", serviceDeploymentArn="arn:x", hookId="x")
    assert refusal.value.code == "ServiceDeploymentNotFoundException"


def test_a_rollback_while_the_old_tasks_are_warm_is_a_flip_of_weights(story: PairStory) -> None:
    serving(story)
    story.update(taskDefinition=f"{FAMILY}:2")
    story.until_stage("BAKE_TIME")
    assert story.answers(story.production_listener, 20) == {"v2": 20}
    seen = len(story.events())
    stop(story)
    assert story.deployment()["status"] == "ROLLBACK_REQUESTED"
    flipped = story.until(lambda: story.weights(story.production) == (0, 100))
    assert flipped <= 5
    assert story.weights(story.test) == (0, 100)
    assert story.answers(story.production_listener, 20) == {"v1": 20}
    record = story.deployment()
    assert record["status"] == "ROLLBACK_IN_PROGRESS"
    assert record["sourceServiceRevisions"][0]["requestedProductionTrafficWeight"] == 100.0
    took = flipped + story.until(lambda: story.deployment()["status"] == "ROLLBACK_SUCCESSFUL")
    assert 30 <= took <= 60, "AWS took some 45 s"
    story.until_steady()
    assert story.events(seen) == [
        "(service web) rolling back to deployment D1.",
        "(service web) has stopped 4 running tasks: (task T) (task T) (task T) (task T).",
        "(service web) deregistered 4 targets in (target-group BLUE)",
        "(service web, taskSet D2) has begun draining connections on 4 tasks.",
        "(service web) has reached a steady state.",
    ]
    assert story.service()["taskDefinition"].endswith(":1")
    # What was rolled back is tried again in the same group.
    story.update(taskDefinition=f"{FAMILY}:2")
    story.until_steady()
    assert story.weights(story.production) == (100, 0)


def test_a_rollback_in_clean_up_waits_for_old_tasks_to_be_started_again(story: PairStory) -> None:
    serving(story)
    story.update(taskDefinition=f"{FAMILY}:2")
    story.until_stage("CLEAN_UP")
    story.until(lambda: story.healthy(story.green) == 0)
    stop(story)
    story.until(lambda: story.deployment()["status"] == "ROLLBACK_IN_PROGRESS")
    while story.weights(story.production) == (100, 0):
        assert story.answers(story.production_listener, 5) == {"v2": 5}
        story.clock.advance(1)
    assert story.healthy(story.green) == 4
    story.until_steady()
    assert story.deployment()["status"] == "ROLLBACK_SUCCESSFUL"
    assert story.answers(story.production_listener, 20) == {"v1": 20}


def test_a_crash_loop_trips_the_breaker_and_production_never_notices(story: PairStory) -> None:
    serving(story, **breaker())
    seen = len(story.events())
    story.update(taskDefinition=story.register("repo:crash"))
    while not ended(story):
        story.clock.advance(5)
        assert story.answers(story.production_listener, 5) == {"v1": 5}
    record = story.deployment()
    assert (record["status"], record["statusReason"]) == ("ROLLBACK_SUCCESSFUL", BREAKER_REASON)
    assert record["deploymentCircuitBreaker"]["status"] == "TRIGGERED"
    assert [e for e in story.events(seen) if "failed" in e or "rolling" in e] == [
        f"(service web) (deployment D3) deployment failed: {BREAKER_REASON}",
        "(service web) rolling back to deployment D1.",
    ]
    story.until_steady()


def test_a_first_deployment_that_fails_has_no_way_back(story: PairStory) -> None:
    story.register("repo:crash")
    story.create_pair(revision=3, **breaker())
    story.until(lambda: ended(story))
    record = story.deployment()
    assert (record["status"], record["statusReason"]) == ("ROLLBACK_FAILED", NO_CANDIDATE)
    assert story.weights(story.production) == (1, 0)
    # What comes next does not take the one that never served for its way back.
    story.update(taskDefinition=f"{FAMILY}:2")
    story.until_steady()
    assert story.deployment()["status"] == "SUCCESSFUL"
    assert story.answers(story.production_listener, 5) == {"v2": 5}


def test_an_update_in_the_middle_is_reconciled_first(story: PairStory) -> None:
    canary = {"canaryPercent": 10.0, "canaryBakeTimeInMinutes": 10}
    serving(story, "CANARY", canaryConfiguration=canary)
    story.update(taskDefinition=f"{FAMILY}:2")
    story.until(lambda: story.weights(story.production) == (10, 90))
    story.update(taskDefinition=story.register("repo:v1"))
    story.until_stage("RECONCILE_SERVICE")
    assert story.weights(story.production) == (0, 100)
    story.until(lambda: story.healthy(story.blue) == 0)
    story.until_steady()
    assert story.weights(story.production) == (100, 0)
    assert {t["taskDefinitionArn"].rpartition(":")[2] for t in story.tasks()} == {"3"}


def test_a_rule_that_somebody_reset_sends_production_to_the_empty_group(story: PairStory) -> None:
    serving(story)
    story.elb("ModifyRule", RuleArn=story.production, Actions=story.forward(1, 0))
    assert story.answers(story.production_listener, 10) == {"error": 10}


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ((1, 1), "traffic but found 2 target groups which are serving traffic"),
        ((0, 0), "traffic but found 0 target groups which are serving traffic"),
    ],
)
def test_a_rule_that_does_not_point_at_one_group_rolls_the_deployment_back(
    story: PairStory, weights: tuple[int, int], words: str
) -> None:
    serving(story)
    story.elb("ModifyRule", RuleArn=story.production, Actions=story.forward(*weights))
    story.update(taskDefinition=f"{FAMILY}:2")
    story.until(lambda: ended(story))
    record = story.deployment()
    assert record["status"] == "ROLLBACK_SUCCESSFUL"
    assert record["statusReason"] == (
        "Service deployment rolled back because of invalid networking configuration. "
        f"productionListenerRule {story.production} should have exactly one target group serving "
        f"{words}"
    )
    assert story.weights(story.production) == weights


def test_a_rule_that_points_elsewhere_rolls_the_deployment_back(story: PairStory) -> None:
    serving(story)
    group = story.elb("CreateTargetGroup", Name="other", Port=1, TargetType="ip", VpcId="vpc-1")
    other = group["TargetGroups"][0]["TargetGroupArn"]
    forward = [{"Type": "forward", "TargetGroupArn": other}]
    story.elb("ModifyRule", RuleArn=story.production, Actions=forward)
    story.update(taskDefinition=f"{FAMILY}:2")
    story.until(lambda: ended(story))
    assert story.deployment()["statusReason"].endswith(
        f"Production listener rule is forwarding traffic to unexpected target group {other}. "
        f"Expected traffic to be forwarded to either targetGroupArn: {story.blue} or "
        f"alternateTargetGroupArn: {story.green}"
    )


@pytest.mark.parametrize(
    ("configuration", "advanced", "words"),
    [
        ({}, {"productionListenerRule": "LISTENER"}, "has an invalid ARN format. Must be RuleArn"),
        ({}, {"testListenerRule": "PRODUCTION"}, "cannot be used as both production and test"),
        ({}, {"alternateTargetGroupArn": "BLUE"}, "Duplicate targetGroupArn found: "),
        ({}, {"alternateTargetGroupArn": "arn:none"}, "arn:none does not exist"),
        ({}, None, "advancedConfiguration field is required for all loadBalancers when using a"),
        (
            {"lifecycleHooks": [{"lifecycleStages": ["PRE_SCALE_UP"], "hookTargetArn": "arn:x"}]},
            {},
            "AWS_LAMBDA",
        ),
        (pause("PRODUCTION_TRAFFIC_SHIFT"), {}, "PAUSE hook cannot be at"),
    ],
)
def test_what_cannot_shift_is_refused_at_once(
    story: PairStory, configuration: dict[str, Any], advanced: dict[str, str] | None, words: str
) -> None:
    known = {
        "LISTENER": story.production_listener,
        "PRODUCTION": story.production,
        "BLUE": story.blue,
    }
    balancers = story.balancers()
    if advanced is None:
        del balancers[0]["advancedConfiguration"]
    else:
        balancers = story.balancers(**{k: known.get(v, v) for k, v in advanced.items()})
    with pytest.raises(ApiError) as refusal:
        story.create_pair(balancers=balancers, **configuration)
    assert refusal.value.code == "InvalidParameterException"
    assert words in refusal.value.message


def test_a_production_rule_without_the_pair_needs_a_test_rule(story: PairStory) -> None:
    forward = [{"Type": "forward", "TargetGroupArn": story.blue}]
    story.elb("ModifyRule", RuleArn=story.production, Actions=forward)
    with pytest.raises(ApiError, match="testListenerRule is required when productionListenerRule"):
        story.create_pair(balancers=story.balancers(testListenerRule=None))
    story.create_pair()
    story.until_steady()
    assert story.weights(story.production) == (0, 100)


def test_a_canary_part_is_dropped_where_it_does_not_belong(story: PairStory) -> None:
    story.create_pair(canaryConfiguration={"canaryPercent": 10.0})
    assert "canaryConfiguration" not in story.service()["deploymentConfiguration"]
    story.update(deploymentConfiguration={"strategy": "CANARY", "bakeTimeInMinutes": 0})
    shown = story.service()["deploymentConfiguration"]
    assert shown["canaryConfiguration"] == {"canaryPercent": 5.0, "canaryBakeTimeInMinutes": 10}


def test_deleting_in_the_middle_ends_the_shift(story: PairStory) -> None:
    serving(story)
    story.update(taskDefinition=f"{FAMILY}:2")
    story.until_stage("BAKE_TIME")
    story.ecs("DeleteService", cluster=CLUSTER, service=SERVICE, force=True)
    story.until(lambda: story.service()["status"] == "INACTIVE")
    assert story.runtime.running == {}


def test_rolling_after_blue_green_stays_in_the_live_group(story: PairStory) -> None:
    serving(story)
    story.update(taskDefinition=f"{FAMILY}:2", deploymentConfiguration={"strategy": "ROLLING"})
    while not story.steady():
        assert "error" not in story.answers(story.production_listener, 5)
        story.clock.advance(1)
    assert story.answers(story.production_listener, 5) == {"v2": 5}
    assert story.healthy(story.blue) == 0


def test_scaling_while_it_bakes_scales_both(story: PairStory) -> None:
    serving(story, desired=2)
    story.update(taskDefinition=f"{FAMILY}:2")
    story.until_stage("BAKE_TIME")
    story.update(desiredCount=3)
    story.until(lambda: (story.healthy(story.blue), story.healthy(story.green)) == (3, 3))
    story.until_steady()
    assert story.healthy(story.blue) == 3


def test_the_listeners_of_a_network_load_balancer_stand_for_its_rules(story: PairStory) -> None:
    made = story.elb("CreateLoadBalancer", Name="net", Type="network", Subnets=["subnet-a"])
    balancer = made["LoadBalancers"][0]["LoadBalancerArn"]
    groups = []
    for name in ("one", "two"):
        group = story.elb(
            "CreateTargetGroup", Name=name, Protocol="TCP", Port=3000, TargetType="ip", VpcId="v"
        )
        groups.append(group["TargetGroups"][0]["TargetGroupArn"])
    listeners = []
    for port, arn in zip((9000, 9001), groups, strict=True):
        listener = story.elb(
            "CreateListener",
            LoadBalancerArn=balancer,
            Port=port,
            Protocol="TCP",
            DefaultActions=[{"Type": "forward", "TargetGroupArn": arn}],
        )
        listeners.append(listener["Listeners"][0]["ListenerArn"])
    advanced = {
        "alternateTargetGroupArn": groups[1],
        "productionListenerRule": listeners[0],
        "testListenerRule": listeners[1],
    }
    balancers = story.balancers(**advanced)
    balancers[0]["targetGroupArn"] = groups[0]
    story.create_pair(balancers=balancers)
    story.until_steady()
    assert story.answers(listeners[0], 5) == {"v1": 5}
    story.update(taskDefinition=f"{FAMILY}:2")
    story.until_steady()
    assert story.answers(listeners[0], 5) == {"v2": 5}
    (shown,) = story.elb("DescribeListeners", ListenerArns=[listeners[0]])["Listeners"]
    weights = {
        group["TargetGroupArn"]: group["Weight"]
        for group in shown["DefaultActions"][0]["ForwardConfig"]["TargetGroups"]
    }
    assert weights == {groups[0]: 100, groups[1]: 0}
