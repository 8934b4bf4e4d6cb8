"""What every gateway promises of its writing port."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import pytest

from bgconsole.domain.errors import NotThere, Rejected
from bgconsole.domain.images import ImageReference
from bgconsole.domain.services import ServiceRef
from tests.contract.conftest import Subject

Value = TypeVar("Value")


def test_a_forced_redeploy_and_its_stop(subject: Subject) -> None:
    """The new deployment stands beside the old one; stopped, the old one is asked back."""
    gateway = subject.gateway
    before = gateway.services.describe(subject.ref)
    answer = gateway.changes.update(subject.ref, force=True)
    assert answer.request_id
    after = gateway.services.describe(subject.ref)
    assert after.task_definition == before.task_definition
    primary = after.primary
    assert primary is not None
    assert primary.id == answer.deployment != before.deployments[0].id
    assert before.deployments[0].id in {d.id for d in after.deployments}
    newest = _until(
        lambda: gateway.services.service_deployments(subject.ref)[0],
        lambda sd: sd.target.number == primary.number,
    )
    stopped = gateway.changes.stop_deployment(newest.arn)
    assert stopped.request_id
    assert stopped.deployment == newest.arn
    asked = gateway.services.service_deployments(subject.ref)[0]
    assert asked.status.startswith("ROLLBACK")


def test_a_pinned_copy_keeps_everything_but_the_image(subject: Subject) -> None:
    gateway = subject.gateway
    history = gateway.services.service_deployments(subject.ref)
    (revision,) = gateway.services.revisions([history[-1].target.arn])
    old = gateway.services.task_definition(revision.task_definition)
    (image,) = revision.images
    reference = ImageReference.parse(image.image).pinned(image.digest)
    answer = gateway.changes.register_pinned(old.arn, {image.container: reference})
    made = gateway.services.task_definition(answer.created)
    assert made.family == old.family
    assert made.revision > old.revision
    assert made.containers[0].image == reference
    assert made.containers[0].log == old.containers[0].log
    assert gateway.services.task_definition(old.arn).containers == old.containers


def test_a_task_is_run_once_for_a_token_and_found_again(subject: Subject) -> None:
    """In the service's network, with another command, told apart from the service's own tasks."""
    gateway = subject.gateway
    definition = gateway.services.task_definition(
        gateway.services.describe(subject.ref).task_definition
    )
    (container,) = definition.containers
    answers = [
        gateway.changes.run_task(
            subject.ref,
            task_definition=definition.arn,
            container=container.name,
            command=("bundle", "exec", "rails", "db:migrate"),
            started_by="bgconsole-migrate/contract",
            token="contract-1",
        )
        for _ in range(2)
    ]
    assert answers[0].request_id
    assert answers[0].created == answers[1].created
    task = gateway.services.task(subject.ref.cluster, answers[0].created)
    assert task.started_by == "bgconsole-migrate/contract"
    assert task.group == f"family:{definition.family}"
    assert task.commands == ((container.name, ("bundle", "exec", "rails", "db:migrate")),)
    found = gateway.services.runs(subject.ref.cluster, definition.family)
    assert [one.arn for one in found] == [task.arn], "none of the service's own"
    with pytest.raises(NotThere, match="No such task"):
        gateway.services.task(subject.ref.cluster, f"{task.arn[:-8]}00000000")


def test_a_family_means_its_newest_active_revision(subject: Subject) -> None:
    services = subject.gateway.services
    named = services.task_definition(services.describe(subject.ref).task_definition)
    newest = services.task_definition(named.family)
    assert newest.family == named.family
    assert newest.revision >= named.revision
    made = subject.gateway.changes.register_pinned(
        named.arn, {named.containers[0].name: named.containers[0].image}
    )
    assert services.task_definition(named.family).arn == made.created


def test_writes_to_what_is_not_there_are_refused(subject: Subject) -> None:
    changes = subject.gateway.changes
    with pytest.raises(NotThere, match="No such service"):
        changes.update(ServiceRef(subject.ref.cluster, "no-such-service"), force=True)
    with pytest.raises((NotThere, Rejected)):
        changes.update(subject.ref, task_definition="no-such-family:1")


def _until(read: Callable[[], Value], good: Callable[[Value], bool], seconds: float = 20) -> Value:
    """Read until it is good; the sandbox's own clock decides when."""
    end = time.monotonic() + seconds
    while not good(value := read()):
        assert time.monotonic() < end, value
    return value
