"""The records of one run: the same who, where and what in each, so that one line stands alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from bgconsole.domain.plain import plain
from bgconsole.domain.snapshot import Snapshot
from bgconsole.operations.audit import AuditLog, Record
from bgconsole.operations.spec import Proposal


class Recorder:
    """Writes the records of one run; what could not be written is kept in `trouble`."""

    def __init__(
        self,
        audit: AuditLog,
        clock: Callable[[], datetime],
        run: str,
        proposal: Proposal,
        surface: str,
    ) -> None:
        self._audit = audit
        self._clock = clock
        self._run = run
        self._proposal = proposal
        self.surface = surface
        self.trouble = ""
        """Why records are missing. A full disk must not keep the old version from coming back."""

    def of(self, proposal: Proposal) -> Recorder:
        """The same run, with the plan as it is carried out."""
        recorder = Recorder(self._audit, self._clock, self._run, proposal, self.surface)
        recorder.trouble = self.trouble
        return recorder

    @property
    def who(self) -> str:
        """The caller's ARN."""
        part = self._proposal.snapshot.identity
        if part.value:
            return part.value.arn
        return f"unknown ({part.failure.error.brief})" if part.failure else "unknown"

    @property
    def account(self) -> str:
        """Twelve digits, or empty where it is not known."""
        identity = self._proposal.snapshot.identity.value
        return identity.account if identity else ""

    @property
    def where(self) -> str:
        """`account 123456789012 · us-east-1`, with the endpoint where it is not AWS's own."""
        place = self._proposal.snapshot.place
        account = f"account {self.account or 'unknown'}"
        return " · ".join(filter(None, (account, place.region, place.endpoint_words)))

    @property
    def service(self) -> str:
        """Names the service among all accounts and regions, for the lock."""
        place = self._proposal.snapshot.place
        return f"{self.account}/{place.endpoint}/{place.region}/{self._proposal.target}"

    def write(self, event: str, **more: object) -> None:
        """Add a record: `started`, `step`, `submitted`, `finished`, `failed`, `refused`, `left`,
        `not started`.
        """
        proposal, place = self._proposal, self._proposal.snapshot.place
        record: dict[str, object] = {
            "at": self._clock().isoformat(),
            "run": self._run,
            "event": event,
            "operation": proposal.operation.id,
            "target": proposal.target,
            "who": self.who,
            "account": self.account,
            "region": place.region,
            "profile": place.profile,
            "endpoint": place.endpoint,
            "surface": self.surface,
            **more,
        }
        try:
            self._audit.append({name: value for name, value in record.items() if value != ""})
        except OSError as error:
            words = f"{error.strerror or error}: {error.filename or self._audit.path}"
            self.trouble = f"Not all of this is in the audit log ({plain(words)})."


def is_of(record: Record, snapshot: Snapshot) -> bool:
    """Whether a record is of the snapshot's service, account, region and endpoint."""
    identity, place = snapshot.identity.value, snapshot.place
    account = text_of(record, "account")
    return (
        text_of(record, "target") == str(snapshot.ref)
        and text_of(record, "region") == place.region
        and text_of(record, "endpoint") == place.endpoint
        and (not account or identity is None or account == identity.account)
    )


def text_of(record: Record, name: str) -> str:
    """What a record says under a name; empty where that is no text."""
    value = record.get(name)
    return value if isinstance(value, str) else ""
