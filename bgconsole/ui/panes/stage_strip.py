"""One line that says where a blue/green deployment stands: its stages, then what could stop it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from textual.content import Content
from textual.style import Style

from bgconsole.domain.duration import spell
from bgconsole.domain.plain import plain
from bgconsole.domain.rollout import Rollout, Stage
from bgconsole.domain.services import Alarms, CircuitBreaker, Hook
from bgconsole.ui.palette import Palette, Tone
from bgconsole.ui.widgets.fit import fit_apart, piece

DONE, TO_COME = "✓", "·"


def strip_line(strip: Rollout, at: datetime, palette: Palette, width: int) -> Content:
    """`scale up ✓  test shift ✓ ▐ post-test · paused 5:48 ▌ production · …`, `width` cells long.

    Where there is little room the stages of hooks alone go first, then the words of what is done,
    then guards that nothing has touched; the stage that ECS is in, and what happens by itself, stay
    the longest.
    """
    current = _current(strip, at, palette)
    several = [stage for stage in strip.stages if not stage.minor]
    whole = _line(strip.stages, strip, current, palette, words=(True, True))
    main = _line(several, strip, current, palette, words=(True, True))
    coming = _line(several, strip, current, palette, words=(False, True))
    counted = _line(several, strip, current, palette, words=(False, False))
    long, short = (_hooks(strip, at, palette, short=short) for short in (False, True))
    loud = guards(strip, palette, quiet=False)
    every = guards(strip, palette)
    told = (
        (whole, [*long, *every]),
        (main, [*long, *every]),
        (main, [*short, *every]),
        (coming, [*long, *every]),
        (coming, [*short, *every]),
        (coming, [*short, *loud]),
        (counted, [*short, *every]),
        (counted, [*long, *loud]),
        (counted, [*short, *loud]),
        (current, [*short, *loud]),
    )
    for left, right in told:
        length = sum(each.cell_length + 3 for each in right)
        if left.cell_length + length <= width:
            break
    return fit_apart([piece(2, left)], [piece(1, each) for each in right], width)


def guards(strip: Rollout, palette: Palette, *, quiet: bool = True) -> list[Content]:
    """What takes a deployment back by itself: `breaker 0/3 ✓`, `alarms ✖ web-5xx`.

    Not `quiet`: only those that something has touched.
    """
    told = (_breaker(strip.breaker), _alarms(strip.alarms))
    return [
        Content.styled(words, palette.style(tone, bold=tone is Tone.BAD))
        for words, tone in told
        if words and (quiet or tone is not Tone.QUIET)
    ]


def _line(
    stages: Sequence[Stage],
    strip: Rollout,
    current: Content,
    palette: Palette,
    *,
    words: tuple[bool, bool],
) -> Content:
    """The stages; `words` says whether those done and those to come are named or only counted."""
    quiet, good = palette.style(Tone.QUIET), palette.style(Tone.GOOD)
    done = [stage for stage in stages if stage.state == "done"]
    left = [stage for stage in stages if stage.state == "to come"]
    of_done, of_left = words
    parts: list[Content] = []
    if of_done:
        parts += [Content.assemble((f"{s.words} ", quiet), (DONE, good)) for s in done]
    elif done:
        parts.append(Content.styled(DONE * len(done), good))
    parts.append(current)
    if of_left:
        parts += [Content.styled(_coming(stage, strip), quiet) for stage in left]
    elif left:
        parts.append(Content.styled(TO_COME * len(left), quiet))
    return Content("  " if of_done else " ").join(part for part in parts if part)


def _coming(stage: Stage, strip: Rollout) -> str:
    bakes = stage.name == "BAKE_TIME" and strip.bake_minutes is not None
    long = f" {spell(60 * (strip.bake_minutes or 0))}" if bakes else ""
    return f"{plain(stage.words)}{long} {TO_COME}"


def _current(strip: Rollout, at: datetime, palette: Palette) -> Content:
    """The stage that ECS is in, boxed, with the time that it has taken or has left."""
    stage = strip.current
    since = spell(at - strip.stage_since) if strip.stage_since else ""
    words = [plain(stage.words) if stage else "waits to begin"]
    if strip.going_back:
        words.insert(0, "going back")
    if stage is not None and stage.name == "PRODUCTION_TRAFFIC_SHIFT" and strip.production_share:
        words.append(f"{strip.production_share:g} %")
    if strip.waiting and not strip.going_back:
        words.append(f"paused {since}".rstrip())
    elif strip.bake_ends is not None and not strip.going_back:
        left = (strip.bake_ends - at).total_seconds()
        words.append(f"{spell(left)} left" if left > 0 else "time is up")
    elif since:
        words.append(since)
    tone = Tone.BUSY
    if strip.going_back:
        tone = Tone.BAD
    elif strip.waiting:
        tone = Tone.WAITING
    return _boxed(" · ".join(words), tone, palette)


def _boxed(text: str, tone: Tone, palette: Palette) -> Content:
    fill = palette.fills.get(tone) or palette.colors[tone]
    edge = Style(foreground=fill)
    inside = (
        Style(background=fill, foreground=fill.get_contrast_text(1.0), bold=True)
        if fill is not None
        else palette.style(tone, bold=True)
    )
    return Content.assemble(("▐", edge), (f" {text} ", inside), ("▌", edge))


def _hooks(strip: Rollout, at: datetime, palette: Palette, *, short: bool) -> list[Content]:
    """What a hook waits for, and what ECS does by itself when nobody answers."""
    if strip.waiting:
        hook, *more = strip.waiting
        words = _then(hook, at)
        words = words.replace(" by itself", "") if short else words
        words += (
            f" ({len(more)} more wait{'s' if len(more) == 1 else ''})" if more and not short else ""
        )
        return [Content.styled(words, palette.style(Tone.WAITING, bold=True))]
    if strip.running:
        name = plain(strip.running[0].target.rpartition(":")[2] or strip.running[0].kind)
        words = "hook runs" if short else f"hook {name} runs"
        return [Content.styled(words, palette.style(Tone.BUSY))]
    return []


def _then(hook: Hook, at: datetime) -> str:
    does = {"ROLLBACK": "goes back", "CONTINUE": "goes on"}.get(hook.timeout_action, "times out")
    if hook.expires_at is None:
        return f"{does} by itself"
    left = (hook.expires_at - at).total_seconds()
    return f"{does} by itself in {spell(left)}" if left > 0 else f"{does} by itself now"


def _breaker(breaker: CircuitBreaker | None) -> tuple[str, Tone]:
    if breaker is None or breaker.status == "DISABLED":
        return "", Tone.QUIET
    count = f" {breaker.failures}/{breaker.threshold}" if breaker.threshold else ""
    if breaker.status == "TRIGGERED":
        return f"breaker{count} ✖", Tone.BAD
    if breaker.failures:
        return f"breaker{count} ▲", Tone.WAITING
    return f"breaker{count} {DONE}", Tone.QUIET


def _alarms(alarms: Alarms | None) -> tuple[str, Tone]:
    if alarms is None or alarms.status == "DISABLED" or not (alarms.names or alarms.triggered):
        return "", Tone.QUIET
    if alarms.status == "TRIGGERED" or alarms.triggered:
        names = ", ".join(plain(name) for name in alarms.triggered)
        return f"alarms ✖ {names}".rstrip(), Tone.BAD
    return f"alarms {DONE}", Tone.QUIET
