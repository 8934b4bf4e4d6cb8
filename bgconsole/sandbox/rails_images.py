"""The images of the demo for real: `rails_app/` built at three commits on a Docker engine."""

from __future__ import annotations

import shutil
import sysconfig
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
from docker.errors import DockerException

from .images import Build

LABEL = "bgconsole.sandbox.image"
_VIEW = Path("app/views/posts/index.html.erb")
_CRASH = """\
# Boots only where the database is one migration ahead.
Rails.application.config.after_initialize { Post.pluck(:summary) if defined?(Rails::Server) }
"""


class BuildFailed(Exception):
    """An image could not be built or pushed; the text is the engine's."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where images are built and pushed from."""

    host: str
    """The engine's, as in DOCKER_HOST."""
    base_image: str = ""
    """What the Dockerfile builds on; empty for its own default."""

    def make(self, version: Build, name: str, token: str) -> None:
        """Build one version and push it as `host:port/repository`, tagged with the version.

        Args:
            version: heading and behaviour are put into the sources.
            name: of the repository, with the registry's address.
            token: the user and the password that ECR gave, with a colon between.

        Raises:
            BuildFailed: the engine could not be reached, or refused.
        """
        user, _, password = token.partition(":")
        tag = f"{name}:{version.tag}"
        arguments = {"REVISION": version.tag}
        if self.base_image:
            arguments["BASE_IMAGE"] = self.base_image
        try:
            client = docker.APIClient(base_url=self.host, version="auto", timeout=600)
            with sources(version) as folder:
                _follow(
                    client.build(
                        path=str(folder),
                        tag=tag,
                        buildargs=arguments,
                        labels={LABEL: version.tag},
                        rm=True,
                        forcerm=True,
                        decode=True,
                    )
                )
            login = {"username": user, "password": password}
            pushed = client.push(name, tag=version.tag, auth_config=login, stream=True, decode=True)
            _follow(pushed)
        except DockerException as error:
            raise BuildFailed(f"{tag}: {error}") from error


def application() -> Path:
    """The folder of the app's sources: of the checkout, else where an installation puts them."""
    checkout = Path(__file__).resolve().parents[2] / "rails_app"
    if (checkout / "Dockerfile").is_file():
        return checkout
    return Path(sysconfig.get_path("data")) / "share" / "bgconsole" / "rails_app"


@contextmanager
def sources(version: Build) -> Iterator[Path]:
    """The app's sources at one version, in a folder that is there as long as the block runs."""
    with tempfile.TemporaryDirectory(prefix="bgconsole-") as made:
        folder = Path(made) / "rails_app"
        shutil.copytree(application(), folder)
        for program in (folder / "bin").iterdir():
            program.chmod(0o755)  # whatever an installer made of it
        view = folder / _VIEW
        page = view.read_text("utf-8")
        view.write_text(page.replace("<h1>Posts</h1>", f"<h1>{version.heading}</h1>"), "utf-8")
        if version.behaviour == "crash":
            initializer = folder / "config" / "initializers" / "warm_posts.rb"
            initializer.write_text(_CRASH, "utf-8")
        yield folder


def _follow(events: Iterable[Mapping[str, Any]]) -> None:
    """Wait for the end of a build or a push: what fails tells so in the stream."""
    for event in events:
        if "error" in event:
            raise BuildFailed(str(event["error"]))
