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
from bgconsole.ui.widgets.fit import Piece, fit_apart, piece

DONE, TO_COME = "✓", "·"


def strip_line(strip: Rollout, at: datetime, palette: Palette, width: int) -> Content:
    """`scale up ✓  test shift ✓ ▐ post-test · paused 5:48 ▌ production · …`, `width` cells long.

    Where there is little room the words of what is done go first, then those of what is to come;
    the stage that ECS is in, and what happens by itself, keep theirs.
    """
    current = _current(strip, at, palette)
    several = [stage for stage in strip.stages if not stage.minor]
    forms = (
        _line(strip.stages, strip, current, palette, words=(True, True)),
        _line(several, strip, current, palette, words=(True, True)),
        _line(several, strip, current, palette, words=(False, True)),
        _line(several, strip, current, palette, words=(False, False)),
        current,
    )
    right = [*_hooks(strip, at, palette), *guards(strip, palette)]
    return fit_apart([piece(2, *forms)], right, width)


def guards(strip: Rollout, palette: Palette) -> list[Piece]:
    """What takes a deployment back by itself: `breaker 0/3 ✓ · alarms ✖ web-5xx`."""
    return [*_breaker(strip.breaker, palette), *_alarms(strip.alarms, palette)]


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


def _hooks(strip: Rollout, at: datetime, palette: Palette) -> list[Piece]:
    """What a hook waits for, and what ECS does by itself when nobody answers."""
    told: list[Piece] = []
    if strip.waiting:
        hook, *more = strip.waiting
        others = f" ({len(more)} more wait)" if more else ""
        words = _then(hook, at)
        tone = palette.style(Tone.WAITING, bold=True)
        told.append(
            piece(
                9,
                Content.styled(f"{words}{others}", tone),
                Content.styled(words.replace(" by itself", ""), tone),
            )
        )
    elif strip.running:
        name = plain(strip.running[0].target.rpartition(":")[2] or strip.running[0].kind)
        busy = palette.style(Tone.BUSY)
        told.append(
            piece(8, Content.styled(f"hook {name} runs", busy), Content.styled("hook runs", busy))
        )
    return told


def _then(hook: Hook, at: datetime) -> str:
    does = {"ROLLBACK": "goes back", "CONTINUE": "goes on"}.get(hook.timeout_action, "times out")
    if hook.expires_at is None:
        return f"{does} by itself"
    left = (hook.expires_at - at).total_seconds()
    return f"{does} by itself in {spell(left)}" if left > 0 else f"{does} by itself now"


def _breaker(breaker: CircuitBreaker | None, palette: Palette) -> list[Piece]:
    if breaker is None or breaker.status == "DISABLED":
        return []
    tone, glyph = Tone.QUIET, DONE
    if breaker.status == "TRIGGERED":
        tone, glyph = Tone.BAD, "✖"
    elif breaker.failures:
        tone, glyph = Tone.WAITING, "▲"
    count = f"{breaker.failures}/{breaker.threshold}" if breaker.threshold else ""
    long = " ".join(filter(None, ("breaker", count, glyph)))
    style = palette.style(tone)
    # A breaker that nothing has touched is the first to go.
    short = "" if tone is Tone.QUIET else Content.styled(f"{count} {glyph}", style)
    return [piece(1 if tone is Tone.QUIET else 6, Content.styled(long, style), short)]


def _alarms(alarms: Alarms | None, palette: Palette) -> list[Piece]:
    if alarms is None or alarms.status == "DISABLED" or not (alarms.names or alarms.triggered):
        return []
    if alarms.status == "TRIGGERED" or alarms.triggered:
        names = ", ".join(plain(name) for name in alarms.triggered)
        bad = palette.style(Tone.BAD, bold=True)
        long = Content.styled(f"alarms ✖ {names}".rstrip(), bad)
        return [piece(3, long, Content.styled("alarms ✖", bad))]
    quiet = palette.style(Tone.QUIET)
    return [piece(1, Content.styled(f"alarms {DONE}", quiet), "")]
