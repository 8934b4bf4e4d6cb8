"""The probe's thread: its pace, what it learns from AWS, and how often it talks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from bgconsole.domain.probe import Answer, ProbeRecord
from bgconsole.domain.snapshot import Part, Snapshot
from bgconsole.domain.targets import Balancing
from bgconsole.watch.probe import Probe, site
from tests import scenes
from tests.values import NOW

SITE = "http://site:8080"


@dataclass
class Scene:
    """A site that answers after so many seconds, and a clock that only turns when waited."""

    takes: float = 0.01
    second: float = 0.0
    until: float = 10.0
    asked: list[tuple[float, str]] = field(default_factory=list)
    told: list[ProbeRecord] = field(default_factory=list)
    closed: threading.Event = field(default_factory=threading.Event)
    at_ask: Callable[[int], None] = lambda _: None
    version: Callable[[float], str] = lambda _: "42"

    def ask(self, url: str) -> Answer:
        self.asked.append((round(self.second, 3), url))
        self.at_ask(len(self.asked))
        at = self.clock()
        version = self.version(self.second)
        self.second += self.takes
        return Answer(at, self.takes * 1000, 200, version=version)

    def close(self) -> None:
        self.closed.set()

    def clock(self) -> Any:
        return NOW + timedelta(seconds=self.second)

    def wait(self, end: threading.Event, seconds: float) -> bool:
        self.second += seconds
        return end.is_set() or self.second >= self.until

    def probe(self, **options: Any) -> Probe:
        return Probe(
            self,
            on_record=self.told.append,
            clock=self.clock,
            wait=self.wait,
            monotonic=lambda: self.second,
            **options,
        )

    def runs(self, probe: Probe) -> None:
        probe.start()
        assert self.closed.wait(10)


def at(url: str, taken: Snapshot, generation: int = 1) -> Snapshot:
    return replace(taken, targets=Part(Balancing((), url), NOW), generation=generation)


def test_it_keeps_its_pace() -> None:
    scene = Scene(takes=0.3)
    scene.runs(scene.probe(url=SITE, path="/posts", interval=2))
    assert scene.asked == [(n, f"{SITE}/posts") for n in (0, 2, 4, 6, 8)]
    assert scene.told[-1].tally.asked == 5


def test_a_slow_site_is_asked_at_once_again_and_never_twice() -> None:
    scene = Scene(takes=3)
    scene.runs(scene.probe(url=SITE, interval=2))
    assert [second for second, _ in scene.asked] == [0, 3, 6, 9]


def test_no_faster_than_twenty_a_second() -> None:
    scene = Scene(takes=0.001, until=1.0)
    scene.runs(scene.probe(url=SITE, interval=0.001))
    assert len(scene.asked) == 20


def test_it_talks_four_times_a_second_and_at_once_of_news() -> None:
    scene = Scene(takes=0.001, until=2.0, version=lambda second: "43" if second > 1.1 else "42")
    scene.runs(scene.probe(url=SITE, interval=0.05))
    assert len(scene.asked) == 40
    assert 8 <= len(scene.told) <= 11
    news = [told for told in scene.told if told.runs[-1].count == 1]
    assert [told.runs[-1].first.version for told in news] == ["42", "43"]


def test_it_waits_until_aws_says_where_the_site_is() -> None:
    scene = Scene()
    probe = scene.probe(path="posts")
    assert probe.record is None
    probe.follow(scenes.waiting())
    assert scene.told == []
    probe.follow(at(SITE, scenes.steady()))
    assert [told.url for told in scene.told] == [f"{SITE}/posts"]
    scene.runs(probe)
    assert {url for _, url in scene.asked} == {f"{SITE}/posts"}


def test_what_was_said_beats_what_aws_says() -> None:
    probe = Scene().probe(url="https://shop.example/in")
    probe.follow(at(SITE, scenes.steady()))
    assert probe.record
    assert probe.record.url == "https://shop.example/in"


def test_another_address_begins_another_record() -> None:
    scene = Scene(until=5)
    probe = scene.probe()
    probe.follow(at(SITE, scenes.steady()))
    scene.at_ask = lambda n: probe.follow(at("http://b", scenes.steady(), 2)) if n == 2 else None
    scene.runs(probe)
    assert [url for _, url in scene.asked] == [f"{SITE}/", f"{SITE}/", "http://b/"]
    assert probe.record
    assert probe.record.tally.asked == 1, "the answer of the old address is not counted"


def test_deployments_begin_and_end_with_the_snapshots() -> None:
    scene = Scene(until=20)
    probe = scene.probe(url=SITE)
    steps = {2: at("", scenes.deploying(), 1), 5: at("", scenes.steady(), 2)}
    scene.at_ask = lambda n: probe.follow(steps[n]) if n in steps else None
    scene.runs(probe)
    assert probe.record
    during = probe.record.during
    assert during
    assert during.ended
    assert during.key
    assert during.tally.asked == 4, "those since it was noticed, and the one just before"
    assert probe.record.tally.asked == 10


def test_an_older_picture_changes_nothing() -> None:
    probe = Scene().probe(url=SITE)
    probe.follow(at("", scenes.deploying(), 5))
    assert probe.record
    probe.follow(at("", scenes.steady(), 4))
    assert probe.record.during
    assert not probe.record.during.ended


def test_a_picture_that_knows_nothing_ends_no_deployment() -> None:
    probe = Scene().probe(url=SITE)
    probe.follow(at("", scenes.deploying(), 1))
    probe.follow(replace(scenes.waiting(), generation=2))
    assert probe.record
    assert probe.record.during
    assert not probe.record.during.ended


def test_nothing_is_told_after_its_end() -> None:
    scene = Scene()
    probe = scene.probe(url=SITE)
    scene.at_ask = lambda n: probe.stop() if n == 2 else None
    scene.runs(probe)
    assert len(scene.asked) == 2
    assert len(scene.told) == 1
    probe.follow(at("", scenes.deploying()))
    assert len(scene.told) == 1


def test_a_probe_that_never_learned_where_ends_too() -> None:
    scene = Scene()
    probe = scene.probe()
    probe.stop()
    scene.runs(probe)
    assert scene.asked == []


@pytest.mark.parametrize(
    ("url", "path", "asked"),
    [
        ("http://a", "", "http://a/"),
        ("http://a:80/", "/posts", "http://a:80/posts"),
        ("https://a/app/", "posts?x=1", "https://a/app/posts?x=1"),
        ("https://a/app?x=1#y", "", "https://a/app?x=1"),
        ("a:8080/x", "", "http://a:8080/x"),
    ],
)
def test_addresses(url: str, path: str, asked: str) -> None:
    assert site(url, path) == asked
