"""The least policy, proved with the whole program: the console and the command line with a key.

A user of the sandbox has the policies of `cfn/console-policy.yml` and nothing else. With them the
console opens whole and every operation of the catalogue runs to its end. With `ReadOnly` alone
every operation is refused. With any one action left out, the place that needs it names the action,
and every other place tells what it told before.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import time
from _thread import interrupt_main
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from textual.pilot import Pilot

from bgconsole.cli.failure import run
from bgconsole.config.paths import paths
from bgconsole.config.settings import load
from bgconsole.domain.errors import AccessDenied
from bgconsole.domain.exit_codes import EXIT_BUG, EXIT_INTERRUPTED
from bgconsole.gateway.aws.images import INDEXES
from bgconsole.main import command_line, wiring
from bgconsole.operations.catalog import OPERATIONS
from bgconsole.sandbox.launch import Sandbox
from bgconsole.sandbox.settings import Settings
from bgconsole.ui.app import Console
from bgconsole.ui.screens.service import ServiceScreen
from bgconsole.watch.sources import FEEDS, SOURCES
from tests.consoles import text
from tests.contract.test_permissions import ACCESS, USER, client, of_template
from tests.e2e.account import move_to_two_groups
from tests.values import LOG_GROUP, REF
from tests.waiting import until

ROOT = Path(__file__).parents[2]
SERVICE = ("--cluster", REF.cluster, "--service", REF.name)
PATIENCE = 30.0
"""Seconds after which a condition counts as never met."""


@dataclass(frozen=True)
class Ended:
    """How one call of the program ended."""

    code: int
    told: str
    """All that it printed."""


@dataclass
class Account:
    """A sandbox, seen by its root, and a user in it who runs the program."""

    sandbox: Sandbox
    key: Mapping[str, str]
    """The user's."""
    _clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        """The root's; made once, for that takes longer than a call."""
        if service not in self._clients:
            self._clients[service] = client(service, self.sandbox.endpoint)
        return self._clients[service]

    def may(self, *policies: str, without: str = "") -> None:
        """Give the user these of our policies, an action left out, and nothing else."""
        statements = [s for p in policies for s in of_template(p, without, repositories="demorepo")]
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam = self.client("iam")
        iam.put_user_policy(UserName=USER, PolicyName="least", PolicyDocument=document)

    def run(self, *words: str, out: io.StringIO | None = None) -> Ended:
        """The command line, as the user; what it prints comes into `out` at once."""
        out = out or io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            code = run(command_line(), words, paths)
        assert "Traceback" not in out.getvalue()
        return Ended(code, out.getvalue())

    def service(self) -> dict[str, Any]:
        """The demo's service as it is now."""
        ecs = self.client("ecs")
        (found,) = ecs.describe_services(cluster=REF.cluster, services=[REF.name])["services"]
        return dict(found)

    def newest(self) -> dict[str, Any]:
        """Its newest deployment."""
        ecs = self.client("ecs")
        listed = ecs.list_service_deployments(cluster=REF.cluster, service=REF.name)
        arn = listed["serviceDeployments"][0]["serviceDeploymentArn"]
        described = ecs.describe_service_deployments(serviceDeploymentArns=[arn])
        return dict(described["serviceDeployments"][0])

    def stack(self, name: str) -> str:
        """The status of a stack; empty where it is not there."""
        stacks = self.client("cloudformation").describe_stacks()["Stacks"]
        return next((s["StackStatus"] for s in stacks if s["StackName"] == name), "")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    log = tmp_path_factory.mktemp("sandbox") / "server.log"
    settings = Settings(port=0, speed=100, runtime="simulated")
    with Sandbox(settings, log=log) as sandbox:
        iam = client("iam", sandbox.endpoint)
        iam.create_user(UserName=USER)
        yield Account(sandbox, iam.create_access_key(UserName=USER)["AccessKey"])


@pytest.fixture
def account(served: Account, nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> Account:
    monkeypatch.chdir(nowhere)
    monkeypatch.setenv("AWS_ENDPOINT_URL", served.sandbox.endpoint)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", served.key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", served.key["SecretAccessKey"])
    monkeypatch.setenv("DOCKER_HOST", served.sandbox.docker_host)
    return served


# Operations.


@dataclass(frozen=True)
class Turn:
    """One operation as it is run here."""

    operation: str
    words: tuple[str, ...]
    refused: str
    """The action that is named where one may only look."""
    lacking: tuple[str, ...] = ()
    """Every further action that is named where it alone is missing."""
    ready: Callable[[Account], object] = lambda _: None
    """Makes the world such that it makes sense; done again before each run."""
    given: Callable[[Account], tuple[str, ...]] = lambda _: ("--yes",)
    """What is only known then, and the confirmation."""
    of_stacks: bool = False
    about: str = ""
    """Tells turns of one operation apart."""

    def run(self, account: Account) -> Ended:
        """Run it."""
        command, *rest = self.words
        place = () if self.of_stacks else SERVICE
        return account.run(command, *place, *rest, *self.given(account))


def steady(account: Account) -> None:
    """Nothing is under way."""
    until(
        lambda: (
            [d["rolloutState"] for d in account.service()["deployments"]] == ["COMPLETED"]
            and account.newest()["status"] not in ("PENDING", "IN_PROGRESS", "ROLLBACK_IN_PROGRESS")
        ),
        "a steady service",
    )


def two_groups(account: Account) -> None:
    """The service is deployed with the strategy BLUE_GREEN."""
    steady(account)
    if account.service()["deploymentConfiguration"].get("strategy") == "BLUE_GREEN":
        return
    move_to_two_groups(account.client("cloudformation"))
    until(lambda: account.stack("democluster") == "UPDATE_COMPLETE", "two groups")


def deploying(account: Account, **configuration: Any) -> None:
    """A deployment is under way."""
    two_groups(account)
    account.client("ecs").update_service(
        cluster=REF.cluster,
        service=REF.name,
        forceNewDeployment=True,
        deploymentConfiguration=configuration,
    )


def paused(account: Account) -> None:
    """A hook waits for an answer."""
    newest = account.newest()
    if not newest.get("lifecycleHookDetails") or newest["status"] != "IN_PROGRESS":
        hook = {"targetType": "PAUSE", "lifecycleStages": ["POST_TEST_TRAFFIC_SHIFT"]}
        deploying(account, lifecycleHooks=[hook])
    until(
        lambda: [
            h
            for h in account.newest().get("lifecycleHookDetails") or ()
            if h["status"] == "AWAITING_ACTION"
        ],
        "a pause",
    )


def baking(account: Account) -> None:
    """The new side has all the traffic, for an hour."""
    if account.newest().get("lifecycleStage") != "BAKE_TIME":
        deploying(account, lifecycleHooks=[], bakeTimeInMinutes=60)
    until(lambda: account.newest().get("lifecycleStage") == "BAKE_TIME", "bake time")


def made(account: Account, stack: str, **parameters: str) -> None:
    """A stack with a service of its own."""
    if account.stack(stack):
        return
    uri = account.client("ecr").describe_repositories()["repositories"][0]["repositoryUri"]
    changed(account, stack, "create_stack", f"{uri}:1f3c2aa", **parameters)
    until(lambda: account.stack(stack) == "CREATE_COMPLETE", stack)


def changed(account: Account, stack: str, call: str, image: str, **parameters: str) -> None:
    given = {"Image": image, **parameters}
    getattr(account.client("cloudformation"), call)(
        StackName=stack,
        TemplateBody=(ROOT / "tests/e2e/templates/service.yml").read_text(),
        Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in given.items()],
        Capabilities=["CAPABILITY_IAM"],
    )


def hanging(account: Account) -> None:
    """The update of a stack that never ends."""
    made(account, "demohang", Breaker="false")
    if account.stack("demohang") != "UPDATE_IN_PROGRESS":
        uri = account.client("ecr").describe_repositories()["repositories"][0]["repositoryUri"]
        changed(account, "demohang", "update_stack", f"{uri}:bad0c0d", Breaker="false")


def stuck(account: Account) -> None:
    """A stack whose roll back failed."""
    if account.stack("demostuck") == "UPDATE_ROLLBACK_FAILED":
        return
    made(account, "demostuck")
    ecs = account.client("ecs")
    (shown,) = ecs.describe_services(cluster=REF.cluster, services=["demostuck"])["services"]
    ecs.deregister_task_definition(taskDefinition=shown["taskDefinition"])
    uri = account.client("ecr").describe_repositories()["repositories"][0]["repositoryUri"]
    changed(account, "demostuck", "update_stack", f"{uri}:bad0c0d")
    until(lambda: account.stack("demostuck") == "UPDATE_ROLLBACK_FAILED", "a stuck stack")


def tagged(account: Account) -> None:
    """A family of task definitions that has tags."""
    ecs = account.client("ecs")
    if ecs.list_task_definitions(familyPrefix=TAGGED)["taskDefinitionArns"]:
        return
    live = account.service()["taskDefinition"]
    kept = ecs.describe_task_definition(taskDefinition=live)["taskDefinition"]
    fields = ("networkMode", "containerDefinitions", "requiresCompatibilities", "cpu", "memory")
    roles = ("executionRoleArn", "taskRoleArn")
    ecs.register_task_definition(
        family=TAGGED,
        tags=[{"key": "team", "value": "web"}],
        **{name: kept[name] for name in (*fields, *roles) if name in kept},
    )


def policies_there(account: Account) -> None:
    """The stack of the console's policies is made."""
    if not account.stack(POLICIES):
        account.client("cloudformation").create_stack(
            StackName=POLICIES,
            TemplateBody=(ROOT / "cfn/console-policy.yml").read_text(),
            Capabilities=["CAPABILITY_IAM"],
        )
    until(lambda: account.stack(POLICIES) == "CREATE_COMPLETE", POLICIES)


def policies_gone(account: Account) -> None:
    """And it is not."""
    if account.stack(POLICIES):
        account.client("cloudformation").delete_stack(StackName=POLICIES)
    until(lambda: not account.stack(POLICIES), f"no {POLICIES}")


def revision(account: Account) -> tuple[str, ...]:
    """Confirmed with the number of the live revision."""
    return ("--confirm", account.service()["taskDefinition"].rpartition(":")[2])


def other_version(account: Account) -> tuple[str, ...]:
    """To the first revision or the second: the one that has another image than the live one."""
    live = account.newest()["targetServiceRevision"]["arn"]
    ecs = account.client("ecs")
    (shown,) = ecs.describe_service_revisions(serviceRevisionArns=[live])["serviceRevisions"]
    digest = shown["containerImages"][0]["imageDigest"]
    first = account.client("ecr").describe_images(
        repositoryName="demorepo", imageIds=[{"imageTag": "1f3c2aa"}]
    )["imageDetails"][0]["imageDigest"]
    number = "2" if digest == first else "1"
    return ("--to", number, "--confirm", number)


def one_more(account: Account) -> tuple[str, ...]:
    """A task more than there are."""
    return (str(account.service()["desiredCount"] + 1), "--yes")


def a_task(account: Account) -> tuple[str, ...]:
    """One that runs."""
    ecs = account.client("ecs")
    first = ecs.list_tasks(cluster=REF.cluster, serviceName=REF.name)["taskArns"][0]
    return (first.rpartition("/")[2], "--yes")


TAGGED = "democluster-tagged"
POLICIES = "demopolicy"
CFN = ("--templates", str(ROOT / "cfn"))
TURNS = (
    Turn(
        "image.build",
        ("build", "--context", str(ROOT / "rails_app"), "--tag", "least"),
        "ecr:GetAuthorizationToken",
        ("ecr:DescribeRepositories",),
    ),
    Turn("service.migrate", ("migrate",), "ecs:RunTask", (), steady),
    Turn(
        "service.migrate",
        ("migrate", "--image", "1f3c2aa", "--task-definition", TAGGED),
        "ecs:RegisterTaskDefinition",
        ("ecs:TagResource", "iam:PassRole"),
        tagged,
        about="with tags",
    ),
    Turn(
        "service.deploy",
        ("deploy", "--image", "1f3c2aa", "--no-migrate"),
        "ecs:RegisterTaskDefinition",
        ("iam:PassRole", "ecs:UpdateService"),
        steady,
        lambda _: ("--confirm", "1f3c2aa"),
    ),
    Turn("service.force-redeploy", ("force-redeploy",), "ecs:UpdateService", (), steady),
    Turn("service.rollback", ("rollback",), "ecs:UpdateService", (), steady, other_version),
    Turn(
        "service.scale",
        ("scale",),
        "ecs:UpdateService",
        ("application-autoscaling:DescribeScalableTargets",),
        steady,
        one_more,
    ),
    Turn("service.stop-task", ("stop-task",), "ecs:StopTask", (), steady, a_task),
    Turn("service.approve", ("approve",), "ecs:ContinueServiceDeployment", (), paused, revision),
    Turn("service.stop", ("stop",), "ecs:ContinueServiceDeployment", (), paused, about="a hook"),
    Turn("service.stop", ("stop",), "ecs:StopServiceDeployment", (), baking, revision),
    Turn(
        "stacks.up",
        ("up", POLICIES, *CFN),
        "cloudformation:CreateChangeSet",
        (
            "cloudformation:DescribeChangeSet",
            "cloudformation:ExecuteChangeSet",
            "cloudformation:DescribeStackEvents",
            "cloudformation:ListChangeSets",
        ),
        policies_gone,
        of_stacks=True,
    ),
    Turn(
        "stacks.up",
        ("up", POLICIES, *CFN),
        "cloudformation:CreateChangeSet",
        ("cloudformation:DeleteChangeSet",),
        policies_there,
        of_stacks=True,
        about="nothing to do",
    ),
    Turn(
        "stacks.down",
        ("down", POLICIES, *CFN),
        "cloudformation:DeleteStack",
        ("cloudformation:ListStackResources",),
        policies_there,
        lambda _: ("--confirm", POLICIES),
        of_stacks=True,
    ),
    Turn(
        "stacks.cancel-update",
        ("cancel-update", "demohang"),
        "cloudformation:CancelUpdateStack",
        (),
        hanging,
        of_stacks=True,
    ),
    Turn(
        "stacks.continue-rollback",
        ("continue-rollback", "demostuck", "--skip", "Service"),
        "cloudformation:ContinueUpdateRollback",
        (),
        stuck,
        lambda _: ("--confirm", "demostuck"),
        of_stacks=True,
    ),
)


def missed_first(turn: Turn) -> list[str]:
    """The actions that no earlier turn has missed by themselves."""
    before = {
        action
        for earlier in TURNS[: TURNS.index(turn)]
        for action in (earlier.refused, *earlier.lacking)
    }
    return [action for action in (turn.refused, *turn.lacking) if action not in before]


@pytest.mark.parametrize("turn", TURNS, ids=[f"{t.operation} {t.about}".strip() for t in TURNS])
def test_an_operation_runs_with_its_policies_and_names_each_action_that_is_missing(
    account: Account, turn: Turn
) -> None:
    every = ("ReadOnly", "Stacks" if turn.of_stacks else "Operator")
    untold = {}
    for policies, without in (
        (("ReadOnly",), turn.refused),
        *((every, action) for action in missed_first(turn)),
    ):
        turn.ready(account)
        account.may(*policies, without="" if policies == ("ReadOnly",) else without)
        ended = turn.run(account)
        assert ended.code != EXIT_BUG, ended.told
        done = ended.code == 0 and without == turn.refused
        if done or without not in ended.told:
            untold[policies, without] = ended
    assert not untold
    turn.ready(account)
    account.may(*every)
    ended = turn.run(account)
    assert ended.code == 0, ended.told
    assert "AccessDenied" not in ended.told


def test_every_operation_of_the_catalogue_is_run() -> None:
    assert {turn.operation for turn in TURNS} == set(OPERATIONS)


# What is looked at.

FIRST_LOOK: dict[str, str] = {
    # Each with the source that fails for want of it; empty where all others are read.
    "application-autoscaling:DescribeScalingActivities": "activity",
    "cloudformation:DescribeStacks": "stacks",
    "cloudwatch:DescribeAlarmHistory": "activity",
    "cloudwatch:GetMetricData": "metrics",
    "ecr:DescribeImages": "images",
    "ecs:DescribeServiceDeployments": "deployments",
    "ecs:DescribeServiceRevisions": "deployments",
    "ecs:DescribeServices": "service",
    "ecs:DescribeTaskDefinition": "tasks",
    "ecs:DescribeTasks": "tasks",
    "ecs:ListServiceDeployments": "deployments",
    "ecs:ListTasks": "tasks",
    "elasticloadbalancing:DescribeListeners": "targets",
    "elasticloadbalancing:DescribeLoadBalancers": "targets",
    "elasticloadbalancing:DescribeRules": "targets",
    "elasticloadbalancing:DescribeTargetGroups": "targets",
    "elasticloadbalancing:DescribeTargetHealth": "targets",
    "iam:ListAccountAliases": "",
    "logs:FilterLogEvents": "",
    "secretsmanager:DescribeSecret": "secrets",
    "ssm:DescribeParameters": "secrets",
}
"""Actions that the main screen names as it opens, and the source that is not read without each."""
SIZE = (200, 60)
UNUSUAL = "unusual"
"""A service with what the demo's lacks: a parameter of Systems Manager, deployment alarms."""
OF_UNUSUAL = {"ssm:DescribeParameters", "cloudwatch:DescribeAlarmHistory"}


async def shown(pilot: Pilot[Any], met: Callable[[], object], what: str) -> None:
    """Wait for something on the screen."""
    end = time.monotonic() + PATIENCE
    while not met():
        assert time.monotonic() < end, f"never came: {what}\n{text(pilot.app.screen)}"
        await pilot.pause(0.1)


def console(service: str = REF.name, cluster: str = REF.cluster) -> Console:
    """The real one, on a service; without one it begins with the list of them."""
    named = {"cluster": cluster, "service": service}
    flags = {flag: name for flag, name in named.items() if name}
    return Console(wiring(load(flags, os.environ, paths())))


def unusual(account: Account) -> None:
    """Make that service, unless it is there."""
    ecs, metrics = account.client("ecs"), account.client("cloudwatch")
    if ecs.describe_services(cluster=REF.cluster, services=[UNUSUAL])["services"]:
        return
    live = account.service()
    kept = ecs.describe_task_definition(taskDefinition=live["taskDefinition"])["taskDefinition"]
    (container, *_) = kept["containerDefinitions"]
    parameter = f"arn:aws:ssm:us-east-1:{kept['taskDefinitionArn'].split(':')[4]}:parameter/a"
    ecs.register_task_definition(
        family="democluster-unusual",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        executionRoleArn=kept["executionRoleArn"],
        containerDefinitions=[
            {
                "name": "app",
                "image": container["image"],
                "secrets": [{"name": "A", "valueFrom": parameter}],
            }
        ],
    )
    account.client("ssm").put_parameter(Name="/a", Value="b", Type="String")
    metrics.put_metric_alarm(
        AlarmName="an-alarm",
        Namespace="AWS/ECS",
        MetricName="CPUUtilization",
        Statistic="Average",
        Period=60,
        EvaluationPeriods=1,
        Threshold=99,
        ComparisonOperator="GreaterThanThreshold",
    )
    ecs.create_service(
        cluster=REF.cluster,
        serviceName=UNUSUAL,
        taskDefinition="democluster-unusual",
        desiredCount=1,
        launchType="FARGATE",
        networkConfiguration=live["networkConfiguration"],
        deploymentConfiguration={
            "alarms": {"alarmNames": ["an-alarm"], "enable": True, "rollback": False}
        },
    )
    # While its deployment is pending ECS names no alarms: the console would ask for none, and only
    # a minute later again.
    until(
        lambda: ecs.list_service_deployments(
            cluster=REF.cluster, service=UNUSUAL, status=["SUCCESSFUL"]
        )["serviceDeployments"],
        "its deployment",
    )


def unexpected(app: Console, source: str, action: str) -> dict[str, str]:
    """Sources that are not read although nothing that they need is missing."""
    snapshot = app.session.snapshot
    assert snapshot is not None
    found = {}
    for each in SOURCES:
        part = snapshot.part(each)
        if part.failure is not None:
            error = part.failure.error
            if each != source or not isinstance(error, AccessDenied) or error.action != action:
                found[each] = str(error)
        elif part.waiting and each not in FEEDS.get(source, ()):
            found[each] = "not read"
    return found


@pytest.mark.parametrize("action", FIRST_LOOK)
async def test_the_console_names_the_action_that_is_missing_and_shows_all_else(
    account: Account, action: str
) -> None:
    source = FIRST_LOOK[action]
    if action in OF_UNUSUAL:
        unusual(account)
    account.may("ReadOnly", without=action)
    app = console(UNUSUAL if action in OF_UNUSUAL else REF.name)
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, lambda: action in text(app.screen), action)
        if source != "service":
            await shown(pilot, lambda: not unexpected(app, source, action), "all else")
            assert isinstance(app.screen, ServiceScreen)


@pytest.mark.parametrize(
    ("cluster", "action"),
    [("", "ecs:ListClusters"), (REF.cluster, "ecs:ListServices")],
)
async def test_the_list_of_services_names_the_action_that_is_missing(
    account: Account, cluster: str, action: str
) -> None:
    account.may("ReadOnly", without=action)
    app = console("", cluster)
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, lambda: action in told_by(app), action)
        account.may("ReadOnly")
        await pilot.press("ctrl+r")
        await shown(pilot, lambda: REF.name in text(app.screen), "the services")


async def test_the_console_is_whole_with_the_read_only_policy(account: Account) -> None:
    account.may("ReadOnly")
    app = console()
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, lambda: "all fresh" in text(app.screen), "all fresh")
        assert not unexpected(app, "", "")
        for keys in (("i",), ("p",), ("v",), ("t",), ("1", "d"), ("2", "d"), ("3", "enter")):
            before = app.screen
            await pilot.press(*keys)
            await shown(pilot, lambda before=before: app.screen is not before, str(keys))
            await pilot.pause(0.2)
            assert "AccessDenied" not in text(app.screen)
            assert "needs " not in text(app.screen)
            await pilot.press("escape")
            await shown(pilot, lambda before=before: app.screen is before, "back")


PIPELINE = "demo-pipeline"
"""A stack with a pipeline, the first of the list."""
PIPELINE_TEMPLATE = """
Resources:
  Pipeline:
    Type: AWS::CodePipeline::Pipeline
    Properties:
      RoleArn: arn:aws:iam::123456789012:role/pipeline
      ArtifactStore: {Type: S3, Location: artifacts}
      Stages:
        - Name: Source
          Actions:
            - Name: Code
              ActionTypeId: {Category: Source, Owner: AWS, Provider: S3, Version: "1"}
              Configuration: {S3Bucket: code, S3ObjectKey: app.zip}
              OutputArtifacts: [{Name: code}]
        - Name: Build
          Actions:
            - Name: Image
              ActionTypeId: {Category: Build, Owner: AWS, Provider: CodeBuild, Version: "1"}
              Configuration: {ProjectName: app}
              InputArtifacts: [{Name: code}]
"""


def pipeline(account: Account) -> None:
    """Make it, unless it is there."""
    if not account.stack(PIPELINE):
        account.client("cloudformation").create_stack(
            StackName=PIPELINE, TemplateBody=PIPELINE_TEMPLATE
        )
    until(lambda: account.stack(PIPELINE) == "CREATE_COMPLETE", PIPELINE)


def told_by(app: Console) -> str:
    """The screen, and what came up in its corner."""
    return "\n".join((text(app.screen), *(note.message for note in app._notifications)))


PAGES: dict[str, tuple[str, ...]] = {
    # Each with the keys, or the command of the palette, that opens what needs it.
    "cloudformation:DescribeStackEvents": ("3", "enter"),
    "cloudformation:ListStackResources": ("3", "enter"),
    "codepipeline:ListPipelineExecutions": ("3", "enter"),
    "cloudformation:DetectStackDrift": (f"Check drift: {PIPELINE}",),
    "cloudformation:DescribeStackDriftDetectionStatus": (f"Check drift: {PIPELINE}",),
}


async def test_each_page_names_the_action_that_is_missing(account: Account) -> None:
    pipeline(account)
    account.may("ReadOnly", "Stacks")
    app = console()
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, lambda: "all fresh" in text(app.screen), "all fresh")
        main = app.screen
        for action, way in PAGES.items():
            account.may("ReadOnly", "Stacks", without=action)
            await pilot.press("3")
            titles = {command.title: command for command in app.commands()}
            if way[0] in titles:
                titles[way[0]].run()
            else:
                await pilot.press(*way)
            await shown(pilot, lambda action=action: action in told_by(app), action)
            if app.screen is not main:
                await pilot.press("escape")
                await shown(pilot, lambda: app.screen is main, "back")


def index(account: Account) -> None:
    """Give the tag `index` to an image for several platforms."""
    ecr = account.client("ecr")
    described = ecr.describe_images(repositoryName="demorepo")["imageDetails"]
    listed = [{"digest": image["imageDigest"]} for image in described[:1]]
    with contextlib.suppress(ecr.exceptions.ImageAlreadyExistsException):
        ecr.put_image(
            repositoryName="demorepo",
            imageTag="index",
            imageManifest=json.dumps({"mediaType": INDEXES[0], "manifests": listed}),
            imageManifestMediaType=INDEXES[0],
        )


def test_a_plan_says_that_the_platforms_of_an_image_may_not_be_read(account: Account) -> None:
    index(account)
    words = ("deploy", *SERVICE, "--image", "index", "--no-migrate", "--dry-run")
    account.may("ReadOnly", without="ecr:BatchGetImage")
    told = account.run(*words)
    assert told.code == 0
    assert "not checked (its platforms: AccessDenied: needs ecr:BatchGetImage)" in told.told
    account.may("ReadOnly")
    assert "BatchGetImage" not in account.run(*words).told


COMMANDS: dict[str, tuple[str, ...]] = {
    "ecs:ListClusters": ("status",),
    "ecs:ListServices": ("status", "--cluster", REF.cluster),
    "logs:DescribeLogGroups": ("logs", "--names"),
    "logs:DescribeLogStreams": ("logs", "--names", LOG_GROUP),
}
"""Actions that need no screen, and the command that each is missed by."""


@pytest.mark.parametrize("action", COMMANDS)
def test_a_command_names_the_action_that_is_missing(account: Account, action: str) -> None:
    account.may("ReadOnly", without=action)
    refused = account.run(*COMMANDS[action])
    assert refused.code == 4
    assert action in refused.told
    account.may("ReadOnly")
    assert account.run(*COMMANDS[action]).code != 4


def test_live_tail_names_the_action_and_the_lines_come_all_the_same(account: Account) -> None:
    account.may("ReadOnly", without="logs:StartLiveTail")
    out = io.StringIO()

    def leave() -> None:
        with suppress(AssertionError):  # the test tells it, once the command has ended
            until(lambda: "logs:StartLiveTail" in out.getvalue(), "the action", PATIENCE)
        interrupt_main()

    Thread(target=leave).start()
    ended = account.run("logs", LOG_GROUP, "-w", "--live", out=out)
    assert ended.code == EXIT_INTERRUPTED, ended.told
    assert "logs:StartLiveTail" in ended.told


ELSEWHERE = {
    "codedeploy:": "No CodeDeploy is in the sandbox: tests/unit/gateway/test_codedeploy.py.",
    "codepipeline:GetPipelineState": "Only of a pipeline that ran; none runs in the sandbox.",
    "ecr:": "Docker's calls carry the registry's password, which the sandbox does not judge.",
    "ecr:BatchDeleteImage": "tests/contract/test_permissions.py, with ecr:ListImages",
    "ecs:ExecuteCommand": "The AWS CLI's own call and its own words.",
    "s3:": "tests/contract/test_permissions.py",
}
"""What is not asked here, and why or where instead; by action, or by the service of the rest."""


def test_every_action_of_the_policies_has_a_place_that_misses_it() -> None:
    every = {action for actions in ACCESS.values() for action in actions}
    asked = {*FIRST_LOOK, *PAGES, *COMMANDS, "logs:StartLiveTail", "ecr:BatchGetImage"}
    asked |= {action for turn in TURNS for action in (turn.refused, *turn.lacking)}
    left = {a for a in every - asked if not {a, f"{a.partition(':')[0]}:"} & ELSEWHERE.keys()}
    assert not left, "say in TURNS, FIRST_LOOK, PAGES or COMMANDS what misses each of these"
    assert not asked - every, "no policy allows these"
