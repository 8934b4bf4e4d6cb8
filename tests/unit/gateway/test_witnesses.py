"""CloudWatch, Secrets Manager and Systems Manager, as their answers are read."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import botocore.session
import pytest
from botocore.stub import ANY, Stubber

from bgconsole.domain.activity import AlarmChange, Scaling
from bgconsole.domain.errors import AccessDenied
from bgconsole.domain.pipelines import PipelineRun
from bgconsole.domain.secrets import SecretChange
from bgconsole.domain.services import ServiceRef
from bgconsole.domain.targets import Route, TargetGroup
from bgconsole.gateway.aws.activity import AwsActivity
from bgconsole.gateway.aws.caller import Caller
from bgconsole.gateway.aws.clients import RATES, Clients, ServiceName
from bgconsole.gateway.aws.endpoints import SERVICE_IDS
from bgconsole.gateway.aws.metrics import AwsMetrics
from bgconsole.gateway.aws.pipelines import AwsPipelines
from bgconsole.gateway.aws.secrets import AwsSecrets
from tests.values import NOW, REF

SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:db-url-AbCdEf"
GROUP = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/blue/0123456789abcdef"
LISTENER = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/lb/50dc/0467"
MINUTE = datetime(2026, 3, 1, 13, 58, tzinfo=UTC)


@pytest.fixture
def clients() -> Clients:
    def session() -> Any:
        made = botocore.session.Session()
        made.set_credentials("AKIDEXAMPLE", "not-a-secret")
        return made

    return Clients(region="us-east-1", caller=Caller(), new_session=session)


@pytest.fixture
def stubbed(clients: Clients) -> Callable[[str], Stubber]:
    def stub(service: Any) -> Stubber:
        stubber = Stubber(clients.client(service))
        stubber.activate()
        return stubber

    return stub


def test_a_secret_tells_when_and_a_parameter_who_too(
    clients: Clients, stubbed: Callable[[str], Stubber]
) -> None:
    stubbed("secretsmanager").add_response(
        "describe_secret", {"Name": "db-url", "LastChangedDate": MINUTE}, {"SecretId": SECRET}
    )
    stubbed("ssm").add_response(
        "describe_parameters",
        {
            "Parameters": [
                {
                    "Name": "/web/key",
                    "LastModifiedDate": MINUTE,
                    "LastModifiedUser": "arn:aws:iam::123456789012:user/ops",
                }
            ]
        },
        {"ParameterFilters": [{"Key": "Name", "Option": "Equals", "Values": ["/web/key"]}]},
    )
    parameter = "arn:aws:ssm:us-east-1:123456789012:parameter/web/key"
    reference = f"{SECRET}:password::"
    assert AwsSecrets(clients).changes([reference, parameter, reference]) == (
        SecretChange(reference, "db-url", MINUTE),
        SecretChange(parameter, "/web/key", MINUTE, "ops"),
    )


def test_a_refusal_names_the_permission(
    clients: Clients, stubbed: Callable[[str], Stubber]
) -> None:
    stubbed("secretsmanager").add_client_error("describe_secret", "AccessDeniedException", "no")
    with pytest.raises(AccessDenied) as caught:
        AwsSecrets(clients).changes([SECRET])
    assert caught.value.action == "secretsmanager:DescribeSecret"


def test_one_call_brings_the_numbers_of_every_group(
    clients: Clients, stubbed: Callable[[str], Stubber]
) -> None:
    group = TargetGroup(
        GROUP, "blue", 3000, "HTTP", "/up", (), (Route(LISTENER, "", 80, "HTTP", 1, 100.0),)
    )
    cloudwatch = stubbed("cloudwatch")
    cloudwatch.add_response(
        "get_metric_data",
        {
            "MetricDataResults": [
                _told("requests0", 120.0, 60.0),
                _told("errors0", 6.0),
                _told("latency0", 0.012, 0.02),
                _told("cpu", 12.5),
                _told("own", 3.0),
            ]
        },
        {
            "MetricDataQueries": ANY,
            "StartTime": NOW - timedelta(minutes=15),
            "EndTime": NOW + timedelta(minutes=1),
            "ScanBy": "TimestampAscending",
        },
    )
    seen: list[Any] = []
    clients.client("cloudwatch").meta.events.register(
        "before-parameter-build.cloudwatch.GetMetricData", lambda params, **_: seen.append(params)
    )
    own = "Shop/Orders?Stage=prod&statistic=Average"
    cloudwatch.add_response(
        "get_metric_data", {"MetricDataResults": [_told("cpu1", 50.0), _told("memory1", 70.0)]}
    )
    sides = {"old": ("a" * 32,), "new": ("b" * 32, "c" * 32)}
    found = AwsMetrics(clients, own).read(REF, [group], sides, NOW)
    assert found.sides == {"new": (((MINUTE, 50.0),), ((MINUTE, 70.0),))}
    of_new = seen[1]["MetricDataQueries"][2]["Expression"]
    assert 'MetricName="TaskCpuUtilization"' in of_new
    assert f'TaskId="{"b" * 32}" OR TaskId="{"c" * 32}"' in of_new
    assert len(of_new) < 1024
    assert found.groups[GROUP].requests == ((MINUTE, 120.0), (MINUTE + timedelta(minutes=1), 60.0))
    assert found.groups[GROUP].since(MINUTE + timedelta(seconds=70)) == (60.0, 0.0)
    assert found.groups[GROUP].since(MINUTE + timedelta(seconds=10)) == (180.0, 6.0)
    assert (found.cpu, found.memory, found.own) == (((MINUTE, 12.5),), (), ((MINUTE, 3.0),))
    asked = {query["Id"]: query["MetricStat"] for query in seen[0]["MetricDataQueries"]}
    dimensions = {d["Name"]: d["Value"] for d in asked["errors0"]["Metric"]["Dimensions"]}
    assert dimensions == {
        "TargetGroup": "targetgroup/blue/0123456789abcdef",
        "LoadBalancer": "app/lb/50dc",
    }
    assert asked["own"]["Stat"] == "Average"
    assert asked["own"]["Metric"]["Dimensions"] == [{"Name": "Stage", "Value": "prod"}]


def test_without_container_insights_the_sides_are_not_told(
    clients: Clients, stubbed: Callable[[str], Stubber]
) -> None:
    cloudwatch = stubbed("cloudwatch")
    cloudwatch.add_response("get_metric_data", {"MetricDataResults": [_told("cpu", 12.5)]})
    cloudwatch.add_client_error("get_metric_data", "ValidationError", "no searches here")
    found = AwsMetrics(clients).read(REF, [], {"sole": ("a" * 32,)}, NOW)
    assert (found.cpu, found.sides) == (((MINUTE, 12.5),), {})


def test_every_service_that_is_asked_has_a_name_for_its_endpoint_and_a_pace() -> None:
    services = set(get_args(ServiceName))
    assert set(SERVICE_IDS) == services
    assert set(RATES) == services


def _told(name: str, *values: float) -> dict[str, Any]:
    times = [MINUTE + timedelta(minutes=number) for number in range(len(values))]
    return {"Id": name, "Timestamps": times, "Values": list(values)}


def test_what_scaled_the_service_and_what_its_alarms_went_through(
    clients: Clients, stubbed: Callable[[str], Stubber]
) -> None:
    later = MINUTE + timedelta(minutes=1)
    activity = {
        "ActivityId": "1",
        "ServiceNamespace": "ecs",
        "ResourceId": "service/c/web",
        "ScalableDimension": "ecs:service:DesiredCount",
        "Description": "Setting desired count to 6.",
        "Cause": "monitor alarm high in state ALARM triggered policy cpu",
        "StartTime": later,
        "StatusCode": "Failed",
        "StatusMessage": "the service is being deployed",
    }
    stubbed("application-autoscaling").add_response(
        "describe_scaling_activities",
        {"ScalingActivities": [activity, {**activity, "StartTime": MINUTE}]},
        {
            "ServiceNamespace": "ecs",
            "ResourceId": "service/c/web",
            "ScalableDimension": "ecs:service:DesiredCount",
            "MaxResults": 50,
        },
    )
    item = {
        "AlarmName": "high",
        "Timestamp": MINUTE,
        "HistoryItemType": "StateUpdate",
        "HistorySummary": "Alarm updated from OK to ALARM",
        "HistoryData": json.dumps({"newState": {"stateValue": "ALARM", "stateReason": "5 > 4"}}),
    }
    stubbed("cloudwatch").add_response(
        "describe_alarm_history",
        {"AlarmHistoryItems": [item, {**item, "HistoryData": "no JSON"}]},
        {
            "AlarmName": "high",
            "AlarmTypes": ["MetricAlarm", "CompositeAlarm"],
            "HistoryItemType": "StateUpdate",
            "MaxRecords": 50,
        },
    )
    told = AwsActivity(clients).recent(ServiceRef("c", "web"), ["high"])
    assert [each.at for each in told.scaling] == [MINUTE, later]
    assert told.scaling[1] == Scaling(
        later,
        "Setting desired count to 6.",
        "monitor alarm high in state ALARM triggered policy cpu",
        "Failed",
        "the service is being deployed",
    )
    summary = "Alarm updated from OK to ALARM"
    assert told.alarms == (
        AlarmChange(MINUTE, "high", "ALARM", summary, "5 > 4"),
        AlarmChange(MINUTE, "high", "", summary),
    )


def test_a_pipeline_tells_its_newest_execution_and_where_that_failed(
    clients: Clients, stubbed: Callable[[str], Stubber]
) -> None:
    pipeline = stubbed("codepipeline")
    pipeline.add_response(
        "list_pipeline_executions",
        {
            "pipelineExecutionSummaries": [
                {
                    "pipelineExecutionId": "two",
                    "status": "Failed",
                    "startTime": MINUTE,
                    "sourceRevisions": [
                        {"actionName": "Source", "revisionId": "1f3c2aa", "revisionSummary": "Add"}
                    ],
                    "trigger": {"triggerType": "WebhookV2", "triggerDetail": ""},
                }
            ]
        },
        {"pipelineName": "web", "maxResults": 1},
    )
    failed = {"status": "Failed", "errorDetails": {"message": "exit status 1"}}
    pipeline.add_response(
        "get_pipeline_state",
        {
            "stageStates": [
                {
                    "stageName": "Source",
                    "latestExecution": {"pipelineExecutionId": "two", "status": "Succeeded"},
                },
                {
                    "stageName": "Build",
                    "latestExecution": {"pipelineExecutionId": "two", "status": "Failed"},
                    "actionStates": [{"actionName": "Build", "latestExecution": failed}],
                },
                {
                    "stageName": "Deploy",
                    "latestExecution": {"pipelineExecutionId": "one", "status": "Succeeded"},
                },
            ]
        },
        {"name": "web"},
    )
    assert AwsPipelines(clients).last("web") == PipelineRun(
        "web", "Failed", MINUTE, "1f3c2aa", "Add", "WebhookV2", "Build", "exit status 1"
    )
    pipeline.add_response(
        "list_pipeline_executions",
        {"pipelineExecutionSummaries": []},
        {"pipelineName": "new", "maxResults": 1},
    )
    assert AwsPipelines(clients).last("new") == PipelineRun("new")
