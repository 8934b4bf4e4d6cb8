"""The ids and ARNs that the world gives its things, in the forms AWS uses."""

from __future__ import annotations

import base64
import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Names:
    """Makes ids from one source of randomness, so that a seeded world repeats itself."""

    account: str
    region: str
    rng: random.Random

    def hex(self, digits: int) -> str:
        """A random id of so many hexadecimal digits (task ids have 32, load balancers 16)."""
        return f"{self.rng.getrandbits(4 * digits):0{digits}x}"

    def deployment_number(self) -> str:
        """Nineteen digits, shared by a deployment id and its service revision."""
        return str(self.rng.randrange(10**18, 9 * 10**18))

    def service_deployment_id(self) -> str:
        """Twenty-one characters of base64url, as a service deployment ARN ends."""
        return base64.urlsafe_b64encode(self.rng.randbytes(16)).decode()[:21]

    def mac_address(self) -> str:
        """A locally administered address for a task's network interface."""
        return ":".join(f"{byte:02x}" for byte in (0x0A, *self.rng.randbytes(5)))

    def ecs(self, resource: str) -> str:
        """The ARN of an ECS resource such as `service/cluster/name`."""
        return f"arn:aws:ecs:{self.region}:{self.account}:{resource}"

    def elb(self, resource: str) -> str:
        """The ARN of an Elastic Load Balancing resource."""
        return f"arn:aws:elasticloadbalancing:{self.region}:{self.account}:{resource}"

    @property
    def caller(self) -> str:
        """Who the sandbox says registered or created something."""
        return f"arn:aws:iam::{self.account}:root"
