"""The way back of a service that CodeDeploy deploys.

While its deployment runs, CodeDeploy is asked to stop it with roll back. After that only another
deployment goes back, with the application's own AppSpec and hooks: its command is named, not run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from shlex import quote

from bgconsole.domain.codedeploy import CodeDeployment, newest_id, sides_of
from bgconsole.domain.masking import mask
from bgconsole.domain.services import Service, TaskDefinition, TaskSet, revision_of
from bgconsole.domain.snapshot import Snapshot
from bgconsole.domain.versions import Version, named, task_set_version
from bgconsole.gateway.port import Gateway, Submitted
from bgconsole.operations import back_steps, migrations_since
from bgconsole.operations.feeds import feeds
from bgconsole.operations.lookup import Lookup, definitions_in
from bgconsole.operations.owning_stack import THROUGH, owning_stack
from bgconsole.operations.spec import (
    NO_EVIDENCE,
    Check,
    Evidence,
    Fact,
    No,
    Params,
    Plan,
    not_checked,
)
from bgconsole.operations.step import Bench, Step, Told
from bgconsole.operations.words import at, command
from bgconsole.watch.codedeploy_follow import Back, follow_codedeploy

UNTRIED = (
    "Stopping through CodeDeploy was tested with botocore's Stubber only, not on CodeDeploy itself"
)


def gather(gateway: Gateway, snapshot: Snapshot) -> Evidence:
    """Look up the task definition that is taken back; what runs is in the snapshot."""
    lookup = Lookup(gateway, snapshot)
    if (pair := _pair(snapshot)) is not None:
        lookup.definition(pair[1].task_definition)
    return lookup.evidence


def look_aside(gateway: Gateway, snapshot: Snapshot, evidence: Evidence) -> Evidence:
    """Ask what migrations ran since the old task set was made."""
    pair = _pair(snapshot)
    live = _taken_back(evidence, pair[1]) if pair else None
    if pair is None or live is None:
        return NO_EVIDENCE
    return migrations_since.gather(gateway, snapshot, pair[0].created_at, live)


def plan(snapshot: Snapshot, params: Params, evidence: Evidence | None) -> Plan | No:
    """Stop what runs with roll back; where nothing runs, the command that goes back."""
    service, deployment = snapshot.service.value, snapshot.codedeploy.value
    if params.get(THROUGH) == "stack":
        return No(
            "CodeDeploy deploys this service, whatever its stack does. The stack goes back by "
            "itself: bgconsole cancel-update STACK."
        )
    if service is None or deployment is None:
        return _unread(snapshot, service)
    if deployment.going_back:
        return No(f"{deployment.words}: a roll back is under way already.")
    if not deployment.ongoing:
        return _ended(snapshot, service, deployment, params.get("to", ""))
    return _stopping(snapshot, service, deployment, params.get("to", ""), evidence)


def _stopping(
    snapshot: Snapshot,
    service: Service,
    deployment: CodeDeployment,
    wanted: str,
    evidence: Evidence | None,
) -> Plan | No:
    """Stop the deployment that runs, and follow what takes it back."""
    pair = _pair(snapshot)
    if pair is None:
        return No(
            f"{deployment.words}, and ECS shows no other task set: there is nothing that it could "
            "go back to."
        )
    old, new = pair
    to = revision_of(old.task_definition)
    if wanted not in ("", to):
        return No(f"While {deployment.id} runs CodeDeploy goes back to revision {to} and no other.")
    live, target = task_set_version(snapshot, new), task_set_version(snapshot, old)
    taken_back = _taken_back(evidence, new)
    return Plan(
        summary=f"{back_steps.summary(snapshot, live, target)} through CodeDeploy",
        facts=(
            Fact("from", live.words, aside=f"being deployed since {at(new.created_at, snapshot)}"),
            Fact("to", target.words, aside=f"runs since {at(old.created_at, snapshot)}"),
            Fact("by", f"CodeDeploy stops {deployment.id} and rolls it back"),
        ),
        checks=(
            _warm(service, old),
            Check(UNTRIED, "warning"),
            *_stale(snapshot),
            *migrations_since.checks(snapshot, old.created_at, taken_back, evidence or NO_EVIDENCE),
            *_of_stack(snapshot),
        ),
        steps=(
            _stop(snapshot, deployment, target, live),
            _following(snapshot, service, deployment, old),
        ),
        confirm=to,
        notes=(
            f"{deployment.words}. CodeDeploy makes another deployment, which shifts traffic back.",
        ),
        left_to_do=tuple(feeds(snapshot, service, taken_back, drifts=False)),
        before=live.words,
        after=target.words,
    )


def _pair(snapshot: Snapshot) -> tuple[TaskSet, TaskSet] | None:
    """The old and the new task set of the deployment that runs."""
    service, deployment = snapshot.service.value, snapshot.codedeploy.value
    if service is None or deployment is None or not deployment.ongoing:
        return None
    old, new = sides_of(service, deployment.id)
    return (old, new) if old is not None and new is not None else None


def _taken_back(evidence: Evidence | None, new: TaskSet) -> TaskDefinition | None:
    return definitions_in(evidence).get(new.task_definition)


def _warm(service: Service, old: TaskSet) -> Check:
    told = f"{old.running}/{service.desired} old tasks still run"
    if old.running >= service.desired:
        return Check(told, "ok")
    return Check(f"{told}: the others must start again", "warning")


def _stale(snapshot: Snapshot) -> Iterator[Check]:
    """It is read again on the key; a plan from an older look says so."""
    if (failure := snapshot.codedeploy.failure) is not None:
        yield not_checked("where CodeDeploy stands now", failure.error.brief)


def _of_stack(snapshot: Snapshot) -> Iterator[Check]:
    if stack := owning_stack(snapshot, stopping=True):
        yield Check(stack, "warning")


def _stop(snapshot: Snapshot, deployment: CodeDeployment, target: Version, live: Version) -> Step:
    def act(gateway: Gateway, made: Mapping[str, str]) -> Submitted:
        del made
        return gateway.codedeploy.stop(deployment.id)

    def arrived(gateway: Gateway) -> bool:
        return gateway.codedeploy.deployment(deployment.id).status in ("Stopped", "Failed")

    return Step(
        f"stop CodeDeploy deployment {deployment.id} with roll back to {named(target, live)}",
        _stop_command(snapshot, deployment.id),
        act,
        arrived=arrived,
    )


def _following(
    snapshot: Snapshot, service: Service, deployment: CodeDeployment, old: TaskSet
) -> Step:
    def work(bench: Bench) -> Told:
        back = Back(deployment.id, old)
        return follow_codedeploy(bench.gateway, snapshot.ref, back, bench.onlooker)

    whole = f"{service.desired}/{service.desired}"
    return Step(
        f"follow CodeDeploy until {whole} old tasks serve again and the new ones are gone",
        work=work,
        effect="looks",
    )


def _stop_command(snapshot: Snapshot, deployment: str) -> str:
    return command(
        f"deploy stop-deployment --deployment-id {quote(deployment)} --auto-rollback-enabled",
        snapshot.place,
    )


def _unread(snapshot: Snapshot, service: Service | None) -> No:
    """Nothing is known of the deployment; its id is, as a rule, from its task set."""
    failure, named_by_ecs = snapshot.codedeploy.failure, newest_id(service) if service else ""
    if failure is not None and named_by_ecs:
        return No(
            f"CodeDeploy deployment {named_by_ecs} could not be read ({failure.error}). "
            "If it runs, this command stops it with roll back; the console does not do it unseen.",
            command=_stop_command(snapshot, named_by_ecs),
        )
    why = snapshot.codedeploy.absent or "CodeDeploy has not been read yet"
    return No(f"CodeDeploy deploys this service, and {why}: there is nothing to stop.")


def _ended(snapshot: Snapshot, service: Service, deployment: CodeDeployment, to: str) -> No:
    """After the end only a new deployment goes back: its command."""
    if deployment.status != "Succeeded":
        return No(
            f"{deployment.words}. Going further back is not guessed: this lists what succeeded.",
            command=_list_command(snapshot, deployment),
        )
    if (another := deployment.another) is not None:
        if another.takes_back:
            return No(f"{deployment.words}: a roll back is under way already.")
        return No(
            f"{deployment.words}. It can be stopped from here once that is there; until then this "
            "command stops it with roll back.",
            command=_stop_command(snapshot, another.id),
        )
    live = service.task_definition or (service.primary.task_definition if service.primary else "")
    if to:
        document, revision = _own_document(service, live, to), to
        from_where = (
            "The AppSpec is made from the service, without hooks; add those of the application."
        )
    else:
        previous = deployment.previous
        document = previous.document if previous else ""
        revision = revision_of(previous.task_definition) if previous else ""
        from_where = "The AppSpec is that of the deployment before."
        if previous is not None and previous.task_definition == live:
            document = ""
    begin = f"{deployment.words} and cannot be stopped any more: only a new deployment goes back"
    why = "" if document else "What was deployed before it is not known here"
    if mask(document) != document:
        why = "The AppSpec of before carries what looks like a secret, which is not shown"
    if why:
        return No(
            f"{begin}. {why}: this lists what succeeded. "
            "`bgconsole rollback --to REVISION` names the command for one.",
            command=_list_command(snapshot, deployment),
        )
    where = f" to revision {revision}" if revision else " to the revision before"
    configuration = (
        f"--deployment-config-name {quote(deployment.configuration)} "
        if deployment.configuration
        else ""
    )
    return No(
        f"{begin}. This command makes one{where}; the console does not run it. {from_where}",
        command=command(
            f"deploy create-deployment {_group(deployment)} {configuration}"
            f"--description {quote(f'roll back of {deployment.id}')} --revision {quote(document)}",
            snapshot.place,
        ),
    )


def _own_document(service: Service, live: str, to: str) -> str:
    """An AppSpec for another revision of the live family; empty where it cannot be written."""
    if not to.isdigit() or not service.load_balancing or ":" not in live:
        return ""
    balanced = service.load_balancing[0]
    target = {
        "Type": "AWS::ECS::Service",
        "Properties": {
            "TaskDefinition": f"{live.rpartition(':')[0]}:{to}",
            "LoadBalancerInfo": {
                "ContainerName": balanced.container,
                "ContainerPort": balanced.port,
            },
        },
    }
    content = json.dumps({"version": 0.0, "Resources": [{"TargetService": target}]})
    return json.dumps({"revisionType": "AppSpecContent", "appSpecContent": {"content": content}})


def _list_command(snapshot: Snapshot, deployment: CodeDeployment) -> str:
    words = f"deploy list-deployments {_group(deployment)} --include-only-statuses Succeeded"
    return command(words, snapshot.place)


def _group(deployment: CodeDeployment) -> str:
    return (
        f"--application-name {quote(deployment.application)} "
        f"--deployment-group-name {quote(deployment.group)}"
    )
