"""The embedded engine still has the names that it does not promise: read this when one moved.

`bgconsole/sandbox/engine.py` says what each is for. The engine is loaded in a process of its own,
because it reads its settings while it is imported and keeps its state in modules.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

LOOK = """
import inspect, json, os, sys, threading
from bgconsole.sandbox.engine import _SETTINGS, open_engine
os.environ.update(_SETTINGS, GATEWAY_PORT="4566")
import ministack.services.cloudformation as cloudformation
from ministack.services.cloudformation import changesets, handlers, provisioners, stacks
def names(function):
    return list(inspect.signature(function).parameters)
wrapped = {
    "_add_event": names(stacks._add_event),
    "_update_resource": names(stacks._update_resource),
    "_provision_resource": names(stacks._provision_resource),
    "_roll_back_operation": names(stacks._roll_back_operation),
    "_resolve_props_for_diff": names(changesets._resolve_props_for_diff),
    "_evaluate_conditions": names(changesets._evaluate_conditions),
    "_find_change_set": names(changesets._find_change_set),
    "_stack_region_context": names(changesets._stack_region_context)[:2],
    "_p": names(changesets._p)[:2],
    "DescribeChangeSet": names(handlers._ACTION_HANDLERS["DescribeChangeSet"]),
    "DescribeStacks": names(handlers._ACTION_HANDLERS["DescribeStacks"]),
}
import yaml
from ministack.core import responses
from ministack.services.cloudformation import engine as templates
before = {
    "loader": templates.CfnLoader.__mro__[1] is yaml.SafeLoader,
    "model": "_service_model(" in inspect.getsource(responses._expected_envelope_content_type),
    "names": isinstance(responses._BOTOCORE_NAME, dict),
    "one": stacks._add_event is handlers._add_event is changesets._add_event,
    "table": hasattr(cloudformation._stacks, "get"),
    "update": [name in inspect.getsource(stacks._update_keeping_seed) for name in
               ("_update_resource(",)] + [
               "_provision_resource(" in inspect.getsource(stacks._provision_keeping_seed)],
    "cancel": [name in inspect.getsource(function) for name, function in (
        ("_cancel_requested", handlers._cancel_update_stack),
        ("_cancel_requested", stacks._deploy_stack_async),
        ('operation.get("cancelled"', stacks._roll_back_operation),
        ("_roll_back_operation(", stacks._deploy_stack_async))],
}
used = [name in inspect.getsource(function) for name, function in (
        ("_runs_on_worker_thread", stacks._deploy_stack_async),
        ("_runs_on_worker_thread", stacks._delete_stack_async),
        ("_sends_back_failed_update", stacks._roll_back_operation),
        ("_RESOURCE_HANDLERS", provisioners._provision_resource),
        ("_REPLACING_PROPERTIES", provisioners._property_recreation))]
from ministack.core import iam_actions, iam_evaluator
policies = {
    "resolve_principal": names(iam_evaluator.resolve_principal)[:2],
    "evaluate": names(iam_evaluator.evaluate),
    "EvalContext": names(iam_evaluator.EvalContext),
    "extract_iam_action": names(iam_actions.extract_iam_action),
    "extract_resource_arn": names(iam_actions.extract_resource_arn),
}
engine = open_engine(4566)
import ministack.app
from ministack.core import responses
OURS = sys.argv[1].split()
print(json.dumps({
    "wrapped": wrapped,
    "before": before,
    "policies": policies,
    "tables": {t: sorted(provisioners._RESOURCE_HANDLERS[t]) for t in OURS},
    "handlers": {v: names(provisioners._RESOURCE_HANDLERS["AWS::ECR::Repository"][v])
                 for v in ("create", "update", "delete")},
    "replacing": provisioners._REPLACING_PROPERTIES["AWS::ECR::Repository"],
    "worker": [stacks._runs_on_worker_thread(t)
               for t in ("AWS::ECS::Service", "AWS::CloudFormation::Stack")],
    "reverts": [stacks._sends_back_failed_update(t)
                for t in ("AWS::ECS::Service", "AWS::CloudFormation::Stack")],
    "used": used,
    "scope": [responses.get_account_id(), responses.get_region()],
    "settings": {n: os.environ[n] for n in ("BIND_HOST", "DOCKER_HOST", "GATEWAY_PORT")},
    "app": inspect.iscoroutinefunction(ministack.app.app),
}))
"""

OURS = (
    "AWS::ECS::Cluster",
    "AWS::ECS::TaskDefinition",
    "AWS::ECS::Service",
    "AWS::ElasticLoadBalancingV2::LoadBalancer",
    "AWS::ElasticLoadBalancingV2::Listener",
    "AWS::ElasticLoadBalancingV2::ListenerRule",
    "AWS::ElasticLoadBalancingV2::TargetGroup",
)


@pytest.fixture(scope="module")
def engine() -> dict[str, Any]:
    found = subprocess.run(
        [sys.executable, "-c", LOOK, " ".join(OURS)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=Path(__file__).parents[2],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert found.returncode == 0, found.stderr
    facts: dict[str, Any] = json.loads(found.stdout)
    return facts


def test_each_of_our_types_has_an_entry_to_replace(engine: dict[str, Any]) -> None:
    for kind, verbs in engine["tables"].items():
        assert {"create", "delete"} <= set(verbs), kind


def test_handlers_are_called_as_we_answer(engine: dict[str, Any]) -> None:
    assert engine["handlers"]["create"] == ["logical_id", "props", "stack_name"]
    assert engine["handlers"]["update"][:4] == [
        "physical_id",
        "old_props",
        "new_props",
        "stack_name",
    ]
    assert engine["handlers"]["delete"] == ["physical_id", "props"]


def test_create_only_properties_are_a_tuple_for_each_type(engine: dict[str, Any]) -> None:
    assert engine["replacing"] == ["RepositoryName", "EncryptionConfiguration"]


def test_the_questions_we_also_answer_are_asked(engine: dict[str, Any]) -> None:
    assert engine["worker"] == [False, True]
    assert engine["reverts"] == [False, True]
    assert all(engine["used"]), engine["used"]


def test_the_scope_of_a_request_can_be_read(engine: dict[str, Any]) -> None:
    assert engine["scope"] == ["123456789012", "us-east-1"]


def test_it_is_told_loopback_and_no_docker_before_it_loads(engine: dict[str, Any]) -> None:
    assert engine["settings"] == {
        "BIND_HOST": "127.0.0.1",
        "DOCKER_HOST": "unix:///nonexistent",
        "GATEWAY_PORT": "4566",
    }
    assert engine["app"]


def test_what_is_wrapped_is_called_as_we_call_it(engine: dict[str, Any]) -> None:
    assert engine["wrapped"] == {
        "_add_event": [
            *("stack_id", "stack_name", "logical_id", "resource_type"),
            *("status", "reason", "physical_id", "detailed_status"),
        ],
        "_update_resource": [
            *("resource_type", "physical_id", "old_props", "new_props"),
            *("stack_name", "logical_id", "old_attrs"),
        ],
        "_provision_resource": ["resource_type", "logical_id", "props", "stack_name"],
        "_roll_back_operation": [
            *("stack_name", "stack_id", "stack", "operation", "reason_override"),
        ],
        "_resolve_props_for_diff": ["template", "params", "stack_name", "stack_id"],
        "_evaluate_conditions": ["template", "params"],
        "_find_change_set": ["cs_name", "stack_name"],
        "_stack_region_context": ["stack", "stack_id"],
        "_p": ["params", "key"],
        "DescribeChangeSet": ["params"],
        "DescribeStacks": ["params"],
    }
    assert engine["before"] == {
        "loader": True,
        "model": True,
        "names": True,
        "one": True,
        "table": True,
        "update": [True, True],
        "cancel": [True, True, True, True],
    }


def test_policies_are_judged_by_what_we_call(engine: dict[str, Any]) -> None:
    found = engine["policies"]
    asked = ("service", "method", "path", "headers", "body", "query_params")
    assert found["resolve_principal"] == ["access_key_id", "account_id"]
    assert found["evaluate"] == ["ctx", "policies", "limits"]
    assert set(found["EvalContext"]) >= {
        *("principal_arn", "principal_type", "principal_account", "action", "resource_arn"),
        *("region", "service_context", "principal_keys"),
    }
    assert found["extract_iam_action"] == [*asked]
    assert found["extract_resource_arn"] == [*asked, "region", "account_id"]
