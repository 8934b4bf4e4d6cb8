"""CodeDeploy as its answers are read, with botocore's Stubber: there is no CodeDeploy to ask."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import botocore.session
import pytest
from botocore.stub import Stubber

from bgconsole.domain.codedeploy import CodeDeployment, Revision, newest_id, sides_of
from bgconsole.domain.errors import AccessDenied, NotThere, Rejected, Throttled, Unreachable
from bgconsole.domain.join import sides
from bgconsole.domain.verdict import verdict
from bgconsole.gateway.aws import ecs_values
from bgconsole.gateway.aws.caller import Caller
from bgconsole.gateway.aws.clients import Clients
from bgconsole.gateway.aws.codedeploy import AwsCodeDeploy
from bgconsole.gateway.scripted import ScriptedWorld
from bgconsole.watch.once import read
from tests.story_gateway import REF as STORY_REF
from tests.story_gateway import story_gateway
from tests.unit.sandbox.story import Story
from tests.unit.sandbox.test_ecs_answers import service_request
from tests.values import REF

MINUTE = datetime(2026, 3, 1, 13, 58, tzinfo=UTC)
OLD = "arn:aws:ecs:us-east-1:123456789012:task-definition/web:41"
NEW = "arn:aws:ecs:us-east-1:123456789012:task-definition/web:42"
SPEC = json.dumps({"Resources": [{"TargetService": {"Properties": {"TaskDefinition": OLD}}}]})
UNDER_WAY: dict[str, Any] = {
    "deploymentId": "d-NEW",
    "applicationName": "web",
    "deploymentGroupName": "web-group",
    "deploymentConfigName": "CodeDeployDefault.ECSCanary10Percent5Minutes",
    "status": "InProgress",
    "createTime": MINUTE,
    "computePlatform": "ECS",
    "instanceTerminationWaitTimeStarted": False,
    "blueGreenDeploymentConfiguration": {
        "terminateBlueInstancesOnDeploymentSuccess": {
            "action": "TERMINATE",
            "terminationWaitTimeInMinutes": 60,
        },
        "deploymentReadyOption": {"actionOnTimeout": "CONTINUE_DEPLOYMENT"},
    },
    "previousRevision": {"revisionType": "AppSpecContent", "appSpecContent": {"sha256": "5ec0"}},
}


class Waited(list[float]):
    """The pauses between the tries of a write."""


@pytest.fixture
def waited() -> Waited:
    return Waited()


@pytest.fixture
def clients(waited: Waited) -> Clients:
    def session() -> Any:
        made = botocore.session.Session()
        made.set_credentials("AKIDEXAMPLE", "not-a-secret")
        return made

    return Clients(region="us-east-1", caller=Caller(), new_session=session, wait=waited.append)


@pytest.fixture
def reads(clients: Clients) -> Stubber:
    stubber = Stubber(clients.client("codedeploy"))
    stubber.activate()
    return stubber


@pytest.fixture
def writes(clients: Clients) -> Stubber:
    stubber = Stubber(clients.client("codedeploy", write=True))
    stubber.activate()
    return stubber


def told(stubber: Stubber, name: str = "d-NEW", **changed: Any) -> None:
    """CodeDeploy's next answer about a deployment."""
    info = {**UNDER_WAY, "deploymentId": name, **changed}
    stubber.add_response("get_deployment", {"deploymentInfo": info}, {"deploymentId": name})


def listed(stubber: Stubber, *names: str) -> None:
    """CodeDeploy's next answer about what runs in the group."""
    asked = {
        "applicationName": "web",
        "deploymentGroupName": "web-group",
        "includeOnlyStatuses": ["Created", "Queued", "InProgress", "Baking", "Ready"],
    }
    stubber.add_response("list_deployments", {"deployments": list(names)}, asked)


def test_a_deployment_under_way(clients: Clients, reads: Stubber) -> None:
    told(reads)
    found = AwsCodeDeploy(clients).deployment("d-NEW")
    assert found == CodeDeployment(
        id="d-NEW",
        status="InProgress",
        application="web",
        group="web-group",
        configuration="CodeDeployDefault.ECSCanary10Percent5Minutes",
        created_at=MINUTE,
        keeps=60,
        previous=Revision("AppSpecContent", sha256="5ec0"),
    )
    assert found.ongoing
    assert found.words == "CodeDeploy deployment d-NEW is in progress"


WORDS: list[tuple[dict[str, Any], str]] = [
    ({"status": "Created"}, "is queued"),
    ({"status": "Queued"}, "is queued"),
    (
        {"status": "InProgress", "instanceTerminationWaitTimeStarted": True},
        "has shifted the traffic and keeps the old tasks for 60 min at most",
    ),
    (
        {
            "status": "Ready",
            "blueGreenDeploymentConfiguration": {
                "deploymentReadyOption": {
                    "actionOnTimeout": "STOP_DEPLOYMENT",
                    "waitTimeInMinutes": 20,
                }
            },
        },
        "waits until traffic is rerouted; it stops by itself within 20 min",
    ),
    ({"status": "Ready"}, "waits until traffic is rerouted"),
    ({"status": "Baking"}, "is Baking"),
    ({"status": "SomethingNew"}, "is SomethingNew"),
    (
        {"status": "Failed", "errorInformation": {"code": "TIMEOUT", "message": "Too late."}},
        "failed (Too late)",
    ),
    (
        {"status": "Stopped", "rollbackInfo": {"rollbackMessage": "No roll back."}},
        "was stopped: No roll back",
    ),
]


@pytest.mark.parametrize(("changed", "words"), WORDS)
def test_each_state_has_its_words(
    clients: Clients, reads: Stubber, changed: dict[str, Any], words: str
) -> None:
    told(reads, **changed)
    found = AwsCodeDeploy(clients).deployment("d-NEW")
    assert found.words == f"CodeDeploy deployment d-NEW {words}"
    assert found.ongoing is (changed["status"] not in ("Failed", "Stopped"))


@pytest.mark.parametrize(
    ("status", "words", "going"),
    [
        ("InProgress", "; d-BACK takes it back", True),
        ("Succeeded", " and d-BACK took it back", False),
        ("Failed", ", and d-BACK, which was to take it back, failed", False),
    ],
)
def test_what_takes_it_back_is_read_with_it(
    clients: Clients, reads: Stubber, status: str, words: str, going: bool
) -> None:
    told(reads, status="Stopped", rollbackInfo={"rollbackDeploymentId": "d-BACK"})
    told(reads, "d-BACK", status=status)
    found = AwsCodeDeploy(clients).deployment("d-NEW")
    assert found.words == f"CodeDeploy deployment d-NEW was stopped{words}"
    assert found.going_back is going
    assert found.went_back is (status == "Succeeded")


def test_what_was_deployed_before_is_completed_once_it_is_asked_for(
    clients: Clients, reads: Stubber
) -> None:
    told(reads, status="Succeeded")
    reads.add_response(
        "get_application_revision",
        {
            "applicationName": "web",
            "revision": {
                "revisionType": "AppSpecContent",
                "appSpecContent": {"content": SPEC, "sha256": "5ec0"},
            },
        },
        {
            "applicationName": "web",
            "revision": {"revisionType": "AppSpecContent", "appSpecContent": {"sha256": "5ec0"}},
        },
    )
    listed(reads)
    listed(reads, "d-NEW")
    port = AwsCodeDeploy(clients)
    found = port.deployment("d-NEW")
    assert found.previous is not None
    assert found.previous.task_definition == OLD
    assert json.loads(found.previous.document) == {
        "revisionType": "AppSpecContent",
        "appSpecContent": {"content": SPEC},
    }
    assert port.deployment("d-NEW") == found  # nothing but what runs is asked again
    reads.assert_no_pending_responses()


def test_without_the_content_only_the_command_is_less_exact(
    clients: Clients, reads: Stubber
) -> None:
    told(reads, status="Succeeded")
    reads.add_client_error("get_application_revision", "AccessDeniedException", "no")
    listed(reads)
    found = AwsCodeDeploy(clients).deployment("d-NEW")
    assert found.previous == Revision("AppSpecContent", sha256="5ec0")


def test_a_revision_in_s3_is_whole_as_it_is(clients: Clients, reads: Stubber) -> None:
    place = {"bucket": "specs", "key": "web.yaml", "bundleType": "YAML", "eTag": "e1"}
    told(reads, status="Succeeded", previousRevision={"revisionType": "S3", "s3Location": place})
    listed(reads)
    found = AwsCodeDeploy(clients).deployment("d-NEW").previous
    assert found is not None
    assert json.loads(found.document) == {"revisionType": "S3", "s3Location": place}
    assert found.task_definition == ""


@pytest.mark.parametrize(
    ("rollback", "words"),
    [
        ({}, "; d-2 has begun, and ECS shows no task set of it yet"),
        ({"rollbackTriggeringDeploymentId": "d-1"}, "; d-2 takes d-1 back"),
    ],
)
def test_another_that_has_begun_is_seen_before_its_task_set(
    clients: Clients, reads: Stubber, rollback: dict[str, Any], words: str
) -> None:
    told(reads, status="Succeeded", previousRevision={})
    listed(reads, "d-1", "d-2")
    told(reads, "d-1", status="Stopped")
    told(reads, "d-2", status="Created", rollbackInfo=rollback)
    found = AwsCodeDeploy(clients).deployment("d-NEW")
    assert found.words == f"CodeDeploy deployment d-NEW has succeeded{words}"


def test_without_the_permission_to_list_the_rest_is_told(clients: Clients, reads: Stubber) -> None:
    told(reads, status="Succeeded", previousRevision={})
    reads.add_client_error("list_deployments", "AccessDeniedException", "no")
    found = AwsCodeDeploy(clients).deployment("d-NEW")
    assert found.words == "CodeDeploy deployment d-NEW has succeeded"


def test_stopping_asks_for_the_roll_back(clients: Clients, writes: Stubber) -> None:
    writes.add_response(
        "stop_deployment",
        {"status": "Pending", "ResponseMetadata": {"RequestId": "req-1"}},
        {"deploymentId": "d-NEW", "autoRollbackEnabled": True},
    )
    sent = AwsCodeDeploy(clients).stop("d-NEW")
    assert (sent.request_id, sent.deployment) == ("req-1", "d-NEW")
    writes.assert_no_pending_responses()


def test_one_that_has_ended_is_not_stopped(
    clients: Clients, writes: Stubber, waited: Waited
) -> None:
    writes.add_client_error(
        "stop_deployment", "DeploymentAlreadyCompletedException", "It is complete."
    )
    with pytest.raises(Rejected, match="It is complete"):
        AwsCodeDeploy(clients).stop("d-NEW")
    assert waited == []


def test_a_throttled_stop_is_sent_again_and_a_server_fault_is_not(
    clients: Clients, writes: Stubber, waited: Waited
) -> None:
    writes.add_client_error("stop_deployment", "ThrottlingException", "Rate exceeded", 400)
    writes.add_response("stop_deployment", {"status": "Succeeded"})
    AwsCodeDeploy(clients).stop("d-NEW")
    assert len(waited) == 1
    writes.add_client_error("stop_deployment", "InternalFailure", "oops", http_status_code=500)
    with pytest.raises(Unreachable):
        AwsCodeDeploy(clients).stop("d-NEW")
    assert len(waited) == 1


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        ("AccessDeniedException", AccessDenied, "needs codedeploy:GetDeployment"),
        ("DeploymentDoesNotExistException", NotThere, "No such CodeDeploy deployment"),
        ("ThrottlingException", Throttled, "slow down"),
    ],
)
def test_a_read_that_fails_says_why(
    clients: Clients, reads: Stubber, code: str, kind: type[Exception], words: str
) -> None:
    reads.add_client_error("get_deployment", code, "no")
    with pytest.raises(kind) as caught:
        AwsCodeDeploy(clients).deployment("d-NEW")
    assert words in str(caught.value)


def task_set(number: int, definition: str, status: str, minutes: int, **more: Any) -> Any:
    return {
        "id": f"ecs-svc/{number}",
        "status": status,
        "taskDefinition": definition,
        "computedDesiredCount": 4,
        "runningCount": 4,
        "pendingCount": 0,
        "createdAt": MINUTE.replace(minute=minutes),
        "updatedAt": MINUTE.replace(minute=minutes),
        **more,
    }


def balanced(group: str) -> dict[str, Any]:
    return {
        "loadBalancers": [{"targetGroupArn": group, "containerName": "app", "containerPort": 3000}]
    }


def test_task_sets_are_the_two_sides_of_a_service() -> None:
    by = {"startedBy": "CODE_DEPLOY", "externalId": "d-NEW"}
    raw = {
        "serviceName": REF.name,
        "status": "ACTIVE",
        "deploymentController": {"type": "CODE_DEPLOY"},
        "desiredCount": 4,
        **balanced("blue"),
        "taskSets": [
            task_set(1, OLD, "PRIMARY", 10, **balanced("blue")),
            task_set(2, NEW, "ACTIVE", 20, **by, **balanced("green")),
        ],
    }
    service = ecs_values.service(REF, raw)
    assert service.by_codedeploy
    assert newest_id(service) == "d-NEW"
    assert [(d.id, d.status) for d in service.deployments] == [
        ("ecs-svc/2", "PRIMARY"),
        ("ecs-svc/1", "ACTIVE"),
    ]
    assert service.target_groups == ("blue", "green")
    old, new = sides_of(service, "d-NEW")
    assert old is not None
    assert new is not None
    assert (old.task_definition, new.task_definition) == (OLD, NEW)
    external = ecs_values.service(REF, {**raw, "deploymentController": {"type": "EXTERNAL"}})
    assert external.deployments == ()
    shifted = replace(
        service,
        task_sets=(
            replace(service.task_sets[0], status="PRIMARY"),
            replace(service.task_sets[1], status="ACTIVE"),
        ),
    )
    assert sides_of(shifted, "d-NEW") == (shifted.task_sets[1], shifted.task_sets[0])


def test_a_service_of_codedeploys_in_the_sandbox_is_read() -> None:
    """Over AWS's own protocol: one task set, which no CodeDeploy deployment made."""
    story = Story()
    story.build()
    asked = service_request(story, deploymentController={"type": "CODE_DEPLOY"}, desiredCount=2)
    story.ecs("CreateService", **asked)
    story.until(lambda: story.health() == ["healthy"] * 2)
    world = ScriptedWorld()
    taken = read(story_gateway(story, world), STORY_REF, story.clock.now)
    service = taken.service.value
    assert service is not None
    assert service.by_codedeploy
    (only,) = service.task_sets
    assert (only.status, only.running, only.desired, only.external_id) == ("PRIMARY", 2, 2, "")
    both = sides(taken)
    assert both.old is None
    assert both.new is not None
    assert both.new.healthy == 2
    assert taken.codedeploy.absent == "no task set of the service names a CodeDeploy deployment"
    assert verdict(taken, story.clock.now()).word == "STEADY"
    assert not taken.deploying
