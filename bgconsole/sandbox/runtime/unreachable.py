"""The network of simulated tasks: they are remembered only, so nobody can connect to one."""

from __future__ import annotations

from .port import Address


class Unreachable:
    """No address leads anywhere; a load balancer in front answers 502."""

    def resolve(self, address: Address) -> Address | None:
        """Nothing to connect to."""
        del address
        return None
