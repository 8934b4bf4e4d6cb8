"""Asks before the console is left in the middle of an operation, or the operation stopped."""

from __future__ import annotations

from bgconsole.ui.screens.question import QuestionScreen

AT_AWS = (
    "AWS goes on without the console; it will not be followed to its end here. "
    "Opened again, the console finds the deployment and shows it."
)
AT_SANDBOX = (
    "It will not be followed to its end here. A sandbox that the demo started ends with the "
    "console, and its deployment with it; another endpoint ({}) goes on."
)
STOPPING = (
    "No further step is begun. What AWS has taken already goes on; its page then says what was "
    "made, and how to go on from there."
)


class QuitScreen(QuestionScreen):
    """True means: leave."""

    def __init__(self, operation: str, *, settle: float, endpoint: str = "") -> None:
        """`endpoint` names, in words, one that is not AWS's own."""
        super().__init__(
            "Quit now?",
            f"{operation} is under way.",
            AT_SANDBOX.format(endpoint) if endpoint else AT_AWS,
            yes="quit",
            settle=settle,
        )


class StopScreen(QuestionScreen):
    """True means: begin no further step."""

    def __init__(self, operation: str, *, settle: float) -> None:
        super().__init__(
            "Stop now?",
            f"{operation} is under way.",
            STOPPING,
            yes="stop",
            no="go on",
            settle=settle,
        )
