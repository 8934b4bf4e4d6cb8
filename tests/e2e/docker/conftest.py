"""A real Docker engine with the images to build on; without one the tests here are skipped."""

from __future__ import annotations

import os
from collections.abc import Iterator

import docker
import pytest
from docker.errors import DockerException, ImageNotFound

# Read on import, before the fixture that takes the machine out of the environment.
HOST = os.environ.get("DOCKER_HOST", "")
BASE_IMAGE = os.environ.get("DOCKER_TEST_BASE_IMAGE", "bgconsole/ruby-rails:trixie")
DATABASE_IMAGE = os.environ.get("DOCKER_TEST_DATABASE_IMAGE", "bgconsole/postgres:trixie")


@pytest.fixture(scope="session")
def engine() -> Iterator[docker.DockerClient]:
    """The engine of DOCKER_HOST, with both images."""
    if not HOST:
        pytest.skip(
            "no Docker engine: DOCKER_HOST is not set (scripts/docker_engine.sh starts one)"
        )
    try:
        client = docker.DockerClient(base_url=HOST, version="auto", timeout=120)
    except DockerException as error:
        pytest.skip(f"no Docker engine answers at {HOST}: {error}")
    try:
        for image in (BASE_IMAGE, DATABASE_IMAGE):
            client.images.get(image)
    except ImageNotFound:
        client.close()
        pytest.skip(
            f"the Docker engine has no {image}: scripts/debian_images.sh makes it, "
            "DOCKER_TEST_BASE_IMAGE and DOCKER_TEST_DATABASE_IMAGE name others"
        )
    yield client
    client.close()
