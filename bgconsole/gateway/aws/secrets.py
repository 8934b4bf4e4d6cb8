"""Secrets Manager and Systems Manager, read: when something was changed, and never what it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bgconsole.domain.secrets import SecretChange
from bgconsole.gateway.aws.clients import Clients
from bgconsole.gateway.aws.pieces import utc


@dataclass(frozen=True, slots=True)
class AwsSecrets:
    """The `Secrets` port."""

    clients: Clients

    def changes(self, references: Sequence[str]) -> tuple[SecretChange, ...]:
        """DescribeSecret, or DescribeParameters for what is no secret's ARN."""
        return tuple(
            self._secret(reference)
            if ":secretsmanager:" in reference
            else self._parameter(reference)
            for reference in dict.fromkeys(references)
        )

    def _secret(self, reference: str) -> SecretChange:
        # `valueFrom` may go on behind the ARN with `:key:stage:version`.
        arn = ":".join(reference.split(":")[:7])
        with self.clients.reading("secretsmanager:DescribeSecret", f"secret {arn}"):
            answer = self.clients.client("secretsmanager").describe_secret(SecretId=arn)
        changed = answer.get("LastChangedDate") or answer.get("CreatedDate")
        return SecretChange(reference, str(answer.get("Name", arn)), utc(changed))

    def _parameter(self, reference: str) -> SecretChange:
        name = reference.partition(":parameter")[2] or reference
        wanted = [{"Key": "Name", "Option": "Equals", "Values": [name]}]
        with self.clients.reading("ssm:DescribeParameters", f"parameter {name}"):
            answer = self.clients.client("ssm").describe_parameters(ParameterFilters=wanted)
        found: dict[str, Any] = next(iter(answer.get("Parameters", ())), {})
        who = str(found.get("LastModifiedUser", "")).rpartition("/")[2]
        return SecretChange(reference, name, utc(found.get("LastModifiedDate")), who)
