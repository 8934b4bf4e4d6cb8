"""What speaks against a roll back, and errors that CloudWatch tells of."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType

from bgconsole.domain.metrics import GroupMetrics, Metrics, Series
from bgconsole.domain.secrets import SecretChange
from bgconsole.domain.severity import Severity
from bgconsole.domain.snapshot import Snapshot
from bgconsole.domain.verdict import verdict
from bgconsole.gateway.scripted import ScriptedWorld, scripted_gateway
from bgconsole.watch.once import read
from tests import worlds
from tests.values import NOW, REF, SECRET_ARN


def seen(world: ScriptedWorld) -> Snapshot:
    return read(scripted_gateway(world), REF, lambda: NOW)


def measured(snapshot: Snapshot, requests: float, errors: float) -> Snapshot:
    """The same, with so many requests and errors in each of the newest five minutes."""

    def series(value: float) -> Series:
        begin = NOW.replace(second=0, microsecond=0)
        return tuple((begin - timedelta(minutes=5 - n), value) for n in range(5))

    assert snapshot.targets.value is not None
    arn = snapshot.targets.value.groups[0].arn
    told = Metrics(MappingProxyType({arn: GroupMetrics(series(requests), series(errors))}))
    return replace(snapshot, metrics=snapshot.metrics.good(told, NOW))


def test_a_secret_changed_since_the_old_tasks_started_is_named() -> None:
    world = worlds.crash_looping()
    plain = verdict(seen(world), NOW)
    assert "secret" not in plain.sentence
    world.secrets[SECRET_ARN] = SecretChange(SECRET_ARN, "db-url", NOW - timedelta(minutes=9))
    found = verdict(seen(world), NOW)
    assert (
        "both revisions read secret db-url, changed at 13:51 UTC: tasks that a roll back starts "
        "read it too" in found.sentence
    )
    world.secrets[SECRET_ARN] = SecretChange(
        SECRET_ARN, "db-url", datetime(2020, 1, 1, tzinfo=NOW.tzinfo)
    )
    assert "secret" not in verdict(seen(world), NOW).sentence


def test_many_errors_are_amber_and_few_are_evidence() -> None:
    steady = seen(worlds.steady())
    calm = verdict(steady, NOW)
    assert verdict(measured(steady, 100, 0), NOW) == calm
    few = verdict(measured(steady, 1000, 2), NOW)
    assert (few.severity, few.word) == (Severity.GOOD, "STEADY")
    assert few.evidence[-1].startswith("targets answered 6 of 3000 requests with 5xx in the 3 min")
    many = verdict(measured(steady, 100, 20), NOW)
    assert (many.severity, many.word) == (Severity.WAITING, "STEADY, ERRORS")
    assert "targets answered 60 of 300 requests with 5xx in the 3 min to 14:00" in many.sentence


def test_errors_never_soften_what_is_worse() -> None:
    failing = verdict(measured(seen(worlds.crash_looping()), 100, 50), NOW)
    assert failing.severity is Severity.BAD
    assert any("with 5xx" in line for line in failing.evidence)
