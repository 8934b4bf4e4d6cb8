"""What IAM is asked about one call: action, resource and condition keys, as AWS documents them.

ECS, Elastic Load Balancing and CloudWatch Logs are looked into here, because this sandbox answers
them; of other services the resource is given. A call that hands a role to a service asks for
`iam:PassRole` too, for the roles that the request itself names.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from ..calls import Call
    from ..scope import Scope

ANY = "*"


@dataclass(frozen=True, slots=True)
class Question:
    """May the caller do this to that?"""

    action: str
    """`ecs:UpdateService`."""
    resource: str
    """An ARN, or `*` where the action knows no resource."""
    context: Mapping[str, str] = field(default_factory=dict)
    """Condition keys in lower case."""


def questions(call: Call, body: bytes, scope: Scope, resource: str) -> Iterator[Question]:
    """All that is to be allowed for one call; `resource` is what its service acts on."""
    match call.service:
        case "ecs":
            request = _json(body)
            context = _cluster_context(request, scope)
            for arn in _ecs_resources(call.action, request, scope):
                yield Question(call.iam_action, arn, context)
            if request.get("tags") and call.action in _TAGGED:
                yield Question("ecs:TagResource", ANY, {"ecs:createaction": call.action})
            yield from _passed(_ecs_roles(call.action, request), scope)
        case "elasticloadbalancing":
            for arn in _balancing_resources(call.action, body):
                yield Question(call.iam_action, arn)
        case "logs":
            for arn in _log_resources(call.action, _json(body), scope):
                yield Question(call.iam_action, arn)
        case "cloudformation":
            yield Question(call.iam_action, resource)
            role = dict(parse_qsl(body.decode("latin-1"))).get("RoleARN", "")
            yield from _passed([(role, "cloudformation.amazonaws.com")] if role else [], scope)
        case _:
            yield Question(call.iam_action, resource)


_TAGGED = {"CreateCluster", "CreateService", "RegisterTaskDefinition", "RunTask"}
_OF_A_SERVICE = {
    *("UpdateService", "DeleteService", "CreateService", "ListServiceDeployments"),
}
_OF_A_SERVICE_DEPLOYMENT = {"StopServiceDeployment", "ContinueServiceDeployment"}
_OF_A_CLUSTER = {"DeleteCluster", "UpdateCluster", "UpdateClusterSettings", "ExecuteCommand"}


def _ecs_resources(action: str, request: Mapping[str, Any], scope: Scope) -> list[str]:
    """What an operation of ECS acts on, by the service authorization reference."""
    start = f"arn:aws:ecs:{scope.region}:{scope.account}:"
    cluster = _name(request.get("cluster") or "default")

    def full(kind: str, names: Iterable[object]) -> list[str]:
        told = [str(name) for name in names]
        return [n if n.startswith("arn:") else f"{start}{kind}/{cluster}/{_name(n)}" for n in told]

    found: list[str] = []
    if action == "DescribeServices":
        found = full("service", request.get("services", ()))
    elif action in _OF_A_SERVICE:
        found = full("service", [request.get("service") or request.get("serviceName", "")])
    elif action in _OF_A_SERVICE_DEPLOYMENT:
        found = [str(request.get("serviceDeploymentArn", ""))]
    elif action == "DescribeServiceDeployments":
        found = [str(arn) for arn in request.get("serviceDeploymentArns", ())]
    elif action == "DescribeServiceRevisions":
        found = [str(arn) for arn in request.get("serviceRevisionArns", ())]
    elif action == "DescribeTasks":
        found = full("task", request.get("tasks", ()))
    elif action == "StopTask":
        found = full("task", [request.get("task", "")])
    elif action == "RunTask":
        name = str(request.get("taskDefinition", ""))
        found = [name if name.startswith("arn:") else f"{start}task-definition/{name}"]
    elif action == "RegisterTaskDefinition":
        found = [f"{start}task-definition/{request.get('family', '')}:*"]
    elif action == "DescribeClusters":
        names = request.get("clusters") or ["default"]
        found = [f"{start}cluster/{_name(name)}" for name in names]
    elif action in _OF_A_CLUSTER:
        found = [f"{start}cluster/{cluster}"]
    elif action in ("TagResource", "UntagResource", "ListTagsForResource"):
        found = [str(request.get("resourceArn", ANY))]
    return found or [ANY]


def _cluster_context(request: Mapping[str, Any], scope: Scope) -> dict[str, str]:
    cluster = request.get("cluster")
    if not isinstance(cluster, str):
        return {}
    arn = f"arn:aws:ecs:{scope.region}:{scope.account}:cluster/{_name(cluster)}"
    return {"ecs:cluster": arn}


def _ecs_roles(action: str, request: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each role that a request hands over, and to whom."""
    tasks, ecs = "ecs-tasks.amazonaws.com", "ecs.amazonaws.com"
    named = request.get("overrides") or {} if action == "RunTask" else request
    if action in ("RunTask", "RegisterTaskDefinition"):
        for member in ("executionRoleArn", "taskRoleArn"):
            if named.get(member):
                yield str(named[member]), tasks
    if action in ("CreateService", "UpdateService"):
        for balancer in request.get("loadBalancers") or ():
            role = (balancer.get("advancedConfiguration") or {}).get("roleArn")
            if role:
                yield str(role), ecs


def _passed(roles: Iterable[tuple[str, str]], scope: Scope) -> Iterator[Question]:
    for role, service in roles:
        arn = role if role.startswith("arn:") else f"arn:aws:iam::{scope.account}:role/{role}"
        yield Question("iam:PassRole", arn, {"iam:passedtoservice": service})


def _balancing_resources(action: str, body: bytes) -> list[str]:
    """Reads know no resource; a write acts on what it names."""
    if action.startswith("Describe"):
        return [ANY]
    form = dict(parse_qsl(body.decode("latin-1")))
    members = ("RuleArn", "ListenerArn", "TargetGroupArn", "LoadBalancerArn")
    named = [form[member] for member in members if member in form]
    named += [v for k, v in form.items() if k.startswith(("ResourceArns.", "RulePriorities."))]
    return [arn for arn in named if arn.startswith("arn:")][:1] or [ANY]


def _log_resources(action: str, request: Mapping[str, Any], scope: Scope) -> list[str]:
    start = f"arn:aws:logs:{scope.region}:{scope.account}:log-group:"
    told = request.get("logGroupIdentifiers") or ()
    names = [str(each) for each in told]
    if name := request.get("logGroupName") or request.get("logGroupIdentifier"):
        names.append(str(name))
    groups = [n if n.startswith("arn:") else f"{start}{n}" for n in names]
    if action == "DescribeLogGroups":
        return [f"{start}{request.get('logGroupNamePrefix', '')}*"]
    stream = request.get("logStreamName")
    if stream:
        return [f"{group}:log-stream:{stream}" for group in groups]
    return groups or [ANY]


def _json(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _name(name_or_arn: object) -> str:
    return str(name_or_arn).rpartition("/")[2]
