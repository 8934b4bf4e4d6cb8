"""The sizes that a task on Fargate may have (developer guide, "task CPU and memory")."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_GIB = 1024

MEMORY: Mapping[int, tuple[int, ...]] = MappingProxyType(
    {
        256: (512, 1 * _GIB, 2 * _GIB),
        512: tuple(range(1 * _GIB, 4 * _GIB + 1, _GIB)),
        1024: tuple(range(2 * _GIB, 8 * _GIB + 1, _GIB)),
        2048: tuple(range(4 * _GIB, 16 * _GIB + 1, _GIB)),
        4096: tuple(range(8 * _GIB, 30 * _GIB + 1, _GIB)),
        8192: tuple(range(16 * _GIB, 60 * _GIB + 1, 4 * _GIB)),
        16384: tuple(range(32 * _GIB, 120 * _GIB + 1, 8 * _GIB)),
    }
)
"""By CPU units: the memory in MiB that goes with them."""


def problem(cpu: str, memory: str) -> str:
    """Why a task cannot have this size, with what it can; empty where it can."""
    if not cpu.isdigit() or int(cpu) not in MEMORY:
        return f"Fargate has no {cpu or 'empty'} CPU units; it has {', '.join(map(str, MEMORY))}."
    legal = MEMORY[int(cpu)]
    if memory.isdigit() and int(memory) in legal:
        return ""
    step = f" in steps of {legal[1] - legal[0]}" if len(legal) > 3 else ""
    told = f"{legal[0]} to {legal[-1]}{step}" if step else ", ".join(map(str, legal))
    return f"With {cpu} CPU units goes memory of {told} MiB, not {memory or 'none'}."
