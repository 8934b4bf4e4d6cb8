"""Worlds of a service that CodeDeploy deploys: revision 1 is old, revision 2 is new.

`d-NEW` brings revision 2 beside `d-OLD`'s revision 1; stopping it makes `d-BACK`, and `settle`
brings that to its end.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bgconsole.domain.codedeploy import CodeDeployment, Revision
from bgconsole.domain.errors import Rejected
from bgconsole.domain.services import Deployment, Service, TaskSet
from bgconsole.gateway.port import Submitted
from bgconsole.gateway.scripted import Call, ScriptedWorld
from tests import two_groups
from tests.values import NOW, POSTS, REF

SPEC = json.dumps({"Properties": {"TaskDefinition": POSTS.definition_arn}})
PREVIOUS = Revision(
    "AppSpecContent",
    json.dumps({"revisionType": "AppSpecContent", "appSpecContent": {"content": SPEC}}),
    "5ec0",
)


def under_way(production: float = 0, **changes: Any) -> ScriptedWorld:
    """Both task sets run whole; the new one has so many percent of the traffic.

    `changes` are fields of the deployment `d-NEW`.
    """
    world = two_groups.under_way(production, 100)
    service = world.services[REF]
    new, old = service.deployments
    world.services[REF] = _with_sets(
        service,
        _task_set(new, "PRIMARY" if production == 100 else "ACTIVE", "d-NEW"),
        _task_set(old, "ACTIVE" if production == 100 else "PRIMARY", "d-OLD"),
    )
    world.history[REF] = ()
    world.revisions = {}
    made = CodeDeployment(
        id="d-NEW",
        status="InProgress",
        application="web",
        group="web-group",
        configuration="CodeDeployDefault.ECSCanary10Percent5Minutes",
        created_at=NOW - timedelta(minutes=3),
        keeps=60,
        shifted=production == 100,
        previous=PREVIOUS,
    )
    before = replace(made, id="d-OLD", status="Succeeded", shifted=True, previous=None)
    world.codedeployments = {"d-NEW": replace(made, **changes), "d-OLD": before}
    world.effects["codedeploy.stop"] = _stop
    return world


def ended(**changes: Any) -> ScriptedWorld:
    """`d-NEW` has succeeded and the old task set is gone."""
    world = under_way(100, **{"status": "Succeeded", "completed_at": NOW, **changes})
    only = next(one for one in world.services[REF].task_sets if one.external_id == "d-NEW")
    _leave(world, only)
    return world


def settle(world: ScriptedWorld) -> None:
    """Let the deployment that goes back end well, if there is one."""
    with world.lock:
        stopped = world.codedeployments["d-NEW"]
        if stopped.back is None or not stopped.back.ongoing:
            return
        back = replace(stopped.back, status="Succeeded")
        world.codedeployments["d-NEW"] = replace(stopped, back=back)
        old = next(one for one in world.services[REF].task_sets if one.external_id == "d-OLD")
        _leave(world, replace(old, status="PRIMARY"))


def _leave(world: ScriptedWorld, task_set: TaskSet) -> None:
    """Only one task set is left, with all the traffic."""
    service, balancing = world.services[REF], world.balancing[REF]
    old = task_set.external_id == "d-OLD"
    world.tasks[REF] = tuple(t for t in world.tasks[REF] if t.started_by == task_set.id)
    addresses = {task.address for task in world.tasks[REF]}
    left = tuple(t for g in balancing.groups for t in g.targets if t.address in addresses)
    whole = replace(balancing.groups[0], targets=left)
    world.balancing[REF] = replace(balancing, groups=(whole,))
    two_groups.shift(world, 0 if old else 100, 0 if old else 100)
    world.services[REF] = replace(
        _with_sets(service, task_set),
        task_definition=task_set.task_definition,
        running=task_set.running,
    )


def _with_sets(service: Service, *task_sets: TaskSet) -> Service:
    """As the gateway reads such a service: deployments are its task sets, newest first."""
    known = {deployment.id: deployment for deployment in service.deployments}
    return replace(
        service,
        controller="CODE_DEPLOY",
        task_sets=task_sets,
        deployments=tuple(
            replace(
                known[one.id],
                status="ACTIVE" if number else "PRIMARY",
                rollout_state="COMPLETED" if len(task_sets) == 1 else "",
                rollout_reason="",
            )
            for number, one in enumerate(task_sets)
        ),
        current_deployment="",
        current_revisions=(),
    )


def _task_set(deployment: Deployment, status: str, made_by: str) -> TaskSet:
    return TaskSet(
        id=deployment.id,
        status=status,
        task_definition=deployment.task_definition,
        desired=deployment.desired,
        running=deployment.running,
        pending=0,
        created_at=deployment.created_at,
        updated_at=deployment.updated_at,
        external_id=made_by,
    )


def _stop(world: ScriptedWorld, call: Call) -> Submitted:
    """StopDeployment: stopped at once, and another deployment goes back."""
    name = str(call.arguments["deployment"])
    found = world.codedeployments[name]
    if not found.ongoing:
        raise Rejected("AWS refuses", "It is complete", code="DeploymentAlreadyCompletedException")
    back = replace(found, id="d-BACK", status="InProgress", shifted=False)
    world.codedeployments[name] = replace(
        found, status="Stopped", completed_at=world.now, back_id="d-BACK", back=back
    )
    return Submitted(f"request-{len(world.writes)}", deployment=name)
