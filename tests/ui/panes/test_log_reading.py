"""Reading logs: what the filter means, what times mean, how requests fold, how a line is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from bgconsole.domain.join import Side
from bgconsole.domain.logs import Gap, LogGroup, to_milliseconds
from bgconsole.ui.line_facts import of_line, pretty
from bgconsole.ui.panes.log_entry import Entry, entries_of, gap_entry
from bgconsole.ui.panes.log_filter import log_filter
from bgconsole.ui.panes.log_folds import Folds, request_of, tail_words
from bgconsole.ui.panes.log_stamps import Stamp, moment_of, stamp_text
from bgconsole.ui.panes.log_text import as_text
from tests import scenes
from tests.values import NOW

OLD, NEW = "0a" * 16, "1b" * 16
TEXTS = (
    ("INFO Started GET /posts", OLD),
    ("INFO Completed 200 OK", OLD),
    ("WARN slow query: SELECT posts.*", NEW),
    ("ERROR PG::UndefinedColumn", NEW),
    ("plain words", ""),
)


def entries(*texts: tuple[str, str]) -> list[Entry]:
    numbers = count()
    lines = [scenes.line(n, text, task) for n, (text, task) in enumerate(texts or TEXTS)]
    return [entry for line in lines for entry in entries_of(line, numbers)]


def side_of(entry: Entry) -> Side:
    return {OLD: Side.OLD, NEW: Side.NEW}.get(entry.task, Side.UNKNOWN)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("", "01234"),
        ("completed 200", "1"),
        ("Completed", "1"),
        ("COMPLETED", ""),
        ("200 completed", ""),
        ('"slow query" posts', "2"),
        ("!posts", "134"),
        ('!"slow query"', "0134"),
        ("/get|select/", "02"),
        ("/GET|SELECT/", "02"),
        ("!/get|select/", "134"),
        ("/posts", "02"),
        ("/posts/ !slow", "0"),
        ("level:warn", "23"),
        ("!level:warn", "014"),
        ("level:err", "3"),
        ("level:info", "01234"),
        ("side:old", "01"),
        ("side:new level:error", "3"),
        ("side:?", "4"),
        ("task:0a0a", "01"),
        ("stream:container", "0123"),
        ("level:", "01234"),
    ],
)
def test_filter(typed: str, kept: str) -> None:
    found = log_filter(typed, side_of)
    assert found.problem == ""
    assert "".join(str(n) for n, entry in enumerate(entries()) if found.keeps(entry)) == kept


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("/[/", "/[/: unterminated character set"),
        ("level:purple", "level: one of"),
        ("side:left", "side: one of old, new"),
    ],
)
def test_what_is_not_understood_hides_nothing_and_is_told(typed: str, problem: str) -> None:
    found = log_filter(typed, side_of)
    assert problem in found.problem
    assert all(found.keeps(entry) for entry in entries())


def test_where_a_group_begins_among_older_lines_of_another_is_a_row_before_its_first() -> None:
    gap = Gap(1, LogGroup("proxy"), 1000, 841_000, "not read yet", unread=True)
    row = gap_entry(gap, count())
    assert row.text == "≈ proxy begins here: 14 min before it are not read yet · enter reads"
    assert row.gap and row.order[0] == 841_000


def test_a_gap_is_never_hidden() -> None:
    gap = Gap(1, LogGroup("democluster"), 1000, 15_000, "AWS throttled the reads")
    row = gap_entry(gap, count())
    assert row.text == "≈ 14 s not confirmed: AWS throttled the reads"
    assert log_filter("nothing like it", side_of).keeps(row)
    assert Folds().take(row)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("14:02", "2026-03-01T14:02:00"),
        ("14:02:31Z", "2026-03-01T14:02:31"),
        ("23:50", "2026-02-28T23:50:00"),
        ("2026-02-20 1:05", "2026-02-20T01:05:00"),
        ("90s", "2026-03-01T14:28:30"),
        ("-5m", "2026-03-01T14:25:00"),
        ("1d", "2026-02-28T14:30:00"),
    ],
)
def test_moments(typed: str, meant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    now = datetime(2026, 3, 1, 14, 30, tzinfo=UTC)
    assert moment_of(typed, now) == datetime.fromisoformat(meant).replace(tzinfo=UTC)


@pytest.mark.parametrize("typed", ["", "25:00", "14:61", "soon", "14", "5 months"])
def test_what_is_no_moment_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match=r"write 14:02|no such time"):
        moment_of(typed, NOW)


def test_stamps_go_round() -> None:
    at = to_milliseconds(NOW - timedelta(seconds=75)) + 7
    clock = f"{NOW - timedelta(seconds=75):%H:%M:%S}"
    told = {
        each: stamp_text(each, at, NOW.timestamp(), fine=True).strip()
        for each in (Stamp.UTC, Stamp.AGO, Stamp.OFF)
    }
    assert told == {Stamp.UTC: f"{clock}.007Z", Stamp.AGO: "1:14", Stamp.OFF: ""}
    assert Stamp.LOCAL.next.next.next.next is Stamp.LOCAL


def test_requests_fold_behind_their_first_line() -> None:
    folds, every = (
        Folds(),
        entries(
            ("[a2213956] Started GET /posts", OLD),
            ("[77ab10c2] Started GET /up", OLD),
            ("of nobody", OLD),
            ("[a2213956] Completed 200 OK in 4ms", OLD),
            ("[77ab10c2] ERROR boom\n  from a.rb:1", OLD),
            ("boom\n  from b.rb:2\n  from c.rb:3", OLD),
        ),
    )
    shown = [entry for entry in every if folds.take(entry)]
    assert [entry.text.split()[-1] for entry in shown] == ["/posts", "/up", "nobody", "boom"]
    told = [tail_words(fold) for entry in shown if (fold := folds.of(entry))]
    assert told[0] == "⋯ 1 more · 200 OK in 4ms"
    assert told[1].startswith("⋯ 2 more · ")
    assert told[2:] == ["", "⋯ 2 more"]
    second = folds.of(shown[1])
    assert second is not None and second.wrong


@pytest.mark.parametrize(
    ("text", "request_id"),
    [
        ("[c16ea66d] Started", "c16ea66d"),
        ("[4b6b0a3e-9d1e-4a36-8b1c-0f5a1f5c9a10] x", "4b6b0a3e-9d1e-4a36-8b1c-0f5a1f5c9a10"),
        ('{"level":"info","request_id":"abc/1"}', "abc/1"),
        ("[INFO] nothing", ""),
        ("[deadbeef] a word of hex letters", ""),
    ],
)
def test_requests_are_known_by_their_id(text: str, request_id: str) -> None:
    assert request_of(text) == request_id


def test_json_is_made_readable() -> None:
    assert pretty('web: {"a": [1], "b": "c"} end')[:3] == ["web:", "{", '  "a": [']
    for text in ("{not json}", "no json", "{}", "{" * 100_000):
        assert pretty(text) == [text]


def test_a_line_is_told_with_its_whole_request() -> None:
    every = entries(
        ("[a2213956] Started GET /posts", OLD),
        ("[77ab10c2] another", OLD),
        ("[a2213956] Completed 200 OK", OLD),
    )
    told = [(fact.label, fact.value) for fact in of_line(every[2], every, Side.OLD, NOW)]
    assert ("task", f"{OLD} (old)") in told
    assert ("request", "a2213956") in told
    assert ("", "the whole request, 2 lines, ms since its first") in told
    assert not any("another" in value for _, value in told)


def test_saved_text_has_whole_names_and_utc() -> None:
    (first, *_) = as_text(entries(), side_of).splitlines()
    assert first.endswith(f" old {OLD} INFO INFO Started GET /posts")
    assert first.startswith(f"{NOW.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000Z")
