"""One account's logs on a virtual clock, with groups that a test makes and no engine."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from datetime import timedelta
from typing import Any, TypeVar

from botocore.model import StructureShape
from botocore.validate import ParamValidator

from bgconsole.sandbox.api import Response
from bgconsole.sandbox.clock import VirtualClock
from bgconsole.sandbox.logs.groups import GroupFacts
from bgconsole.sandbox.logs.live_tail import LiveTail
from bgconsole.sandbox.logs.service import Logs
from bgconsole.sandbox.scope import Scope
from bgconsole.sandbox.wire.models import service_model
from tests.unit.sandbox.shapes import fits

SCOPE = Scope("123456789012", "us-east-1")
GROUP, STREAM = "/ecs/web", "ecs/app/1"
ARN = f"arn:aws:logs:us-east-1:123456789012:log-group:{GROUP}"
Result = TypeVar("Result")


def at_once(asked: Coroutine[Any, Any, Result]) -> Result:
    """The result of a coroutine that waits for nothing."""
    try:
        asked.send(None)
    except StopIteration as ended:
        result: Result = ended.value
        return result
    raise AssertionError("it waited")


class Account:
    """Calls operations as botocore would and holds each answer against the model."""

    def __init__(self, *, delay: float = 0.0) -> None:
        self.clock = VirtualClock()
        self.groups = {(SCOPE, GROUP): GroupFacts(self.now, None)}
        self.answered: set[str] = set()
        self.logs = Logs(self._look_up, self.clock, delay=delay)

    async def _look_up(self, scope: Scope, name: str) -> GroupFacts | None:
        return self.groups.get((scope, name))

    @property
    def now(self) -> int:
        return int(self.clock.now().timestamp() * 1000)

    def ask(self, operation: str, *, scope: Scope = SCOPE, **request: Any) -> Response | LiveTail:
        model = service_model("logs").operation_model(operation)
        assert isinstance(model.input_shape, StructureShape)
        errors = ParamValidator().validate(request, model.input_shape)
        assert not errors.has_errors(), errors.generate_report()
        return at_once(self.logs.handle(scope, operation, request))

    def call(self, operation: str, *, scope: Scope = SCOPE, **request: Any) -> Response:
        answer = self.ask(operation, scope=scope, **request)
        assert isinstance(answer, dict)
        model = service_model("logs").operation_model(operation)
        if model.output_shape is None:
            assert answer == {}
        else:
            fits(model.output_shape, answer, operation)
        self.answered.add(operation)
        return answer

    def stream(self, name: str = STREAM) -> str:
        self.call("CreateLogStream", logGroupName=GROUP, logStreamName=name)
        return name

    def put(self, *lines: tuple[int, str], stream: str = STREAM) -> Response:
        """Write lines (milliseconds from now, text)."""
        events = [{"timestamp": self.now + when, "message": text} for when, text in lines]
        return self.call("PutLogEvents", logGroupName=GROUP, logStreamName=stream, logEvents=events)

    def write(self, stream: str, lines: Sequence[tuple[int, str]]) -> None:
        """Write as a task does: times in milliseconds since 1970."""
        at_once(self.logs.put(SCOPE, GROUP, stream, lines))

    def filter(self, **request: Any) -> Response:
        return self.call("FilterLogEvents", logGroupName=GROUP, **request)

    def messages(self, **request: Any) -> list[str]:
        """The texts of one page."""
        return [event["message"] for event in self.filter(**request)["events"]]

    def pages(self, **request: Any) -> list[list[dict[str, Any]]]:
        """Every page, to the end."""
        found, token = [], {}
        while True:
            answer = self.filter(**request, **token)
            found.append(answer["events"])
            if "nextToken" not in answer:
                return found
            token = {"nextToken": answer["nextToken"]}

    def advance(self, **time: float) -> None:
        self.clock.advance(timedelta(**time).total_seconds())
