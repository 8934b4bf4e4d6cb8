"""Everything that can go wrong, as one tree; each says what happened, to what, what to do next.

- BgconsoleError
  - ConfigurationError          2  a file, flag, variable or profile is wrong
    - NoRegion                  2  none was named
  - Refused                     3  a guard, a changed world, read-only, or no confirmation
    - WorldChanged              3  what was confirmed is not what would be done any more
  - GatewayError                1  AWS (or Docker) did not give what was asked
    - Unreachable               1  no answer: closed port, DNS, TLS, timeout
    - Throttled                 1  answered "slow down" to the end
    - NotThere                  1  no such cluster, service, stack, image …
    - Rejected                  1  AWS refuses the request as it stands
    - CredentialsProblem        4  none, or not usable
      - NoCredentials           4
      - ExpiredCredentials      4
    - AccessDenied              4  the credentials lack a permission

The numbers are the exit codes of the command line; `exit_codes` has those that are no error's.
"""

from __future__ import annotations

from typing import ClassVar, Literal


class BgconsoleError(Exception):
    """The root. `title` is a few words, `detail` what happened to what, `hint` what to do next."""

    exit_code: ClassVar[int] = 1

    def __init__(self, title: str, detail: str = "", hint: str = "") -> None:
        super().__init__(title, detail, hint)
        self.title = title
        self.detail = detail
        self.hint = hint

    def __str__(self) -> str:
        """All of it in one line: title: detail. hint."""
        return f"{self.what.rstrip('.')}. {self.hint}" if self.hint else self.what

    @property
    def what(self) -> str:
        """What happened to what, where what to do next is said apart: title: detail."""
        return f"{self.title}: {self.detail}" if self.detail else self.title

    @property
    def brief(self) -> str:
        """In a few words, for a line that tells of more; a permission that is missing is named."""
        return self.title


class ConfigurationError(BgconsoleError):
    """A file, flag, environment variable or profile is wrong; nothing was started."""

    exit_code = 2


class NoRegion(ConfigurationError):
    """None was named: what a machine meets first that AWS was never set up on."""


class Refused(BgconsoleError):
    """A guard said no, before anything was changed."""

    exit_code = 3


class WorldChanged(Refused):
    """The plan that was confirmed is not what would be done now."""


class GatewayError(BgconsoleError):
    """AWS or Docker did not give what was asked. `request_id` is AWS's, where one was given."""

    def __init__(
        self, title: str, detail: str = "", hint: str = "", *, request_id: str = ""
    ) -> None:
        super().__init__(title, detail, hint)
        self.request_id = request_id


class Unreachable(GatewayError):
    """No answer at all. `write` is what became of the write that it was about, where it was one."""

    def __init__(
        self,
        title: str,
        detail: str = "",
        hint: str = "",
        *,
        write: Literal["not known", "not sent", "none"] = "not known",
        request_id: str = "",
    ) -> None:
        super().__init__(title, detail, hint, request_id=request_id)
        self.write: Literal["not known", "not sent", "none"] = write


class Throttled(GatewayError):
    """AWS said "slow down" to the last attempt."""


class NotThere(GatewayError):
    """The thing that was named does not exist."""


class Rejected(GatewayError):
    """AWS understood, and refuses. `code` is AWS's error code."""

    def __init__(
        self, title: str, detail: str = "", hint: str = "", *, code: str = "", request_id: str = ""
    ) -> None:
        super().__init__(title, detail, hint, request_id=request_id)
        self.code = code


class CredentialsProblem(GatewayError):
    """There are no credentials, or AWS does not take them."""

    exit_code = 4


class NoCredentials(CredentialsProblem):
    """None were found. `tried` says where was looked."""

    def __init__(
        self, title: str, detail: str = "", hint: str = "", *, tried: tuple[str, ...] = ()
    ) -> None:
        super().__init__(title, detail, hint)
        self.tried = tried


class ExpiredCredentials(CredentialsProblem):
    """They were good once."""


class AccessDenied(GatewayError):
    """A permission is missing. `action` is its IAM name, such as `ecs:UpdateService`."""

    exit_code = 4

    def __init__(
        self,
        title: str,
        detail: str = "",
        hint: str = "",
        *,
        action: str = "",
        request_id: str = "",
    ) -> None:
        super().__init__(title, detail, hint, request_id=request_id)
        self.action = action

    @property
    def brief(self) -> str:
        """What is needed, without which resource it is needed on."""
        return f"{self.title}: needs {self.action}" if self.action else self.title
