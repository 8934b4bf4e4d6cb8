"""Identity policies on the sandbox: one table for what we answer and for what the engine does.

And the proof that the console's own policies are the least that it needs.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from bgconsole.domain.artifacts import Bucket
from bgconsole.domain.errors import AccessDenied, GatewayError
from bgconsole.domain.services import ServiceRef
from bgconsole.gateway.aws.clients import Clients
from bgconsole.gateway.aws.session import connect
from bgconsole.gateway.aws.targets import AwsTargets
from bgconsole.gateway.log_names import AwslogsNames
from bgconsole.gateway.port import Gateway
from tests.architecture.test_console_policy import POLICIES, actions
from tests.contract.conftest import KEYS
from tests.unit.test_templates import load
from tests.values import LOG_GROUP, REF

ACCOUNT = KEYS["AWS_ACCESS_KEY_ID"]
ECS = f"arn:aws:ecs:us-east-1:{ACCOUNT}"
WEB = f"{ECS}:service/{REF.cluster}/{REF.name}"
USER = "on-call"

Policy = dict[str, Any]


def allow(*names: str, resource: str | list[str] = "*", **condition: Any) -> Policy:
    """One statement."""
    statement: Policy = {"Effect": "Allow", "Action": list(names), "Resource": resource}
    return {**statement, **({"Condition": condition} if condition else {})}


def deny(*names: str, resource: str = "*") -> Policy:
    """One statement that denies."""
    return {**allow(*names, resource=resource), "Effect": "Deny"}


@dataclass(frozen=True)
class Person:
    """A user of the sandbox's IAM with one inline policy, and a key of theirs."""

    url: str
    key: Mapping[str, str]

    def may(self, *statements: Policy) -> None:
        """Put these in the place of what they were allowed."""
        document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        client("iam", self.url).put_user_policy(
            UserName=USER, PolicyName="it", PolicyDocument=document
        )

    def client(self, service: str) -> Any:
        """A boto3 client with their key."""
        return client(service, self.url, self.key)


def client(service: str, url: str, key: Mapping[str, str] | None = None) -> Any:
    """A boto3 client of the root, or of a user's key."""
    given = key or {"AccessKeyId": ACCOUNT, "SecretAccessKey": "not-a-secret-at-all"}
    session = boto3.Session(given["AccessKeyId"], given["SecretAccessKey"], region_name="us-east-1")
    return session.client(service, endpoint_url=url)


@pytest.fixture(scope="module")
def person(sandbox_url: str) -> Iterator[Person]:
    iam = client("iam", sandbox_url)
    iam.create_user(UserName=USER)
    key = iam.create_access_key(UserName=USER)["AccessKey"]
    yield Person(sandbox_url, key)
    iam.delete_access_key(UserName=USER, AccessKeyId=key["AccessKeyId"])
    iam.delete_user_policy(UserName=USER, PolicyName="it")
    iam.delete_user(UserName=USER)


def described(p: Person) -> object:
    return p.client("ecs").describe_services(cluster=REF.cluster, services=[REF.name])


def listed_tasks(p: Person) -> object:
    return p.client("ecs").list_tasks(cluster=REF.cluster)


def run(p: Person) -> object:
    """Refused by ECS where IAM lets it pass: there is no such task definition."""
    overrides = {"taskRoleArn": "arn:aws:iam::123456789012:role/app"}
    return p.client("ecs").run_task(
        cluster=REF.cluster, taskDefinition="nothing:1", overrides=overrides
    )


def groups(p: Person) -> object:
    return p.client("elbv2").describe_target_groups()


def lines(p: Person) -> object:
    return p.client("logs").filter_log_events(logGroupName=LOG_GROUP)


def stacks(p: Person) -> object:
    return p.client("cloudformation").describe_stacks(StackName="demodb")


def images(p: Person) -> object:
    return p.client("ecr").describe_images(repositoryName="demorepo")


def secret(p: Person) -> object:
    return p.client("secretsmanager").list_secrets()


def metrics(p: Person) -> object:
    return p.client("cloudwatch").describe_alarms()


def buckets(p: Person) -> object:
    return p.client("s3").list_buckets()


Ask = Callable[[Person], object]
CASES: list[tuple[str, Ask, list[Policy], str]] = [
    # what, call, statements, the action that is refused; empty where none is
    ("nothing allowed", described, [], "ecs:DescribeServices"),
    ("the action", described, [allow("ecs:DescribeServices")], ""),
    ("a wildcard in the action", described, [allow("ecs:Desc*")], ""),
    ("letters of another case", described, [allow("ECS:describeservices")], ""),
    ("another action", described, [allow("ecs:ListServices")], "ecs:DescribeServices"),
    ("the resource", described, [allow("ecs:DescribeServices", resource=WEB)], ""),
    (
        "a wildcard in the resource",
        described,
        [allow("ecs:*", resource=f"{ECS}:service/demo?luster-*")],
        "",
    ),
    (
        "another resource",
        described,
        [allow("ecs:*", resource=f"{ECS}:service/other/*")],
        "ecs:DescribeServices",
    ),
    (
        "a denial beats what is allowed",
        described,
        [allow("*"), deny("ecs:DescribeServices", resource=WEB)],
        "ecs:DescribeServices",
    ),
    ("a denial of something else", described, [allow("*"), deny("ecs:Update*")], ""),
    (
        "a condition that holds",
        listed_tasks,
        [allow("ecs:ListTasks", ArnLike={"ecs:cluster": f"{ECS}:cluster/demo*"})],
        "",
    ),
    (
        "a condition that does not",
        listed_tasks,
        [allow("ecs:ListTasks", ArnLike={"ecs:cluster": f"{ECS}:cluster/other"})],
        "ecs:ListTasks",
    ),
    ("a role is handed over", run, [allow("ecs:RunTask")], "iam:PassRole"),
    (
        "to whom it may be",
        run,
        [
            allow("ecs:RunTask"),
            allow("iam:PassRole", StringEquals={"iam:PassedToService": "ecs-tasks.amazonaws.com"}),
        ],
        "",
    ),
    (
        "to somebody else",
        run,
        [
            allow("ecs:RunTask"),
            allow("iam:PassRole", StringEquals={"iam:PassedToService": "ec2.amazonaws.com"}),
        ],
        "iam:PassRole",
    ),
    (
        "another role",
        run,
        [
            allow("ecs:RunTask"),
            allow("iam:PassRole", resource="arn:aws:iam::123456789012:role/other"),
        ],
        "iam:PassRole",
    ),
    ("a load balancer's groups", groups, [], "elasticloadbalancing:DescribeTargetGroups"),
    ("and allowed", groups, [allow("elasticloadbalancing:Describe*")], ""),
    ("log lines", lines, [allow("logs:DescribeLogGroups")], "logs:FilterLogEvents"),
    (
        "of one group",
        lines,
        [
            allow(
                "logs:FilterLogEvents",
                resource=f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{LOG_GROUP}",
            )
        ],
        "",
    ),
    ("stacks, by the engine", stacks, [], "cloudformation:DescribeStacks"),
    (
        "one stack",
        stacks,
        [
            allow(
                "cloudformation:DescribeStacks",
                resource=f"arn:aws:cloudformation:us-east-1:{ACCOUNT}:stack/demodb/*",
            )
        ],
        "",
    ),
    (
        "another stack",
        stacks,
        [
            allow(
                "cloudformation:*",
                resource=f"arn:aws:cloudformation:us-east-1:{ACCOUNT}:stack/other/*",
            )
        ],
        "cloudformation:DescribeStacks",
    ),
    ("images", images, [allow("ecs:*")], "ecr:DescribeImages"),
    (
        "of one repository",
        images,
        [allow("ecr:*", resource=f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/demorepo")],
        "",
    ),
    ("secrets", secret, [deny("secretsmanager:*")], "secretsmanager:ListSecrets"),
    ("alarms, in CBOR", metrics, [], "cloudwatch:DescribeAlarms"),
    ("and allowed, in CBOR", metrics, [allow("cloudwatch:DescribeAlarms")], ""),
    ("buckets, by REST", buckets, [], "s3:ListAllMyBuckets"),
]


@pytest.mark.parametrize(
    ("ask", "statements", "refused"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_a_call_is_judged_by_the_policy_of_its_key(
    person: Person, ask: Ask, statements: list[Policy], refused: str
) -> None:
    person.may(*statements or [allow("sts:Nothing")])
    try:
        ask(person)
    except ClientError as error:
        told = error.response["Error"]
        if refused:
            assert told["Code"] in ("AccessDenied", "AccessDeniedException"), told
            assert f"not authorized to perform: {refused}" in told["Message"]
            assert told["Message"].startswith(f"User: arn:aws:iam::{ACCOUNT}:user/{USER} ")
            explicit = any(s["Effect"] == "Deny" for s in statements)
            assert ("with an explicit deny" in told["Message"]) is explicit
        else:
            # It came through to ECS, which knows no such task definition.
            assert told["Code"] == "ClientException", told
    else:
        assert not refused


def test_the_root_and_who_asks_who_they_are_are_never_refused(
    person: Person, sandbox_url: str
) -> None:
    person.may(deny("*"))
    assert person.client("sts").get_caller_identity()["Arn"].endswith(f":user/{USER}")
    assert client("ecs", sandbox_url).list_clusters()["clusterArns"]


def balancing(gateway: Gateway) -> object:
    """Asked anew: the gateway keeps what seldom changes for a while."""
    assert isinstance(gateway.meter, Clients)
    return AwsTargets(gateway.meter).balancing(gateway.services.describe(REF))


def groups_of(gateway: Gateway) -> Any:
    return gateway.targets.balancing(gateway.services.describe(REF)).groups


NO_BUCKET = Bucket("bgconsole-artifacts-", ACCOUNT)
"""A name that S3 takes from nobody."""
ACCESS = {policy: actions(policy) for policy in POLICIES}
MADE: dict[str, Callable[[Gateway], object]] = {
    # What needs each action; a write names what is not there, so that nothing changes.
    "application-autoscaling:DescribeScalableTargets": lambda g: g.services.autoscaling(REF),
    "cloudformation:CancelUpdateStack": lambda g: g.stack_changes.cancel_update("demogone"),
    "cloudformation:ContinueUpdateRollback": lambda g: g.stack_changes.continue_rollback(
        "demogone"
    ),
    "cloudformation:CreateChangeSet": lambda g: g.stack_changes.draft(
        "demogone", "change", template="", parameters={}, create=False
    ),
    "cloudformation:DeleteChangeSet": lambda g: g.stack_changes.discard("demogone", "change"),
    "cloudformation:DeleteStack": lambda g: g.stack_changes.delete("demogone"),
    "cloudformation:DescribeChangeSet": lambda g: g.stacks.change_set("demogone", "change"),
    "cloudformation:DescribeStackDriftDetectionStatus": lambda g: g.stacks.drift_check("gone"),
    "cloudformation:DescribeStackEvents": lambda g: g.stacks.events("demogone"),
    "cloudformation:DescribeStacks": lambda g: g.stacks.stacks(),
    "cloudformation:DetectStackDrift": lambda g: g.stack_changes.check_drift("demogone"),
    "cloudformation:ExecuteChangeSet": lambda g: g.stack_changes.execute("demogone", "change"),
    "cloudformation:ListChangeSets": lambda g: g.stacks.change_sets("demogone"),
    "cloudformation:ListStackResources": lambda g: g.stacks.resources("demogone"),
    "cloudwatch:GetMetricData": lambda g: g.metrics.read(REF, groups_of(g), {}, datetime.now(UTC)),
    "ecr:DescribeImages": lambda g: g.images.images("demorepo"),
    "ecr:DescribeRepositories": lambda g: g.images.repository("demorepo"),
    "ecr:ListImages": lambda g: g.stack_changes.empty_repository("demogone"),
    "ecr:GetAuthorizationToken": lambda g: g.images.login(),
    "ecs:ContinueServiceDeployment": lambda g: g.changes.answer_hook(GONE, "hook", go_on=True),
    "ecs:DescribeServiceDeployments": lambda g: g.services.deployments([GONE]),
    "ecs:DescribeServiceRevisions": lambda g: g.services.revisions([REVISION]),
    "ecs:DescribeServices": lambda g: g.services.describe(REF),
    "ecs:DescribeTaskDefinition": lambda g: g.services.task_definition("democluster-task-family"),
    "ecs:DescribeTasks": lambda g: g.services.tasks(REF),
    "ecs:ListClusters": lambda g: g.services.clusters(),
    "ecs:ListServiceDeployments": lambda g: g.services.service_deployments(REF),
    "ecs:ListServices": lambda g: g.services.services(REF.cluster),
    "application-autoscaling:DescribeScalingActivities": lambda g: g.activity.recent(REF, ()),
    "codepipeline:ListPipelineExecutions": lambda g: g.pipelines.last("none"),
    "cloudwatch:DescribeAlarmHistory": lambda g: g.activity.recent(REF, ("an-alarm",)),
    "ecs:ListTasks": lambda g: g.services.tasks(REF),
    "ecs:RegisterTaskDefinition": lambda g: g.changes.register_pinned("democluster-migrations", {}),
    "ecs:RunTask": lambda g: g.changes.run_task(
        REF,
        task_definition="democluster-task-family:99",
        container="app",
        command=["true"],
        started_by="test",
        token="once",
    ),
    "ecs:StopServiceDeployment": lambda g: g.changes.stop_deployment(GONE),
    "ecs:StopTask": lambda g: g.changes.stop_task(REF.cluster, "gone", "a test"),
    "ecs:UpdateService": lambda g: g.changes.update(REF, task_definition="nothing:1"),
    "elasticloadbalancing:DescribeListeners": balancing,
    "elasticloadbalancing:DescribeLoadBalancers": balancing,
    "elasticloadbalancing:DescribeRules": balancing,
    "elasticloadbalancing:DescribeTargetGroups": balancing,
    "elasticloadbalancing:DescribeTargetHealth": balancing,
    "iam:ListAccountAliases": lambda g: g.identities.whoami(),
    "iam:PassRole": lambda g: g.changes.register_pinned("democluster-migrations", {}),
    "logs:DescribeLogGroups": lambda g: g.logs.groups(),
    "logs:DescribeLogStreams": lambda g: AwslogsNames(
        region=g.place.region, endpoint_url=f"http://{g.place.endpoint}"
    ).streams(LOG_GROUP),
    "logs:FilterLogEvents": lambda g: g.logs.page(LOG_GROUP, start=0),
    "logs:StartLiveTail": lambda g: g.logs.live([LOG_GROUP]).close(),
    "secretsmanager:DescribeSecret": lambda g: g.secrets.changes([SECRET]),
    "s3:CreateBucket": lambda g: g.artifacts.make(NO_BUCKET, create=True),
    "s3:ListBucket": lambda g: g.artifacts.look(NO_BUCKET, "bgconsole/"),
    "ssm:DescribeParameters": lambda g: g.secrets.changes(["a-parameter"]),
}
NOT_MISSED = {
    # The account's alias is shown where it can be had.
    "iam:ListAccountAliases",
}
NOT_ASKED = {
    # No CodeDeploy is here: tests/unit/gateway/test_codedeploy.py asks botocore's Stubber.
    "codedeploy:GetApplicationRevision",
    "codedeploy:GetDeployment",
    "codedeploy:ListDeployments",
    "codedeploy:StopDeployment",
    # Only of a pipeline that has run; here none runs.
    "codepipeline:GetPipelineState",
    # Asked below, of a repository that has an image.
    "ecr:BatchDeleteImage",
    # Docker's calls carry the registry's password here, which is not judged.
    "ecr:BatchCheckLayerAvailability",
    # Also of an image for several platforms: tests/contract/test_least_policy.py.
    "ecr:BatchGetImage",
    "ecr:CompleteLayerUpload",
    "ecr:GetDownloadUrlForLayer",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
    # The AWS CLI's own.
    "ecs:ExecuteCommand",
    # The demo's task definitions have no tags of their own.
    "ecs:TagResource",
    # CloudFormation's own, when it reads a nested template.
    "s3:GetObject",
    # Asked below, of a bucket that is there.
    "s3:DeleteBucket",
    "s3:DeleteObject",
    "s3:GetBucketTagging",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutBucketTagging",
    "s3:PutEncryptionConfiguration",
    "s3:PutObject",
}
GONE = f"{ECS}:service-deployment/{REF.cluster}/{REF.name}/gone"
REVISION = f"{ECS}:service-revision/{REF.cluster}/{REF.name}/1"
SECRET = f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:demodb"


def of_template(policy: str, without: str = "", *, repositories: str = "demogone") -> list[Policy]:
    """The statements of one of our policies with its parameters' defaults, an action left out."""
    template = load("console-policy.yml")
    values = {name: p["Default"] for name, p in template["Parameters"].items()}
    values |= {"AWS::Partition": "aws", "AWS::AccountId": ACCOUNT, "Repositories": repositories}

    def resolved(value: Any) -> Any:
        if isinstance(value, list):
            return [resolved(each) for each in value]
        if isinstance(value, dict) and "!Sub" in value:
            return re.sub(r"\$\{([^}]+)\}", lambda name: values[name[1]], value["!Sub"])
        if isinstance(value, dict):
            return {key: resolved(each) for key, each in value.items()}
        return value

    document = template["Resources"][policy]["Properties"]["PolicyDocument"]
    kept = []
    for statement in resolved(document["Statement"]):
        left = [action for action in statement["Action"] if action != without]
        if left:
            kept.append({**statement, "Action": left})
    return kept


def of_all(without: str = "") -> list[Policy]:
    """The statements of all our policies, an action left out."""
    return [statement for policy in ACCESS for statement in of_template(policy, without)]


@pytest.fixture(scope="module")
def connected(sandbox_url: str) -> Gateway:
    """The console's gateway; it finds its credentials when it is first used."""
    return connect(profile=None, region="us-east-1", endpoint_url=sandbox_url, environ=os.environ)


@pytest.fixture
def gateway(person: Person, connected: Gateway, monkeypatch: pytest.MonkeyPatch) -> Gateway:
    """With the person's key."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", person.key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", person.key["SecretAccessKey"])
    return connected


def refusal(gateway: Gateway, action: str) -> AccessDenied | None:
    """What the console is told when it does what needs an action; nothing where it may."""
    try:
        MADE[action](gateway)
    except AccessDenied as denial:
        return denial
    except GatewayError:
        return None  # of the service itself: there is no such thing
    return None


def test_every_action_of_the_policies_is_tried_here() -> None:
    every = {action for allowed in ACCESS.values() for action in allowed}
    missing = sorted(every - MADE.keys() - NOT_ASKED)
    assert not missing, f"say in MADE which call of the gateway needs each of: {missing}"
    assert sorted(MADE.keys() - every) == []


def test_the_console_looks_with_the_read_only_policy_alone(
    person: Person, gateway: Gateway
) -> None:
    person.may(*of_template("ReadOnly"))
    looks = set(ACCESS["ReadOnly"]) - NOT_ASKED
    assert {a: told for a in looks if (told := refusal(gateway, a))} == {}
    # A role is handed over by a call that is refused itself.
    for action in MADE.keys() - looks - {"iam:PassRole"}:
        told = refusal(gateway, action)
        assert told is not None, action
        assert action in f"{told.title} {told.detail} {told.hint}"


def test_the_console_does_everything_with_all_of_them(person: Person, gateway: Gateway) -> None:
    person.may(*of_all())
    assert {a: told for a in MADE if (told := refusal(gateway, a))} == {}


@pytest.mark.parametrize("action", sorted(MADE.keys() - NOT_MISSED))
def test_each_action_that_is_missing_is_named(
    person: Person, gateway: Gateway, action: str
) -> None:
    person.may(*of_all(action))
    told = refusal(gateway, action)
    assert told is not None
    assert action in f"{told.title} {told.detail} {told.hint}"


def test_who_may_not_delete_images_is_told(
    person: Person, gateway: Gateway, sandbox_url: str
) -> None:
    ecr = client("ecr", sandbox_url)
    ecr.create_repository(repositoryName="demogone")
    try:
        manifest = '{"schemaVersion": 2, "layers": []}'
        ecr.put_image(repositoryName="demogone", imageManifest=manifest, imageTag="one")
        person.may(*of_all("ecr:BatchDeleteImage"))
        with pytest.raises(AccessDenied, match="ecr:BatchDeleteImage"):
            gateway.stack_changes.empty_repository("demogone")
        person.may(*of_all())
        gateway.stack_changes.empty_repository("demogone")
        assert gateway.images.images("demogone") == ()
    finally:
        ecr.delete_repository(repositoryName="demogone", force=True)


def test_each_action_on_the_artifact_bucket_that_is_missing_is_named(
    person: Person, gateway: Gateway, sandbox_url: str
) -> None:
    bucket, key = Bucket("bgconsole-artifacts-asked", ACCOUNT), "bgconsole/demo/1.yml"
    artifacts = gateway.artifacts
    asks: dict[str, Callable[[], object]] = {
        "s3:PutBucketPublicAccessBlock": lambda: artifacts.make(bucket, create=True),
        "s3:PutEncryptionConfiguration": lambda: artifacts.make(bucket, create=False),
        "s3:PutBucketTagging": lambda: artifacts.make(bucket, create=False),
        "s3:GetBucketTagging": lambda: artifacts.look(bucket, "bgconsole/"),
        "s3:PutObject": lambda: artifacts.put(bucket, key, "text"),
        "s3:DeleteObject": lambda: artifacts.remove(bucket, key),
        "s3:DeleteBucket": lambda: artifacts.drop(bucket),
    }
    try:
        for action, ask in asks.items():
            person.may(*of_all(action))
            with pytest.raises(AccessDenied, match=action):
                ask()
        person.may(*of_all())
        for ask in asks.values():
            ask()
        assert not artifacts.look(bucket, "bgconsole/").there
    finally:
        s3 = client("s3", sandbox_url)
        if bucket.name in {b["Name"] for b in s3.list_buckets()["Buckets"]}:
            s3.delete_bucket(Bucket=bucket.name)


def test_only_the_named_cluster_is_operated(person: Person, gateway: Gateway) -> None:
    person.may(*of_all())
    elsewhere = ServiceRef("other-cluster", REF.name)
    with pytest.raises(AccessDenied, match="ecs:UpdateService"):
        gateway.changes.update(elsewhere, force=True)
