"""A number with its noun: `1 task`, `3 tasks`."""


def how_many(count: int, one: str, many: str = "") -> str:
    """`many` is given where it is not `one` with an s, as where a verb follows the noun."""
    return f"{count} {one if count == 1 else many or f'{one}s'}"
