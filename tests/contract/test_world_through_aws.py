"""Every scripted world read through AWS's protocols is the same world: nothing lost on the way."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from bgconsole.gateway.aws.session import connect
from bgconsole.gateway.scripted import scripted_gateway
from tests import worlds
from tests.faces import face
from tests.loopback import serving
from tests.values import LOG_GROUP, REF, REPOSITORY


@pytest.mark.parametrize("name", worlds.BUILDERS)
def test_both_gateways_give_the_same_values(name: str) -> None:
    world = worlds.BUILDERS[name]()
    scripted = scripted_gateway(world)
    with serving() as server:
        face(world, server)
        aws = connect(profile=None, region="us-east-1", endpoint_url=server.url, environ=os.environ)
        service = aws.services.describe(REF)
        assert service == world.services[REF]
        assert aws.services.service_deployments(REF) == world.history[REF]
        assert aws.services.revisions(tuple(world.revisions)) == tuple(world.revisions.values())
        assert aws.services.tasks(REF) == world.tasks[REF]
        for arn, definition in world.definitions.items():
            found = aws.services.task_definition(arn)
            assert found.content, "a scripted definition has none, AWS's has"
            assert replace(found, content="") == definition
        assert aws.targets.balancing(service) == scripted.targets.balancing(service)
        assert aws.stacks.stacks() == scripted.stacks.stacks()
        assert aws.images.images(REPOSITORY) == scripted.images.images(REPOSITORY)
        start = 1_704_067_200_000
        for newest_first in (False, True):
            assert aws.logs.page(
                LOG_GROUP, start=start, newest_first=newest_first, limit=5
            ) == scripted.logs.page(LOG_GROUP, start=start, newest_first=newest_first, limit=5)
        assert aws.identities.whoami() == world.identity
        assert aws.place.endpoint == server.address
