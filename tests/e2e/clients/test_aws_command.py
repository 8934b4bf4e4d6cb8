"""The AWS CLI of PyPI: looking, deploying a stack, waiting."""

from __future__ import annotations

import json
from subprocess import CompletedProcess
from typing import Any

from tests.e2e.account import CLUSTER, SERVICE, TEMPLATES, Account
from tests.e2e.clients.programs import program

NAMED = ("--cluster", CLUSTER, "--services", SERVICE)


def test_it_looks_and_forces_a_deployment(shared: Account) -> None:
    listed = _json(shared, "ecs", "list-services", "--cluster", CLUSTER)
    assert [arn.rpartition("/")[2] for arn in listed["serviceArns"]] == [SERVICE]
    tasks = _json(shared, "ecs", "list-tasks", "--cluster", CLUSTER)["taskArns"]
    shown = _json(shared, "ecs", "describe-tasks", "--cluster", CLUSTER, "--tasks", *tasks)
    assert {task["lastStatus"] for task in shown["tasks"]} == {"RUNNING"}

    forced = ("--cluster", CLUSTER, "--service", SERVICE, "--force-new-deployment")
    answer = _json(shared, "ecs", "update-service", *forced)
    states = [d["status"] for d in answer["service"]["deployments"]]
    assert states == ["PRIMARY", "ACTIVE"]
    waited = _aws(shared, "ecs", "wait", "services-stable", *NAMED)  # asks each 15 s
    assert waited.returncode == 0, waited.stderr
    (service,) = _json(shared, "ecs", "describe-services", *NAMED)["services"]
    assert [d["rolloutState"] for d in service["deployments"]] == ["COMPLETED"]
    after = _json(shared, "ecs", "list-tasks", "--cluster", CLUSTER)["taskArns"]
    assert len(after) == 4
    assert not set(after) & set(tasks)


def test_it_deploys_a_template(shared: Account) -> None:
    command = (
        *("cloudformation", "deploy", "--stack-name", "typed"),
        *("--template-file", str(TEMPLATES / "service.yml")),
        *("--capabilities", "CAPABILITY_IAM"),
    )
    image = f"Image={shared.image('1f3c2aa')}"

    made = _aws(shared, *command, "--parameter-overrides", image)
    assert made.returncode == 0, made.stderr
    assert made.stdout == (
        "\nWaiting for changeset to be created..\n"
        "Waiting for stack create/update to complete\n"
        "Successfully created/updated stack - typed\n"
    )
    assert shared.service(service="typed")["runningCount"] == 1

    same = _aws(shared, *command, "--parameter-overrides", image, "--no-fail-on-empty-changeset")
    assert same.returncode == 0, same.stderr
    assert "No changes to deploy. Stack typed is up to date" in same.stdout


def test_its_refusals_are_those_of_aws(shared: Account) -> None:
    unknown = _aws(shared, "ecs", "describe-services", "--cluster", "no", "--services", "none")
    assert unknown.returncode in (254, 255)  # of version 2, of version 1
    assert unknown.stderr.strip().endswith(
        "An error occurred (ClusterNotFoundException) when calling the DescribeServices "
        "operation: Cluster not found."
    )
    shell = ("--command", "/bin/sh", "--interactive", "--task")
    (task, *_) = _json(shared, "ecs", "list-tasks", "--cluster", CLUSTER)["taskArns"]
    refused = _aws(shared, "ecs", "execute-command", "--cluster", CLUSTER, *shell, task)
    assert refused.returncode != 0
    assert "InvalidParameterException" in refused.stderr or "SessionManager" in refused.stderr


def _aws(shared: Account, *arguments: str) -> CompletedProcess[str]:
    return shared.sandbox.run(program("aws"), *arguments)


def _json(shared: Account, *arguments: str) -> dict[str, Any]:
    answer = _aws(shared, *arguments, "--output", "json")
    assert answer.returncode == 0, answer.stderr
    told: dict[str, Any] = json.loads(answer.stdout)
    return told
