"""One sandbox on a real engine, and what the story of the tests does with it."""

from __future__ import annotations

import base64
import shutil
import subprocess
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker
from docker.models.containers import Container

from tests.e2e.account import CLUSTER, SERVICE, Account
from tests.waiting import until

APP = Path(__file__).parents[3] / "rails_app"
VIEW = "app/views/posts/index.html.erb"


@dataclass
class Story:
    """The account, the engine, and the figures that are printed in the end."""

    account: Account
    engine: docker.DockerClient
    base_image: str
    figures: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Of the site's page, through the load balancer."""
        return self.account.output("democluster", "LoadBalancerUrl") + "/posts"

    def sources(
        self, folder: Path, patches: Iterable[str] = (), edits: Mapping[str, str] | None = None
    ) -> Path:
        """A copy of the app's sources with exercises applied and words of the view replaced."""
        app = folder / "rails_app"
        if not app.exists():
            shutil.copytree(APP, app)
        fenced = {"PATH": "/usr/local/bin:/usr/bin:/bin", "GIT_CEILING_DIRECTORIES": str(folder)}
        for patch in patches:
            applied = APP / "exercises" / f"{patch}.patch"
            command = ["git", "apply", "--directory=rails_app", str(applied)]
            subprocess.run(command, cwd=folder, env=fenced, check=True, timeout=20)
        for before, after in (edits or {}).items():
            page = (app / VIEW).read_text("utf-8")
            assert before in page
            (app / VIEW).write_text(page.replace(before, after), "utf-8")
        return app

    def build(self, app: Path, tag: str, *, cold: bool = False) -> float:
        """Build an image of the repository from sources; gives the seconds."""
        begun = time.monotonic()
        events = self.engine.api.build(
            path=str(app),
            tag=self.account.image(tag),
            buildargs={"BASE_IMAGE": self.base_image, "REVISION": tag},
            nocache=cold,
            rm=True,
            forcerm=True,
            decode=True,
        )
        failures = [event["error"] for event in events if "error" in event]
        assert not failures, failures
        return time.monotonic() - begun

    def push(self, tag: str) -> None:
        """Push it with the account's own token."""
        [given] = self.account.client("ecr").get_authorization_token()["authorizationData"]
        user, _, password = base64.b64decode(given["authorizationToken"]).decode().partition(":")
        name = self.account.image(tag).rpartition(":")[0]
        login = {"username": user, "password": password}
        told = self.engine.api.push(name, tag, auth_config=login, stream=True, decode=True)
        failures = [event["error"] for event in told if "error" in event]
        assert not failures, failures

    def digest(self, tag: str) -> str:
        """What the registry calls an image."""
        ecr = self.account.client("ecr")
        asked = ecr.describe_images(repositoryName="demorepo", imageIds=[{"imageTag": tag}])
        return str(asked["imageDetails"][0]["imageDigest"])

    def revision(self, tag: str) -> str:
        """Register the service's task definition with another image."""
        ecs = self.account.client("ecs")
        running = self.account.service()["taskDefinition"]
        known = ecs.describe_task_definition(taskDefinition=running)["taskDefinition"]
        containers = [
            {**known["containerDefinitions"][0], "image": self.account.image(tag)},
        ]
        kept = (
            "family", "requiresCompatibilities", "networkMode", "cpu", "memory",
            "executionRoleArn", "taskRoleArn",
        )  # fmt: skip
        made = ecs.register_task_definition(
            **{name: known[name] for name in kept}, containerDefinitions=containers
        )
        return str(made["taskDefinition"]["taskDefinitionArn"])

    def deploy(self, tag: str) -> float:
        """Deploy an image to the service; gives the seconds until everything is steady."""
        revision = self.revision(tag)
        self.account.client("ecs").update_service(
            cluster=CLUSTER, service=SERVICE, taskDefinition=revision
        )
        begun = time.monotonic()
        until(self.steady, "the end of the deployment", 120)
        took = time.monotonic() - begun
        now = self.account.service()
        said = [event["message"] for event in now["events"][:12]]
        assert now["taskDefinition"] == revision, "it was rolled back:\n" + "\n".join(said)
        return took

    def steady(self) -> bool:
        """Whether one deployment is left and it is whole."""
        now = self.account.service()
        [*old, primary] = now["deployments"][::-1]
        return not old and primary["rolloutState"] == "COMPLETED" and now["runningCount"] == 4

    def migrate(self, tag: str) -> subprocess.CompletedProcess[str]:
        """Run the migrations of an image, by the console's own command."""
        image = self.account.image(tag)
        return self.account.sandbox.bgconsole(
            "migrate", "--image", image, "--command", "bin/migrate", "--confirm", SERVICE, "--yes"
        )

    def log(self) -> str:
        """The newest lines of the log group."""
        logs = self.account.client("logs")
        since = int((time.time() - 60) * 1000)
        told = logs.filter_log_events(logGroupName="democluster", startTime=since)["events"]
        return "\n".join(event["message"] for event in told)

    def tasks(self, status: str = "RUNNING") -> list[dict[str, Any]]:
        """The service's tasks, running or stopped."""
        ecs = self.account.client("ecs")
        arns = ecs.list_tasks(cluster=CLUSTER, serviceName=SERVICE, desiredStatus=status)
        described = ecs.describe_tasks(cluster=CLUSTER, tasks=arns["taskArns"])["tasks"]
        return list(described)

    def digests(self) -> set[str]:
        """What the running tasks really run."""
        return {task["containers"][0]["imageDigest"] for task in self.tasks()}

    def containers(self) -> list[Container]:
        """The containers of the service's running tasks, on the engine."""
        named = [
            f"bgconsole-democluster-container-{task['taskArn'].rpartition('/')[2]}"
            for task in self.tasks()
        ]
        return [self.engine.containers.get(name) for name in named]

    def database(self) -> Container:
        """The container of PostgreSQL."""
        [found] = self.engine.containers.list(filters={"name": "bgconsole-demodb"})
        return found

    def query(self, sql: str, *, wait: bool = True) -> str:
        """Ask PostgreSQL itself."""
        command = ["psql", "-U", "foouser", "-d", "foodb", "-qAt", "-c", sql]
        done = self.database().exec_run(command, detach=not wait)
        if not wait:
            return ""
        assert done.exit_code == 0, done.output
        return str(done.output.decode().strip())
