"""What ECS of the sandbox answers and refuses, apart from deployments."""

from __future__ import annotations

from typing import Any

import pytest

from bgconsole.sandbox.api import ApiError
from tests.unit.sandbox.story import CLUSTER, FAMILY, SERVICE, Story


@pytest.fixture
def story() -> Story:
    made = Story()
    made.build()
    return made


def service_request(story: Story, **changes: Any) -> dict[str, Any]:
    request: dict[str, Any] = {
        "cluster": CLUSTER,
        "serviceName": SERVICE,
        "taskDefinition": f"{FAMILY}:1",
        "desiredCount": 1,
        "loadBalancers": [
            {"targetGroupArn": story.target_group, "containerName": "app", "containerPort": 3000}
        ],
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-a"]}},
    }
    return {**request, **changes}


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"cluster": "nowhere"}, "ClusterNotFoundException", "Cluster not found."),
        ({"taskDefinition": "nothing:1"}, "ClientException", "TaskDefinition not found."),
        ({"taskDefinition": FAMILY + ":2"}, "ClientException", "TaskDefinition is inactive"),
        ({"networkConfiguration": {}}, "InvalidParameterException", "Network Configuration"),
        (
            {"deploymentConfiguration": {"strategy": "BLUE_GREEN"}},
            "InvalidParameterException",
            "advancedConfiguration field is required for all loadBalancers",
        ),
        ({"launchType": "EC2"}, "InvalidParameterException", "FARGATE only"),
        (
            {"deploymentController": {"type": "EXTERNAL"}},
            "InvalidParameterException",
            "EXTERNAL",
        ),
        (
            {"loadBalancers": [{"targetGroupArn": "arn:none", "containerName": "app"}]},
            "InvalidParameterException",
            "target group arn:none does not exist",
        ),
    ],
)
def test_create_service_is_refused(
    story: Story, changes: dict[str, Any], code: str, words: str
) -> None:
    story.ecs("DeregisterTaskDefinition", taskDefinition=f"{FAMILY}:2")
    with pytest.raises(ApiError) as refusal:
        story.ecs("CreateService", **service_request(story, **changes))
    assert refusal.value.code == code
    assert words in refusal.value.message
    assert story.ecs("ListServices", cluster=CLUSTER)["serviceArns"] == []


@pytest.mark.parametrize(
    "changes",
    [
        {"schedulingStrategy": "DAEMON"},
        {"launchType": "EXTERNAL"},
        {"capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT"}]},
        {"serviceConnectConfiguration": {"enabled": True}},
        {"volumeConfigurations": [{"name": "data"}]},
        {
            "vpcLatticeConfigurations": [
                {"roleArn": "arn:r", "targetGroupArn": "arn:t", "portName": "http"}
            ]
        },
        {
            "deploymentConfiguration": {
                "earlySuccessCriteria": {"enable": True, "healthyPercent": 50}
            }
        },
    ],
)
def test_what_is_not_reproduced_is_refused_and_says_so(
    story: Story, changes: dict[str, Any]
) -> None:
    with pytest.raises(ApiError, match=r"The sandbox (does not reproduce|reproduces)"):
        story.ecs("CreateService", **service_request(story, **changes))
    assert story.ecs("ListServices", cluster=CLUSTER)["serviceArns"] == []


def test_a_target_group_without_a_load_balancer_is_refused(story: Story) -> None:
    group = story.elb("CreateTargetGroup", Name="idle", Port=3000, TargetType="ip", VpcId="vpc-1")
    arn = group["TargetGroups"][0]["TargetGroupArn"]
    balancer = {"targetGroupArn": arn, "containerName": "app", "containerPort": 3000}
    with pytest.raises(ApiError, match="does not have an associated load balancer"):
        story.ecs("CreateService", **service_request(story, loadBalancers=[balancer]))


def test_a_refused_update_changes_nothing(story: Story) -> None:
    story.create()
    story.until_steady()
    before = story.service()
    with pytest.raises(ApiError, match="TaskDefinition not found"):
        story.update(taskDefinition=f"{FAMILY}:99", desiredCount=9)
    with pytest.raises(ApiError, match="advancedConfiguration"):
        story.update(deploymentConfiguration={"strategy": "CANARY"}, forceNewDeployment=True)
    assert story.service() == before


def test_a_service_of_code_deploy_is_described_by_task_sets_and_deployed_elsewhere(
    story: Story,
) -> None:
    story.ecs(
        "CreateService",
        **service_request(story, deploymentController={"type": "CODE_DEPLOY"}, desiredCount=2),
    )
    story.until(lambda: story.health() == ["healthy"] * 2)
    story.until(lambda: story.events()[-1] == "(service web) has reached a steady state.")
    service = story.service()
    assert service["deploymentController"] == {"type": "CODE_DEPLOY"}
    assert service["deployments"] == []
    (task_set,) = service["taskSets"]
    assert (task_set["status"], task_set["runningCount"]) == ("PRIMARY", 2)
    assert task_set["stabilityStatus"] == "STEADY_STATE"
    assert story.events()[0] == "(service web, taskSet D1) has started 2 tasks: (task T) (task T)."
    listed = story.ecs("ListServiceDeployments", cluster=CLUSTER, service=SERVICE)
    assert listed["serviceDeployments"] == []
    with pytest.raises(ApiError) as refusal:
        story.update(taskDefinition=f"{FAMILY}:2")
    assert refusal.value.code == "InvalidParameterException"
    assert refusal.value.message == (
        "Unable to update task definition on services with a CODE_DEPLOY deployment controller. "
        "Use AWS CodeDeploy to trigger a new deployment."
    )
    with pytest.raises(ApiError, match="Cannot force a new deployment on services with a"):
        story.update(forceNewDeployment=True)
    story.update(desiredCount=3)
    story.until(lambda: story.health() == ["healthy"] * 3)


def test_the_steady_state_is_told_again_every_six_hours(story: Story) -> None:
    story.create(1)
    story.until_steady()
    seen = len(story.events())
    story.clock.advance(13 * 3600)
    assert story.events(seen) == ["(service web) has reached a steady state."] * 2


def test_unknown_things_are_failures_or_refused(story: Story) -> None:
    story.create(1)
    answer = story.ecs("DescribeServices", cluster=CLUSTER, services=["none", SERVICE])
    assert [s["serviceName"] for s in answer["services"]] == [SERVICE]
    assert answer["failures"][0]["reason"] == "MISSING"
    assert answer["failures"][0]["arn"].endswith(":service/democluster/none")
    answer = story.ecs("DescribeTasks", cluster=CLUSTER, tasks=["0" * 32])
    assert answer["failures"][0]["reason"] == "MISSING"
    answer = story.ecs("DescribeClusters", clusters=["none"])
    assert answer["failures"][0]["reason"] == "MISSING"
    for operation, request, code in (
        ("DescribeServices", {"cluster": "none", "services": ["x"]}, "ClusterNotFoundException"),
        ("UpdateService", {"cluster": CLUSTER, "service": "x"}, "ServiceNotFoundException"),
        ("ListTasks", {"cluster": CLUSTER, "serviceName": "x"}, "ServiceNotFoundException"),
        ("DescribeTaskDefinition", {"taskDefinition": "x"}, "ClientException"),
        (
            "StopServiceDeployment",
            {"serviceDeploymentArn": "x"},
            "ServiceDeploymentNotFoundException",
        ),
        ("SubmitTaskStateChange", {}, "UnsupportedOperationException"),
        ("RunTask", {"taskDefinition": "x"}, "ClusterNotFoundException"),
    ):
        with pytest.raises(ApiError) as refusal:
            story.ecs(operation, **request)
        assert refusal.value.code == code


def test_lists_come_in_pages(story: Story) -> None:
    for _ in range(5):
        story.register("repo:v1")
    found: list[str] = []
    token: dict[str, str] = {}
    pages = 0
    while True:
        answer = story.ecs("ListTaskDefinitions", familyPrefix=FAMILY, maxResults=3, **token)
        found += answer["taskDefinitionArns"]
        pages += 1
        if "nextToken" not in answer:
            break
        token = {"nextToken": answer["nextToken"]}
    assert [arn.rpartition(":")[2] for arn in found] == ["1", "2", "3", "4", "5", "6", "7"]
    assert pages == 3
    with pytest.raises(ApiError, match="Invalid token"):
        story.ecs("ListTaskDefinitions", nextToken="made up")


def test_list_tasks_filters(story: Story) -> None:
    story.create(2)
    story.until_steady()
    starter = story.service()["deployments"][0]["id"]

    def count(**filters: str) -> int:
        return len(story.ecs("ListTasks", cluster=CLUSTER, **filters)["taskArns"])

    assert count() == count(family=FAMILY) == count(startedBy=starter) == 2
    assert count(family="other") == count(startedBy="other") == count(desiredStatus="STOPPED") == 0
    story.ecs("StopTask", cluster=CLUSTER, task=story.tasks()[0]["taskArn"])
    assert count(desiredStatus="STOPPED", serviceName=SERVICE) == 1


def test_families_revisions_and_status(story: Story) -> None:
    assert story.ecs("ListTaskDefinitionFamilies")["families"] == [FAMILY]
    newest = story.ecs("DescribeTaskDefinition", taskDefinition=FAMILY)["taskDefinition"]
    assert newest["revision"] == 2
    story.ecs("DeregisterTaskDefinition", taskDefinition=f"{FAMILY}:2")
    assert (
        story.ecs("DescribeTaskDefinition", taskDefinition=FAMILY)["taskDefinition"]["revision"]
        == 1
    )
    gone = story.ecs("DescribeTaskDefinition", taskDefinition=f"{FAMILY}:2")["taskDefinition"]
    assert gone["status"] == "INACTIVE"
    listed = story.ecs("ListTaskDefinitions", status="INACTIVE")["taskDefinitionArns"]
    assert listed == [gone["taskDefinitionArn"]]


def test_tags_are_kept_and_shown_when_asked_for(story: Story) -> None:
    arn = story.ecs(
        "CreateService",
        **service_request(
            story, tags=[{"key": "team", "value": "web"}], propagateTags="SERVICE", desiredCount=1
        ),
    )["service"]["serviceArn"]
    story.ecs("TagResource", resourceArn=arn, tags=[{"key": "a", "value": "b"}])
    story.ecs("UntagResource", resourceArn=arn, tagKeys=["team"])
    assert story.ecs("ListTagsForResource", resourceArn=arn)["tags"] == [{"key": "a", "value": "b"}]
    described = story.ecs("DescribeServices", cluster=CLUSTER, services=[arn], include=["TAGS"])
    assert described["services"][0]["tags"] == [{"key": "a", "value": "b"}]
    assert "tags" not in story.service()
    story.until_steady()
    task = story.ecs(
        "DescribeTasks",
        cluster=CLUSTER,
        tasks=[story.tasks()[0]["taskArn"]],
        include=["TAGS"],
    )["tasks"][0]
    assert task["tags"] == [{"key": "a", "value": "b"}]


def test_service_deployments_filter_by_status(story: Story) -> None:
    story.create(1)
    story.until_steady()
    story.update(forceNewDeployment=True)

    def statuses(*wanted: str) -> list[str]:
        answer = story.ecs(
            "ListServiceDeployments", cluster=CLUSTER, service=SERVICE, status=list(wanted)
        )
        return [record["status"] for record in answer["serviceDeployments"]]

    assert statuses() == ["PENDING", "SUCCESSFUL"]
    assert statuses("SUCCESSFUL") == ["SUCCESSFUL"]
    assert statuses("STOPPED") == []


def test_a_name_can_be_used_again_only_when_its_service_is_gone(story: Story) -> None:
    story.create(1)
    with pytest.raises(ApiError, match=r"Creation of service was not idempotent\."):
        story.create(1)
    with pytest.raises(ApiError) as refusal:
        story.ecs("DeleteCluster", cluster=CLUSTER)
    assert refusal.value.code == "ClusterContainsServicesException"
    story.ecs("DeleteService", cluster=CLUSTER, service=SERVICE, force=True)
    with pytest.raises(ApiError, match="still Draining"):
        story.create(1)
    story.until(lambda: story.service()["status"] == "INACTIVE")
    story.create(1)
    story.until_steady()


def test_at_most_a_hundred_events_are_kept(story: Story) -> None:
    story.create(1)
    story.until_steady()
    for _ in range(30):
        story.update(forceNewDeployment=True)
        story.until_steady()
    assert len(story.service()["events"]) == 100
    ids = {event["id"] for event in story.service()["events"]}
    assert len(ids) == 100
