"""What every gateway promises of its reading ports."""

from __future__ import annotations

import re
from datetime import UTC, timedelta
from typing import Any

import pytest

from bgconsole.domain.errors import NotThere
from bgconsole.domain.images import ImageReference
from bgconsole.domain.logs import LogLine
from bgconsole.domain.services import ServiceRef, short_name
from tests.contract.conftest import Subject


def test_the_caller_has_an_account_and_an_arn(subject: Subject) -> None:
    caller = subject.gateway.identities.whoami()
    assert caller.account == "123456789012"
    assert caller.arn.startswith("arn:aws:")


def test_clusters_and_services_are_short_names(subject: Subject) -> None:
    assert subject.ref.cluster in subject.gateway.services.clusters()
    assert subject.ref in subject.gateway.services.services(subject.ref.cluster)


def test_the_service_is_steady_and_knows_its_stack(subject: Subject) -> None:
    service = subject.gateway.services.describe(subject.ref)
    assert service.ref == subject.ref
    assert (service.desired, service.running, service.pending) == (4, 4, 0)
    (only,) = service.deployments
    assert (only.status, only.rollout_state) == ("PRIMARY", "COMPLETED")
    assert only.task_definition == service.task_definition
    assert service.stack == "democluster"
    assert service.target_groups
    assert service.created_at is not None
    assert service.created_at.tzinfo is UTC
    ages = [event.at for event in service.events]
    assert ages == sorted(ages, reverse=True)
    assert service.events[0].message.startswith(f"(service {subject.ref.name}) ")


def test_every_service_of_a_cluster_is_described_at_once(subject: Subject) -> None:
    services = subject.gateway.services
    found = services.describe_all(subject.ref.cluster)
    assert [one.ref for one in found] == list(services.services(subject.ref.cluster))
    one = next(one for one in found if one.ref == subject.ref)
    assert one == services.describe(subject.ref)
    named = services.describe_all(subject.ref.cluster, [subject.ref.name, "no-such-service"])
    assert [one.ref for one in named] == [subject.ref]
    assert services.describe_all(subject.ref.cluster, []) == ()
    with pytest.raises(NotThere, match="No such cluster"):
        services.describe_all("no-such-cluster")


def test_a_service_names_its_newest_deployment_and_its_revisions(subject: Subject) -> None:
    services = subject.gateway.services
    service = services.describe(subject.ref)
    newest = services.service_deployments(subject.ref)[0]
    assert service.current_deployment == newest.arn
    assert service.current_revisions == (newest.target.arn,)
    arn = newest.arn
    assert services.deployments([arn, arn, f"{arn[:-3]}404"]) == (newest,)
    assert services.deployments([]) == ()


def test_the_history_is_newest_first_and_its_revisions_are_known(subject: Subject) -> None:
    services = subject.gateway.services
    history = services.service_deployments(subject.ref)
    assert [sd.status for sd in history[:2]] == ["SUCCESSFUL", "SUCCESSFUL"]
    assert [sd.created_at for sd in history] == sorted(
        (sd.created_at for sd in history), reverse=True
    )
    primary = services.describe(subject.ref).primary
    assert primary is not None
    assert history[0].target.number == primary.number
    arns = [sd.target.arn for sd in history]
    revisions = services.revisions([*arns, arns[0], f"{arns[0]}404"])
    assert [r.arn for r in revisions] == list(dict.fromkeys(arns))
    for revision in revisions:
        assert all(image.digest.startswith("sha256:") for image in revision.images)


def test_the_history_can_begin_later(subject: Subject) -> None:
    services = subject.gateway.services
    history = services.service_deployments(subject.ref)
    later = services.service_deployments(subject.ref, since=history[-1].created_at)
    assert later == history[:-1]
    assert services.service_deployments(subject.ref, history[0].created_at + timedelta(1)) == ()


def test_tasks_run_what_the_revision_says(subject: Subject) -> None:
    services = subject.gateway.services
    service = services.describe(subject.ref)
    running = [t for t in services.tasks(subject.ref) if t.last_status == "RUNNING"]
    assert len(running) == 4
    assert len({t.address for t in running} - {""}) == 4
    assert len({t.zone for t in running}) >= 2
    assert {t.started_by for t in running} == {service.deployments[0].id}
    latest = services.service_deployments(subject.ref)[0]
    (revision,) = services.revisions([latest.target.arn])
    assert {c.digest for t in running for c in t.containers} == {
        image.digest for image in revision.images
    }


def test_a_task_definition_is_found_by_arn_and_by_name(subject: Subject) -> None:
    services = subject.gateway.services
    arn = services.describe(subject.ref).task_definition
    found = services.task_definition(arn)
    assert found.arn == arn
    assert found.status == "ACTIVE"
    assert services.task_definition(found.name) == found
    log = found.containers[0].log
    assert log is not None
    assert (log.driver, log.group) == ("awslogs", subject.log_group)


def test_a_task_definition_can_be_compared_and_tells_no_value(subject: Subject) -> None:
    services = subject.gateway.services
    arn = services.describe(subject.ref).task_definition
    said: Any = services.definition_document(arn)
    assert services.definition_document(arn) == said
    assert not {"taskDefinitionArn", "revision", "registeredAt", "status"} & set(said)
    found = services.task_definition(arn)
    assert [c["image"] for c in said["containerDefinitions"]] == [c.image for c in found.containers]
    values = [
        pair["value"]
        for container in said["containerDefinitions"]
        for pair in container.get("environment", ())
    ]
    assert values
    assert all(re.fullmatch(r"••• [0-9a-f]{6}", value) for value in values)


def test_every_target_is_a_task_and_gets_the_traffic(subject: Subject) -> None:
    gateway = subject.gateway
    service = gateway.services.describe(subject.ref)
    balancing = gateway.targets.balancing(service)
    assert tuple(group.arn for group in balancing.groups) == service.target_groups
    assert max(group.production_share or 0 for group in balancing.groups) == 100
    serving = next(group for group in balancing.groups if group.production_share)
    assert serving.healthy == 4
    addresses = {t.address for t in gateway.services.tasks(subject.ref) if not t.stopped}
    assert {t.address for t in serving.targets if t.state == "healthy"} <= addresses
    assert balancing.url.startswith("http://")
    assert short_name(serving.arn)


def test_stacks_are_sorted_and_done(subject: Subject) -> None:
    stacks = {stack.name: stack for stack in subject.gateway.stacks.stacks()}
    assert list(stacks) == sorted(stacks)
    assert {"demorepo", "demodb", "democluster"} <= set(stacks)
    for stack in stacks.values():
        assert not stack.moving
        assert not stack.failed
        assert stack.changed_at is not None
    assert dict(stacks["demorepo"].outputs)["RepositoryUri"]


def test_images_are_newest_first_and_found_by_tag_and_digest(subject: Subject) -> None:
    images = subject.gateway.images
    uri = next(
        dict(stack.outputs)["RepositoryUri"]
        for stack in subject.gateway.stacks.stacks()
        if stack.name == "demorepo"
    )
    repository = ImageReference.parse(uri).repository
    found = images.images(repository)
    assert len(found) >= 2
    pushed = [image.pushed_at for image in found if image.pushed_at]
    assert pushed == sorted(pushed, reverse=True)
    first = found[-1]
    by_tag = images.find(repository, tag=first.tags[0])
    assert by_tag is not None
    assert by_tag.digest == first.digest
    assert images.find(repository, digest=first.digest) == by_tag
    assert images.find(repository, tag="never-pushed") is None


def test_logs_are_paged_in_order_and_name_their_task(subject: Subject) -> None:
    logs = subject.gateway.logs
    assert subject.log_group in logs.groups()
    assert subject.log_group in logs.groups(subject.log_group[:4])
    assert logs.groups("no-such-prefix") == ()
    start = 1_704_067_200_000
    lines: list[LogLine] = []
    page = logs.page(subject.log_group, start=start, limit=7)
    while page.token and len(lines) < 21:
        lines += page.lines
        page = logs.page(subject.log_group, start=start, limit=7, token=page.token)
    lines += page.lines
    assert [line.timestamp for line in lines] == sorted(line.timestamp for line in lines)
    assert len({line.event_id for line in lines}) == len(lines) > 0
    known = {t.id for t in subject.gateway.services.tasks(subject.ref)}
    assert known & {line.task_id for line in lines}


def test_logs_end_where_they_are_told_to(subject: Subject) -> None:
    logs = subject.gateway.logs
    first = logs.page(subject.log_group, start=1_704_067_200_000).lines[0]
    page = logs.page(subject.log_group, start=first.timestamp, end=first.timestamp)
    assert first.event_id in {line.event_id for line in page.lines}
    assert {line.timestamp for line in page.lines} == {first.timestamp}


@pytest.mark.parametrize("service", ["no-such-service"])
def test_what_is_not_there_is_told_apart(subject: Subject, service: str) -> None:
    gateway = subject.gateway
    with pytest.raises(NotThere, match="No such cluster"):
        gateway.services.services("no-such-cluster")
    with pytest.raises(NotThere, match="No such cluster"):
        gateway.services.describe(ServiceRef("no-such-cluster", service))
    with pytest.raises(NotThere, match="No such service"):
        gateway.services.describe(ServiceRef(subject.ref.cluster, service))
    with pytest.raises(NotThere, match="No such task definition"):
        gateway.services.task_definition("no-such-family:1")
    with pytest.raises(NotThere, match="No such task definition"):
        gateway.services.definition_document("no-such-family:1")
    with pytest.raises(NotThere, match="No such repository"):
        gateway.images.images("no-such-repository")
    with pytest.raises(NotThere, match="No such log group"):
        gateway.logs.page("no-such-group", start=1_704_067_200_000)


def test_calls_are_counted(subject: Subject) -> None:
    subject.gateway.services.clusters()
    assert subject.gateway.meter.per_minute() > 0


def test_secrets_tell_when_they_were_changed(subject: Subject) -> None:
    tasks = subject.gateway.services.tasks(subject.ref)
    definition = subject.gateway.services.task_definition(tasks[0].task_definition)
    references = definition.containers[0].secrets
    assert references
    told = subject.gateway.secrets.changes(references)
    assert [each.reference for each in told] == list(dict.fromkeys(references))
    assert all(each.changed_at and each.name in each.reference for each in told)
