"""Who we are: STS, and IAM for the account's alias."""

from __future__ import annotations

from dataclasses import dataclass, field

from bgconsole.domain.errors import AccessDenied, GatewayError, NotThere, Rejected
from bgconsole.domain.identity import Identity
from bgconsole.gateway.aws.clients import Clients


@dataclass(slots=True)
class AwsIdentities:
    """The `Identities` port."""

    clients: Clients
    _aliases: dict[str, tuple[str, str]] = field(default_factory=dict)
    """By account, with why there is none: looked up once, also where it may not be."""

    def whoami(self) -> Identity:
        """GetCallerIdentity, which needs no permission."""
        with self.clients.reading("sts:GetCallerIdentity"):
            answer = self.clients.client("sts").get_caller_identity()
        account = answer.get("Account", "")
        alias, unread = self._alias(account)
        return Identity(
            account=account,
            arn=answer.get("Arn", ""),
            alias=alias,
            unread=unread,
            expires_at=self.clients.expires_at(),
        )

    def _alias(self, account: str) -> tuple[str, str]:
        if account not in self._aliases:
            names, unread = [], ""
            try:
                with self.clients.reading("iam:ListAccountAliases"):
                    names = self.clients.client("iam").list_account_aliases()["AccountAliases"]
            except (AccessDenied, Rejected, NotThere) as error:
                unread = error.brief
            except GatewayError as error:
                return "", error.brief  # for want of an answer; the next call asks again
            self._aliases[account] = (str(names[0]) if names else "", unread)
        return self._aliases[account]
