"""How each story of `tests/unit/cli/test_stories.py` ends, as a person sees it.

After a wanted change: `pytest tests/pictures --snapshot-update`, then look at them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from functools import lru_cache

import pytest

from bgconsole.domain.services import ONGOING
from bgconsole.domain.snapshot import Snapshot
from bgconsole.watch.once import read
from bgconsole.watch.sources import SOURCES
from tests import worlds
from tests.scenes import Host
from tests.story_gateway import REF, story_gateway
from tests.unit.cli.test_stories import PLOTS, Plot, Stage, after

Compare = Callable[..., bool]
SIZES = [(80, 24), (120, 36), (160, 45)]
STEP = timedelta(seconds=2)


@lru_cache
def ended(plot: Plot) -> Snapshot:
    """The picture at the story's end, or when `watch` would give up on it."""
    stage = Stage(plot, plot.scene())
    world = worlds.steady()
    world.now = stage.story.clock.now()
    for _ in range(int(timedelta(minutes=plot.minutes) / STEP)):
        world.now += STEP
        stage.play(world)
        if stage.story.deployment()["status"] not in ONGOING:
            break
    after(stage, plot)
    world.now = stage.story.clock.now()
    return read(story_gateway(stage.story, world), REF, stage.story.clock.now, SOURCES)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("plot", PLOTS, ids=lambda plot: re.sub(r"\W+", "-", plot.name))
def test_story(snap_compare: Compare, plot: Plot, size: tuple[int, int]) -> None:
    taken = ended(plot)
    app = Host(shown=taken)
    app.moment = taken.service.fetched_at or app.moment
    assert snap_compare(app, terminal_size=size)
