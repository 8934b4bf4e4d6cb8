"""How far something measurable is, in words and as a bar."""

from __future__ import annotations

_UNITS = ("B", "kB", "MB", "GB", "TB")


def size(number: int) -> str:
    """Bytes as Docker writes them, in powers of 1000: `12.4 MB`."""
    if number < 1000:
        return f"{number} B"
    value, unit = float(number), 0
    while value >= 999.5 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{value:.3g} {_UNITS[unit]}"


def share(done: int, total: int) -> float:
    """From 0 to 1; 0 where the total is not known."""
    return min(1.0, max(0.0, done / total)) if total > 0 else 0.0


def progress(done: int, total: int) -> str:
    """`12 MB of 48 MB, 36 MB left`; `12 MB` where the total is not known."""
    if total <= 0:
        return size(done)
    if done >= total:
        return f"{size(total)}, all of it"
    return f"{size(done)} of {size(total)}, {size(total - done)} left"


def bar(done: int, total: int, width: int) -> str:
    """`█████░░░░░`, as wide as asked."""
    full = round(share(done, total) * width)
    return "█" * full + "░" * (width - full)
