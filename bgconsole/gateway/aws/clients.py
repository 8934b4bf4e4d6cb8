"""Clients of one account and region: made when first needed, paced, counted, renewed.

A credentials failure drops the session, so that the next call sees credentials that were renewed
meanwhile. Every method may be called from any thread.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from bgconsole import __version__
from bgconsole.domain.errors import ConfigurationError, CredentialsProblem
from bgconsole.gateway.aws.budget import CallMeter, TokenBucket
from bgconsole.gateway.aws.caller import Caller
from bgconsole.gateway.aws.quick_pages import read_events
from bgconsole.gateway.aws.translate import never_arrived, translated

if TYPE_CHECKING:
    from botocore.config import Config
    from botocore.credentials import Credentials
    from botocore.session import Session
    from types_boto3_cloudformation.client import CloudFormationClient
    from types_boto3_ecr.client import ECRClient
    from types_boto3_ecs.client import ECSClient
    from types_boto3_elbv2.client import ElasticLoadBalancingv2Client
    from types_boto3_logs.client import CloudWatchLogsClient
    from types_boto3_sts.client import STSClient

ServiceName = Literal[
    "application-autoscaling",
    "cloudformation",
    "cloudwatch",
    "codedeploy",
    "codepipeline",
    "ecr",
    "ecs",
    "elbv2",
    "iam",
    "logs",
    "s3",
    "secretsmanager",
    "ssm",
    "sts",
]

READ_ATTEMPTS = 2
WRITE_ATTEMPTS = 3
CONNECT_TIMEOUT = 3
READ_TIMEOUT = 10
"""Seconds."""
POOL = 16
"""Connections a client keeps: more than there are sources that poll at once."""
PROBE_PAUSE = 2.0
"""Seconds for which "no credentials" is believed, so that many pollers do not probe at once."""

RATES: dict[str, tuple[float, float]] = {
    "ecs": (10, 20),
    "elbv2": (10, 20),
    "cloudformation": (2, 5),
    "ecr": (5, 10),
    "logs": (2, 6),
    "sts": (2, 5),
    "iam": (2, 5),
    "application-autoscaling": (2, 5),
    "cloudwatch": (2, 5),
    "codedeploy": (2, 5),
    "codepipeline": (2, 5),
    "s3": (10, 20),
    "secretsmanager": (2, 10),
    "ssm": (2, 5),
}
"""Reads a second in the long run and at once: well under AWS's quotas, which others share.

FilterLogEvents: 5 to 25 a second for the whole account, by region.
"""

Answer = TypeVar("Answer")


class Clients:
    """See the module. `endpoint_url` is passed to every client; empty lets botocore resolve it.

    `session` is one that was made already, for the first try.
    """

    def __init__(
        self,
        *,
        region: str,
        caller: Caller,
        new_session: Callable[[], Session],
        session: Session | None = None,
        endpoint_url: str = "",
        endpoint_of: Callable[[ServiceName], str] = lambda _: "",
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = time.sleep,
        away: bool = False,
    ) -> None:
        self._secrets: deque[str] = deque(maxlen=8)
        self.away = away
        """Whether this is another region than the one that was chosen."""
        self.region = region
        self.caller = replace(caller, secrets=lambda: tuple(self._secrets))
        self._new_session = new_session
        self._unused = session
        self._endpoint_url = endpoint_url
        self._endpoint_of = endpoint_of
        self._clock = clock
        self._wait = wait
        self._lock = threading.RLock()
        self._session: Session | None = None
        self._credentials: Credentials | None = None
        self._generation = 0
        self._nothing_until = 0.0
        self._clients: dict[tuple[str, bool], Any] = {}
        self._buckets = {name: TokenBucket(*rate) for name, rate in RATES.items()}
        self._meter = CallMeter()
        self._meter_lock = threading.Lock()
        self._unpaced = threading.local()
        self._elsewhere: dict[str, Clients] = {}

    def elsewhere(self, region: str) -> Clients:
        """Those of the same account in another region, always the same ones; counted with ours."""
        with self._lock:
            found = self._elsewhere.get(region)
            if found is None:
                found = Clients(
                    region=region,
                    caller=replace(self.caller, region=region),
                    new_session=self._new_session,
                    endpoint_url=self._endpoint_url,
                    endpoint_of=self._endpoint_of,
                    clock=self._clock,
                    wait=self._wait,
                    away=True,
                )
                found._meter, found._meter_lock = self._meter, self._meter_lock
                self._elsewhere[region] = found
            return found

    def per_minute(self) -> int:
        """Requests sent in the last 60 s, retries included."""
        with self._meter_lock:
            return self._meter.count(self._clock())

    @contextmanager
    def reading(
        self, action: str, subject: str = "", *, write: bool = False, paced: bool = True
    ) -> Iterator[None]:
        """Translate what goes wrong inside, and notice credentials that are of no use.

        Without `paced` the calls inside, on this thread, do not wait for our own budget.
        """
        generation = self._generation
        self._unpaced.now = not paced
        try:
            with translated(action, subject, self.caller, write=write):
                yield
        except CredentialsProblem:
            self._forget(generation)
            raise
        except ConfigurationError as error:
            # Region and endpoint were good at the start: what is wrong now is how keys are found.
            self._forget(generation)
            raise CredentialsProblem(error.title, error.detail, error.hint) from None
        finally:
            self._unpaced.now = False

    def writing(self, action: str, subject: str, call: Callable[[], Answer]) -> Answer:
        """Make one write; it is sent again only where it is known that it did not arrive."""
        with self.reading(action, subject, write=True):
            for attempt in range(1, WRITE_ATTEMPTS):
                try:
                    return call()
                except Exception as error:  # looked at by type; what may have arrived goes up
                    if not never_arrived(error):
                        raise
                    self._wait(0.5 * 2 ** (attempt - 1))
            return call()

    @overload
    def client(self, name: Literal["ecs"], *, write: bool = False) -> ECSClient: ...
    @overload
    def client(self, name: Literal["elbv2"]) -> ElasticLoadBalancingv2Client: ...
    @overload
    def client(
        self, name: Literal["cloudformation"], *, write: bool = False
    ) -> CloudFormationClient: ...
    @overload
    def client(self, name: Literal["ecr"], *, write: bool = False) -> ECRClient: ...
    @overload
    def client(self, name: Literal["codedeploy", "s3"], *, write: bool = False) -> Any: ...
    @overload
    def client(self, name: Literal["logs"]) -> CloudWatchLogsClient: ...
    @overload
    def client(self, name: Literal["sts"]) -> STSClient: ...
    @overload
    def client(
        self,
        name: Literal[
            "application-autoscaling", "cloudwatch", "codepipeline", "iam", "secretsmanager", "ssm"
        ],
    ) -> Any: ...

    def client(self, name: ServiceName, *, write: bool = False) -> Any:
        """The client of one service, to be used inside `reading` or `writing`."""
        with self._lock:
            found = self._clients.get((name, write))
            if found is None:
                found = self._make(name, write)
                self._clients[name, write] = found
            return found

    def address(self, name: ServiceName) -> str:
        """Where the client of one service asks; to be used inside `reading`."""
        return str(self.client(name).meta.endpoint_url)

    def expires_at(self) -> datetime | None:
        """When the credentials end, where their provider told."""
        with self._lock:
            # Only credentials that botocore refreshes carry a time, and it has no public name.
            end = getattr(self._credentials, "_expiry_time", None)
        return end.astimezone(UTC) if isinstance(end, datetime) else None

    def _make(self, name: ServiceName, write: bool) -> Any:
        session = self._open()
        client = session.create_client(
            name,
            region_name=self.region,
            endpoint_url=self._endpoint_url or None,
            config=self._config(name, write),
        )
        if not write:
            client.meta.events.register("before-call", self._pacer(name))
        if name == "logs":
            events = "before-parse.cloudwatch-logs.FilterLogEvents"
            client.meta.events.register(events, read_events)
        client.meta.events.register("before-send", self._note_request)
        return client

    def _open(self) -> Session:
        """The session, its credentials found; a fresh one after credentials were of no use."""
        from botocore.exceptions import NoCredentialsError

        if self._session is not None:
            return self._session
        if self._clock() < self._nothing_until:
            raise NoCredentialsError
        session, self._unused = self._unused or self._new_session(), None
        credentials = session.get_credentials()
        if credentials is None:
            self._nothing_until = self._clock() + PROBE_PAUSE
            raise NoCredentialsError
        frozen = credentials.get_frozen_credentials()
        self._secrets.extend(filter(None, (frozen.secret_key, frozen.token)))
        self._session, self._credentials = session, credentials
        return session

    def _forget(self, generation: int) -> None:
        """Drop the session that failed, unless another thread already did."""
        with self._lock:
            if generation == self._generation:
                self._generation += 1
                self._session = self._credentials = None
                self._clients.clear()

    def _config(self, name: ServiceName, write: bool) -> Config:
        from botocore.config import Config

        own = Config(
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=READ_TIMEOUT,
            # A write is sent once by botocore; `writing` alone decides whether it goes again.
            retries={"mode": "standard", "total_max_attempts": 1 if write else READ_ATTEMPTS},
            max_pool_connections=POOL,
            user_agent_extra=f"bgconsole/{__version__}",
        )
        endpoint = self._endpoint_of(name)
        if not endpoint:
            return own
        own = own.merge(Config(inject_host_prefix=False))
        host = endpoint.rpartition(":")[0].strip("[]")
        loopback = host in ("localhost", "::1") or host.startswith("127.")
        return own.merge(Config(proxies={})) if loopback else own

    def _pacer(self, name: ServiceName) -> Callable[..., None]:
        bucket = self._buckets[name]

        def pace(**_: object) -> None:
            if getattr(self._unpaced, "now", False):
                return
            with self._meter_lock:
                pause = bucket.take(self._clock())
            if pause > 0:
                self._wait(pause)

        return pace

    def _note_request(self, request: Any, **_: object) -> None:
        with self._meter_lock:
            self._meter.add(self._clock())
        token = request.headers.get("X-Amz-Security-Token")
        if token:
            text = token.decode() if isinstance(token, bytes) else str(token)
            if text not in self._secrets:
                self._secrets.append(text)
