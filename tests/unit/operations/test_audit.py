"""The audit log: private, append-only, readable whatever happened to it."""

from __future__ import annotations

import stat
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bgconsole.operations.audit import AuditLog

NOW = datetime(2026, 3, 1, 14, 0, tzinfo=UTC)


def test_it_is_for_its_owner_alone(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "a" / "b" / "audit.jsonl")
    log.append({"event": "started"})
    assert stat.S_IMODE(log.path.stat().st_mode) == 0o600
    for folder in (log.path.parent, log.path.parent.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_damage_is_passed_over(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "audit.jsonl")
    log.append({"event": "one"})
    with log.path.open("ab") as file:
        file.write(b'\xff\xfe{"event": "cut off in the mid')
    log.append({"event": "two"})
    with log.path.open("a") as file:
        file.write('[1]\n"text"\n{}\n')
    assert [record["event"] for record in log.records()] == ["one", "two"]


def test_since(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "audit.jsonl")
    for hours in (3, 1):
        log.append({"event": f"{hours} h ago", "at": (NOW - timedelta(hours=hours)).isoformat()})
    log.append({"event": "undated"})
    found = [record["event"] for record in log.records(NOW - timedelta(hours=2))]
    assert found == ["1 h ago"]


def test_none_is_no_error(tmp_path: Path) -> None:
    assert list(AuditLog(tmp_path / "none").records()) == []


def test_writers_do_not_mix_their_lines(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "audit.jsonl")

    def write(name: str) -> None:
        for number in range(50):
            log.append({"event": f"{name}{number}", "filling": "x" * 3000})

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({record["event"] for record in log.records()}) == 200
