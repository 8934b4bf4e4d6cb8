"""When the secrets and parameters that task definitions name were changed. Never their values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SecretChange:
    """One secret of Secrets Manager, or one parameter of Systems Manager."""

    reference: str
    """As the task definition names it (`valueFrom`)."""
    name: str
    """As a person knows it."""
    changed_at: datetime | None
    by: str = ""
    """Who, where AWS tells: for parameters alone."""
