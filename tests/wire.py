"""A scripted world behind AWS's own protocols, in this process: botocore's bytes, no socket.

A request can be spoilt in three places, as on a real line: it never arrives, AWS answers it with an
error, or it takes effect and its answer is lost. Time passes on the world's clock alone.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, Literal

import botocore.session
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError
from botocore.loaders import create_loader

from bgconsole.domain.builds import BuildTold, Engine, Order, PushTold, RegistryLogin, Source
from bgconsole.domain.errors import Unreachable
from bgconsole.domain.identity import Place
from bgconsole.gateway.aws.caller import Caller
from bgconsole.gateway.aws.changes import AwsChanges
from bgconsole.gateway.aws.clients import Clients
from bgconsole.gateway.aws.identity import AwsIdentities
from bgconsole.gateway.aws.images import AwsImages
from bgconsole.gateway.aws.logs import AwsLogs
from bgconsole.gateway.aws.secrets import AwsSecrets
from bgconsole.gateway.aws.services import AwsServices
from bgconsole.gateway.aws.stack_changes import AwsStackChanges
from bgconsole.gateway.aws.stacks import AwsStacks
from bgconsole.gateway.aws.targets import AwsTargets
from bgconsole.gateway.port import Gateway
from bgconsole.gateway.scripted import ScriptedWorld, scripted_gateway
from tests.faces import face
from tests.loopback import AwsError, Loopback, Request, parsed, rendered
from tests.values import REGION

READS = ("Describe", "List", "Get", "Filter", "BatchGet")
"""What the names of operations that change nothing begin with."""
KEY = "AKIDEXAMPLE"


@dataclass(frozen=True)
class After:
    """What happens here once a request took effect, before its answer is read."""

    error: BaseException


Fate = AwsError | BaseException | After | Literal["no way", "no answer"]
"""What becomes of a request: AWS's refusal, something that happens here, no connection, or an
answer that is lost after the request took effect."""
Spoil = Callable[["Wire", str, str], Fate | None]
"""Asked at each request, by its operation and body; None lets it through."""


@dataclass
class Wire:
    """The line to one world."""

    world: ScriptedWorld
    spoil: Spoil = lambda *_: None
    tried: list[str] = field(default_factory=list)
    """Every write that was sent, in order, repeats included: `UpdateService`, `docker.push`."""
    took: list[str] = field(default_factory=list)
    """Those that took effect."""
    asked: list[str] = field(default_factory=list)
    """Every read that was sent."""
    told: list[str] = field(default_factory=list)
    """All that was sent, as text."""
    lock: threading.RLock = field(default_factory=threading.RLock)
    _aws: Loopback = field(default_factory=Loopback)

    def __post_init__(self) -> None:
        face(self.world, self._aws)

    def seconds(self) -> float:
        """The world's time."""
        return self.world.now.timestamp()

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        with self.lock:
            self.world.now += timedelta(seconds=seconds)

    def answer(self, request: AWSPreparedRequest) -> AWSResponse:
        """What comes back over the line, if something does."""
        body = request.body or b""
        raw = body if isinstance(body, bytes) else str(body).encode()
        asked = parsed(raw, _texts(request.headers))
        with self.lock:
            self.told.append(f"{request.url} {asked.headers} {raw.decode()}")
            reply = self.carried(asked.operation, lambda: self._body(asked), raw)
            status, text, kind = rendered(asked, reply)
        headers = {"content-type": kind, "x-amzn-requestid": f"r-{len(self.told)}"}
        return AWSResponse(request.url, status, headers, _Raw(text))

    def carried(self, operation: str, act: Callable[[], Any], body: bytes = b"") -> Any:
        """Do what a request asks, unless it is spoilt."""
        write = not operation.startswith(READS)
        if write:
            self.tried.append(operation)
        else:
            self.asked.append(operation)
        fate = self.spoil(self, operation, body.decode())
        if isinstance(fate, AwsError):
            return fate
        if isinstance(fate, BaseException):
            raise fate
        if fate == "no way":
            raise _breaks(operation, EndpointConnectionError(endpoint_url="https://aws"))
        reply = act()
        if write and not isinstance(reply, AwsError):
            self.took.append(operation)
        if fate == "no answer":
            raise _breaks(operation, ReadTimeoutError(endpoint_url="https://aws"))
        if isinstance(fate, After):
            raise fate.error
        return reply

    def _body(self, request: Request) -> Mapping[str, Any] | AwsError:
        try:
            return self._aws.respond(request)
        except AwsError as error:
            return error


def gateway(wire: Wire) -> Gateway:
    """Every port of AWS over the wire; Docker is the world's, its calls are seen by the wire.

    The clients are made once for all wires, which is most of what a gateway costs: one at a time.
    """
    clients = _LINE.plugged(wire)
    scripted = scripted_gateway(wire.world)
    return replace(
        scripted,
        place=Place(REGION, wire.world.place.profile),
        identities=AwsIdentities(clients),
        services=AwsServices(clients),
        changes=AwsChanges(clients),
        targets=AwsTargets(clients, wire.seconds),
        stacks=AwsStacks(clients),
        stack_changes=AwsStackChanges(clients),
        images=AwsImages(clients),
        logs=AwsLogs(clients),
        secrets=AwsSecrets(clients),
        docker=_Docker(wire, scripted),
    )


def _breaks(operation: str, error: Exception) -> Exception:
    """A broken connection, in the words of the side that tells of it."""
    return Unreachable("No answer", operation) if operation.startswith("docker.") else error


@dataclass(frozen=True, slots=True)
class _Docker:
    """The engine of the world: what reaches it is seen, and may be spoilt, as on the wire."""

    wire: Wire
    scripted: Gateway

    def engine(self) -> Engine:
        return self.scripted.docker.engine()

    def source(self, folder: str, dockerfile: str) -> Source:
        return self.scripted.docker.source(folder, dockerfile)

    def build(self, order: Order, stop: threading.Event) -> Iterator[BuildTold]:
        told = self.scripted.docker.build(order, stop)
        yield from self.wire.carried("docker.build", lambda: [*told])

    def push(self, name: str, login: RegistryLogin, stop: threading.Event) -> Iterator[PushTold]:
        told = self.scripted.docker.push(name, login, stop)
        yield from self.wire.carried("docker.push", lambda: [*told])


class _Line:
    """Where the one set of clients is plugged in."""

    wire: Wire

    def __init__(self) -> None:
        self._clients: Clients | None = None
        self._loader = create_loader()
        self._past = 0.0
        self._begun = 0.0

    def plugged(self, wire: Wire) -> Clients:
        """The clients, on this wire from now on; their clock never goes back."""
        self._past = self._seconds() + 3600 if self._clients else 0.0
        self.wire, self._begun = wire, wire.world.now.timestamp()
        if self._clients is None:
            caller = Caller("demo", REGION, renew="Run `aws sso login --profile demo`")
            self._clients = Clients(
                region=REGION,
                caller=caller,
                new_session=self._session,
                clock=self._seconds,
                wait=self.wait,
            )
        return self._clients

    def wait(self, seconds: float) -> None:
        """Let time pass in the world that is plugged in."""
        self.wire.wait(seconds)

    def _seconds(self) -> float:
        return self._past + self.wire.world.now.timestamp() - self._begun

    def _session(self) -> Any:
        made = botocore.session.Session()
        made.register_component("data_loader", self._loader)
        made.set_credentials(KEY, "not-a-secret")
        made.register("before-send", lambda request, **_: self.wire.answer(request))
        return made


_LINE = _Line()
SLEEPS = SimpleNamespace(sleep=_LINE.wait)
"""In place of `time` in botocore, which waits between a read and its repeat."""


def _texts(headers: Mapping[str, Any]) -> dict[str, str]:
    return {k: v.decode() if isinstance(v, bytes) else str(v) for k, v in headers.items()}


class _Raw(io.BytesIO):
    """What urllib3 would give."""

    def stream(self, **_: object) -> Iterator[bytes]:
        yield self.read()
