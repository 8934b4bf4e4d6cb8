"""Trouble that needs the whole sandbox: alarms that follow its own visitors, a changed secret."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.e2e.account import CLUSTER, SERVICE
from tests.e2e.conftest import serving
from tests.e2e.sandbox.test_two_groups import Pair, until

FIVE = "HTTPCode_Target_5XX_Count"


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    nowhere = tmp_path_factory.mktemp("nowhere")
    with serving(nowhere, "--port", "0", "--speed", "60") as sandbox:
        made = Pair(sandbox)
        made.endpoint = sandbox.environment["AWS_ENDPOINT_URL"]
        yield made


def dimensions(account: Pair) -> list[dict[str, str]]:
    """Of the load balancer, as AWS writes them."""
    (balancer,) = account.client("elbv2").describe_load_balancers()["LoadBalancers"]
    path = balancer["LoadBalancerArn"].partition(":loadbalancer/")[2]
    assert path.startswith("app/")
    return [{"Name": "LoadBalancer", "Value": path}]


def total(account: Pair, metric: str) -> float:
    """What a metric of the load balancer adds up to."""
    now = datetime.now(UTC)
    told = account.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/ApplicationELB",
        MetricName=metric,
        Dimensions=dimensions(account),
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(hours=1),
        Period=60,
        Statistics=["Sum"],
    )
    return float(sum(point["Sum"] for point in told["Datapoints"]))


def test_visitors_are_counted_and_errors_of_a_new_version_take_it_back(account: Pair) -> None:
    metrics = account.client("cloudwatch")
    metrics.put_metric_alarm(
        AlarmName="target-5xx",
        Namespace="AWS/ApplicationELB",
        MetricName=FIVE,
        Dimensions=dimensions(account),
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=0,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )

    def state() -> str:
        (alarm,) = metrics.describe_alarms(AlarmNames=["target-5xx"])["MetricAlarms"]
        found: str = alarm["StateValue"]
        return found

    until(lambda: total(account, "RequestCount") > 0, "counted requests")
    until(lambda: state() == "OK", "a quiet alarm")
    before = account.service()["taskDefinition"]
    alarms = {"alarmNames": ["target-5xx"], "enable": True, "rollback": True}
    account.client("ecs").update_service(
        cluster=CLUSTER,
        service=SERVICE,
        deploymentConfiguration={"alarms": alarms, "bakeTimeInMinutes": 60},
    )
    account.begin("5xx-deploy=100")
    until(lambda: account.newest()["status"] == "ROLLBACK_SUCCESSFUL", "the roll back")
    record = account.newest()
    assert record["alarms"]["triggeredAlarmNames"] == ["target-5xx"]
    assert total(account, FIVE) > 0
    assert account.service()["taskDefinition"] == before
    until(lambda: state() == "OK", "a quiet alarm")
    account.client("ecs").update_service(
        cluster=CLUSTER,
        service=SERVICE,
        deploymentConfiguration={
            "alarms": {"alarmNames": [], "enable": False, "rollback": False},
            "bakeTimeInMinutes": 0,
        },
    )


def test_a_changed_secret_has_a_date_and_its_tasks_fail(account: Pair) -> None:
    secrets = account.client("secretsmanager")

    def database() -> dict[str, Any]:
        definition = account.client("ecs").describe_task_definition(
            taskDefinition=account.service()["taskDefinition"]
        )["taskDefinition"]
        named = {
            s["name"]: s["valueFrom"] for s in definition["containerDefinitions"][0]["secrets"]
        }
        described: dict[str, Any] = secrets.describe_secret(SecretId=named["DATABASE_URL"])
        return described

    before = secrets.get_secret_value(SecretId=database()["ARN"])
    earlier = account.newest()["serviceDeploymentArn"]
    account.begin("secret-changed")
    until(lambda: len(database()["VersionIdsToStages"]) == 2, "another secret")
    after = secrets.get_secret_value(SecretId=database()["ARN"])
    assert after["VersionId"] != before["VersionId"]
    assert after["SecretString"] != before["SecretString"]
    assert database()["LastChangedDate"] >= before["CreatedDate"]
    until(lambda: account.newest()["serviceDeploymentArn"] != earlier, "a deployment")
    until(lambda: account.newest()["status"] == "ROLLBACK_SUCCESSFUL", "the roll back")
    logs = account.client("logs")
    (group,) = logs.describe_log_groups(logGroupNamePrefix="democluster")["logGroups"]
    wanted = '"password authentication failed"'

    def told() -> bool:
        # A line is there a moment after its task has ended, as CloudWatch has it.
        name = group["logGroupName"]
        return bool(logs.filter_log_events(logGroupName=name, filterPattern=wanted)["events"])

    until(told, "the words of a task")
    account.begin("none")

    def restored() -> bool:
        value = secrets.get_secret_value(SecretId=database()["ARN"])["SecretString"]
        return bool(value == before["SecretString"])

    until(restored, "the value of before")


def test_a_rollback_fails_when_nothing_old_is_left(account: Pair) -> None:
    account.begin("rollback-failed")
    until(lambda: account.newest()["status"] == "ROLLBACK_FAILED", "a failed roll back")
    assert "rollback failed" in account.newest()["statusReason"]
    assert account.service()["runningCount"] == 0
    account.begin("none")
