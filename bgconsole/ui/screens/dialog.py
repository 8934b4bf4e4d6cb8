"""A dialog that cannot be answered before it was seen."""

from __future__ import annotations

from time import monotonic
from typing import TypeVar

from textual.screen import ModalScreen

Answer = TypeVar("Answer")


class Dialog(ModalScreen[Answer]):
    """Ignores whatever was read before its first frame was painted, and for `settle` s after.

    The keys carry the time at which they were read, so that what was typed ahead while the screen
    was busy is dropped and not replayed. The app asks `too_early` for every key, click and paste.
    """

    def __init__(self, *, settle: float) -> None:
        super().__init__()
        self._settle = settle
        self._painted_at: float | None = None

    def on_mount(self) -> None:
        """Wait for the first frame."""
        self.call_after_refresh(self._painted)

    @property
    def armed(self) -> bool:
        """Whether a key that is pressed now would count."""
        return not self.too_early(monotonic())

    def too_early(self, at: float) -> bool:
        """Whether what was read at `at` (the clock that stamps Textual's messages) is ignored."""
        return self._painted_at is None or at < self._painted_at + self._settle

    def rearm(self) -> None:
        """Begin anew: what there is to confirm has changed under the reader's eyes."""
        self._painted_at = None
        self.call_after_refresh(self._painted)

    def _painted(self) -> None:
        self._painted_at = monotonic()
