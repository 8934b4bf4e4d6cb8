"""Our metrics, alarms and secrets through the embedded engine's own APIs, in a process of its own.

The engine keeps its state in modules and reads its settings while it is imported.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ASK = """
import asyncio, json, random
from collections import Counter
from datetime import UTC, datetime, timedelta
from bgconsole.sandbox.alarms import EngineAlarms
from bgconsole.sandbox.engine import open_engine
from bgconsole.sandbox.request_meter import NAMESPACE, RequestMeter
from bgconsole.sandbox.scope import DEMO_SCOPE
from bgconsole.sandbox.secret_values import EngineSecrets

ARN = "arn:aws:elasticloadbalancing:us-east-1:123456789012:"
LISTENER = ARN + "listener/app/demo/0123456789abcdef/fedcba9876543210"
GROUP = ARN + "targetgroup/blue/0123456789abcdef"
BALANCER = {"Name": "LoadBalancer", "Value": "app/demo/0123456789abcdef"}
FIVE = "HTTPCode_Target_5XX_Count"

async def main():
    engine = open_engine(4566)
    engine.leave_alarms(NAMESPACE)
    alarms = EngineAlarms(engine.app, DEMO_SCOPE)

    async def settle():
        while alarms._tasks:
            await asyncio.gather(*alarms._tasks)

    async def alarm(name, namespace):
        await alarms._ask("PutMetricAlarm", {
            "AlarmName": name, "Namespace": namespace, "MetricName": FIVE, "Statistic": "Sum",
            "Dimensions": [BALANCER], "Period": 60, "EvaluationPeriods": 1, "Threshold": 1,
            "ComparisonOperator": "GreaterThanThreshold"})

    await alarm("ours", NAMESPACE)
    await alarm("theirs", "Custom")
    for number in range(120):
        await alarm(f"more-{number:03}", "Unused")
    meter = RequestMeter()
    for number in range(300):
        meter.forwarded(LISTENER, GROUP)
        meter.answered(LISTENER, GROUP, 500 if number % 3 else 200, number / 1000)
    now = datetime.now(UTC)
    alarms.put(now, meter.take())
    await alarms._ask("PutMetricData", {"Namespace": "Custom", "MetricData": [
        {"MetricName": FIVE, "Value": 7, "Dimensions": [BALANCER]}]})
    await settle()
    found = {}
    alarms.find(["ours", "theirs"], found.update)
    await settle()
    asked = []
    def decide(alarm):
        asked.append(alarm["AlarmName"])
        if alarm["AlarmName"] == "ours":
            return ("ALARM", "because") if alarm["Threshold"] == 1 else None
    alarms.judge_all(decide)
    await settle()
    judged = {}
    alarms.find(["ours"], judged.update)
    await settle()
    window = {"Namespace": NAMESPACE, "StartTime": (now - timedelta(minutes=5)).timestamp(),
              "EndTime": (now + timedelta(minutes=5)).timestamp(), "Period": 3600}
    async def sums(metric, *dimensions):
        told = await alarms._ask("GetMetricStatistics", {**window, "MetricName": metric,
            "Dimensions": list(dimensions), "Statistics": ["Sum", "SampleCount", "Maximum"]})
        rows = told["Datapoints"]
        return [sum(r["Sum"] for r in rows), sum(r["SampleCount"] for r in rows),
                max(r["Maximum"] for r in rows)]
    group = {"Name": "TargetGroup", "Value": "targetgroup/blue/0123456789abcdef"}
    secrets = EngineSecrets(engine.app, DEMO_SCOPE, random.Random(1))
    made = await secrets._ask("CreateSecret", {"Name": "url",
        "SecretString": "postgresql://foouser:first@db.example:5432/foodb"})
    async def value():
        await secrets.settled()
        told = await secrets._ask("GetSecretValue", {"SecretId": made["ARN"]})
        return told["SecretString"]
    secrets.change(made["ARN"] + ":key::")
    other = await value()
    described = await secrets._ask("DescribeSecret", {"SecretId": made["ARN"]})
    secrets.restore()
    print(json.dumps({
        "found": found, "judged": judged, "asked": len(set(asked)),
        "balancer": await sums(FIVE, BALANCER), "group": await sums(FIVE, BALANCER, group),
        "times": await sums("TargetResponseTime", BALANCER),
        "secret": [other, await value()], "versions": len(described["VersionIdsToStages"]),
        "changed": described["LastChangedDate"] >= described["CreatedDate"],
    }))

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    found = subprocess.run(
        [sys.executable, "-c", ASK],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert found.returncode == 0, found.stderr
    facts: dict[str, Any] = json.loads(found.stdout)
    return facts


def test_metrics_arrive_under_both_sets_of_dimensions(told: dict[str, Any]) -> None:
    assert told["balancer"] == told["group"] == [200, 1, 200]
    total, count, longest = told["times"]
    # More different values than one datum may carry; none is lost.
    assert (count, longest) == (300, 0.299)
    assert total == pytest.approx(sum(range(300)) / 1000 + 0.001)


def test_the_engine_leaves_our_alarms_alone_and_we_set_their_state(told: dict[str, Any]) -> None:
    assert told["found"] == {"ours": "INSUFFICIENT_DATA", "theirs": "ALARM"}
    assert told["judged"] == {"ours": "ALARM"}
    assert told["asked"] == 122, "every page of DescribeAlarms"


def test_a_secret_gets_another_password_and_its_first_one_back(told: dict[str, Any]) -> None:
    other, back = told["secret"]
    assert back == "postgresql://foouser:first@db.example:5432/foodb"
    assert other.startswith("postgresql://foouser:")
    assert other.endswith("@db.example:5432/foodb")
    assert other != back
    assert told["versions"] == 2
    assert told["changed"]
