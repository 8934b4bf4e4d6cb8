"""The embedded engine (ministack) behind a Protocol: the only module that knows it.

It answers every AWS service that is not ours. Beside its ASGI app this module uses names that it
does not promise to keep; the version is pinned exactly, and `tests/contract` fails when one moves:

- `services.cloudformation.provisioners._RESOURCE_HANDLERS`: what creates each resource type;
- `services.cloudformation.provisioners._REPLACING_PROPERTIES`: the properties of each type whose
  change makes a new resource, as change sets report it;
- `services.cloudformation.stacks._runs_on_worker_thread`: which types may take their time;
- `services.cloudformation.stacks._sends_back_failed_update`: which types a rollback updates again
  although their own update failed;
- `services.cloudformation._stacks` and, in `stacks`, `_add_event`, `_update_resource`,
  `_provision_resource` and `_roll_back_operation`: to tell events as AWS does (`stack_events.py`),
  and to end a wait when its update is cancelled;
- `services.cloudformation.changesets._resolve_props_for_diff`: a change set lists no resource whose
  condition is false;
- `services.cloudformation.handlers._ACTION_HANDLERS` and, in `changesets`, `_find_change_set` and
  `_stack_region_context`: to tell the property values of a change set where they are asked for, and
  of a nested stack its parent;
- `core.responses._service_model` and `_BOTOCORE_NAME`: to load no model for its protocol's name;
- `services.cloudwatch._evaluate_alarm`: to judge the alarms of load balancers by ourselves;
- `core.iam_evaluator` and `core.iam_actions`: to judge every call by the policies of its key.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import partial
from types import ModuleType
from typing import Any, Protocol, cast
from urllib.parse import parse_qs, parse_qsl
from xml.sax.saxutils import escape

from .asgi import App, Connection
from .calls import Call
from .iam.enforcement import Judge
from .iam.questions import Question
from .scope import DEMO_ACCOUNT, DEMO_REGION, Scope
from .stack_events import Telling
from .wire.lazy_model import LazyModel

Properties = dict[str, Any]
Attributes = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Provisioned:
    """A resource as CloudFormation remembers it: what `!Ref` and `!GetAtt` give."""

    physical_id: str
    attributes: Attributes


class ResourceType(Protocol):
    """What CloudFormation does with one type; called on a worker thread, may wait.

    A failure is an exception whose text is the reason that the stack event shows.
    """

    @property
    def name(self) -> str:
        """`AWS::…::…`."""
        ...

    @property
    def create_only(self) -> tuple[str, ...]:
        """Properties whose change replaces the resource."""
        ...

    @property
    def reverts(self) -> bool:
        """Whether a rollback updates it back even when it was its own update that failed."""
        ...

    def create(
        self, scope: Scope, stack: str, logical_id: str, properties: Properties
    ) -> Provisioned:
        """Make the resource."""
        ...

    def update(
        self, scope: Scope, physical_id: str, old: Properties, new: Properties
    ) -> Provisioned:
        """Change it in place."""
        ...

    def delete(self, scope: Scope, physical_id: str, properties: Properties) -> None:
        """Remove it; already gone is success."""
        ...


class Engine(Protocol):
    """The rest of AWS."""

    app: App

    def adopt(self, types: Iterable[ResourceType]) -> None:
        """Let CloudFormation make these resource types through us."""
        ...

    def cancelled(self) -> str:
        """Why the resource under way must not be waited for; empty when it may.

        Of the thread that one of the adopted types was called on.
        """
        ...

    def amend(self, resource_type: str, change: Callable[[Attributes], Attributes]) -> None:
        """Change what `!GetAtt` gives for one of the engine's own resource types."""
        ...

    def leave_alarms(self, namespace: str) -> None:
        """Do not judge alarms of metrics of a namespace: somebody else sets their state."""
        ...

    def policies(self) -> Judge:
        """The users, roles and policies of its IAM."""
        ...


_CANCEL = "_cancel_requested"
"""On a stack's record: CancelUpdateStack was called, and nobody acted on it yet."""

_SETTINGS = {
    "BIND_HOST": "127.0.0.1",
    "LOG_LEVEL": "ERROR",
    "DOCKER_HOST": "unix:///nonexistent",
    "MINISTACK_ACCOUNT_ID": DEMO_ACCOUNT,
    "MINISTACK_REGION": DEMO_REGION,
    "IOT_MTLS_ENABLED": "0",
    "SFTP_ENABLED": "0",
    "PERSIST_STATE": "0",
    "S3_PERSIST": "0",
}


def open_engine(port: int) -> Engine:
    """Load the engine into this process; once per process, because its state is global.

    Its settings are environment variables that it reads while it is imported: loopback only, and a
    Docker host that does not exist, or it would run containers on any engine that it finds.

    Raises:
        ImportError: the `sandbox` extra is not installed.
    """
    os.environ.update(_SETTINGS, GATEWAY_PORT=str(port))
    # Without Docker's SDK it runs no container at all, and loads a tenth of a second sooner.
    sys.modules["docker"] = cast("ModuleType", None)
    with _parsing_yaml_in_c():
        import ministack.app
        from ministack.core import responses
        from ministack.services import cloudformation

    responses._service_model = partial(_model, responses._BOTOCORE_NAME)
    return _Ministack(cast("App", ministack.app.app), responses, cloudformation)


@contextmanager
def _parsing_yaml_in_c() -> Iterator[None]:
    """Templates are read by the class that is the safe loader while the engine is loaded."""
    import yaml

    before = yaml.SafeLoader
    yaml.SafeLoader = getattr(yaml, "CSafeLoader", before)  # type: ignore[misc]
    try:
        yield
    finally:
        yaml.SafeLoader = before  # type: ignore[misc]


def _model(names: Mapping[str, str], service: str) -> LazyModel | None:
    """What the engine asks of a service's model for every answer is which protocol it speaks."""
    try:
        return LazyModel(names.get(service, service))
    except LookupError:
        return None


_UNDER_WAY: ContextVar[tuple[str, str]] = ContextVar("resource_under_way", default=("", ""))
"""The stack whose resource this thread works on, and the word for what it does."""


class _Ministack:
    def __init__(self, app: App, responses: ModuleType, cloudformation: ModuleType) -> None:
        from ministack.services.cloudformation import changesets, handlers, provisioners, stacks

        self.app = app
        self._responses = responses
        self._handlers: dict[str, dict[str, Any]] = provisioners._RESOURCE_HANDLERS
        self._replacing: dict[str, tuple[str, ...]] = provisioners._REPLACING_PROPERTIES
        self._stacks = stacks
        self._records = cloudformation._stacks
        telling = Telling(stacks._add_event, self._record)
        for module in (stacks, handlers, changesets):
            module._add_event = telling.event
        self._tell_of_changes(telling, provisioners)
        self._compare_what_is_there(changesets)
        self._tell_property_values(changesets, handlers._ACTION_HANDLERS)
        self._tell_parents(handlers._ACTION_HANDLERS)
        self._roll_back_as_cancelled()

    def adopt(self, types: Iterable[ResourceType]) -> None:
        adopted = list(types)
        for each in adopted:
            self._handlers[each.name] = self._table_entry(each)
            self._replacing[each.name] = each.create_only
        self._also_true_for("_runs_on_worker_thread", {each.name for each in adopted})
        reverting = {each.name for each in adopted if each.reverts}
        self._also_true_for("_sends_back_failed_update", reverting)

    def cancelled(self) -> str:
        stack, doing = _UNDER_WAY.get()
        record = self._record(stack)
        asked = record.get("StackStatus") == "UPDATE_IN_PROGRESS" and record.get(_CANCEL)
        return f"Resource {doing} cancelled" if asked else ""

    def amend(self, resource_type: str, change: Callable[[Attributes], Attributes]) -> None:
        entry = self._handlers[resource_type]

        def amended(run: Callable[..., tuple[str, Attributes]]) -> Callable[..., Any]:
            def provision(*args: Any) -> tuple[str, Attributes]:
                physical_id, attributes = run(*args)
                return physical_id, change(attributes)

            return provision

        for verb in ("create", "update"):
            entry[verb] = amended(entry[verb])

    def leave_alarms(self, namespace: str) -> None:
        from ministack.services import cloudwatch

        evaluate: Callable[[dict[str, Any]], None] = cloudwatch._evaluate_alarm

        def unless_left(alarm: dict[str, Any]) -> None:
            # Its own judgement adds up all dimensions of a metric.
            if alarm.get("Namespace") != namespace:
                evaluate(alarm)

        cloudwatch._evaluate_alarm = unless_left

    def policies(self) -> Judge:
        return _Policies()

    def _table_entry(self, kind: ResourceType) -> dict[str, Any]:
        def create(logical_id: str, properties: Properties, stack: str) -> tuple[str, Attributes]:
            _UNDER_WAY.set((stack, "creation"))
            made = kind.create(self._scope(), stack, logical_id, properties)
            return made.physical_id, made.attributes

        def update(
            physical_id: str, old: Properties, new: Properties, stack: str
        ) -> tuple[str, Attributes]:
            _UNDER_WAY.set((stack, "update"))
            made = kind.update(self._scope(), physical_id, old, new)
            return made.physical_id, made.attributes

        def delete(physical_id: str, properties: Properties) -> None:
            _UNDER_WAY.set(("", "deletion"))  # which nobody can cancel
            kind.delete(self._scope(), physical_id, properties)

        return {"create": create, "update": update, "delete": delete}

    def _scope(self) -> Scope:
        return Scope(self._responses.get_account_id(), self._responses.get_region())

    def _record(self, stack: str) -> dict[str, Any]:
        record: dict[str, Any] = self._records.get(stack) or {}
        return record

    def _tell_of_changes(self, telling: Telling, provisioners: ModuleType) -> None:
        """Let `telling` know which resources an update really changes or makes.

        Of a nested stack's resource that does not change the engine forgets the attributes: they
        are remembered here, as the stack's outputs and other resources go on naming them.
        """
        update, create = provisioners._update_resource, provisioners._provision_resource
        attributes: dict[tuple[Scope, str, str], Any] = {}

        def updated(
            kind: str, physical_id: str, old: Properties, new: Properties, stack: str,
            logical_id: str | None = None, *rest: Any,
        ) -> Any:  # fmt: skip
            if old != new and logical_id is not None:
                telling.touches(stack, logical_id)
            where = (self._scope(), stack, logical_id or "")
            if old == new and not any(rest) and where in attributes:
                return physical_id, attributes[where]
            made = update(kind, physical_id, old, new, stack, logical_id, *rest)
            attributes[where] = made[1]
            return made

        def created(kind: str, logical_id: str, properties: Properties, stack: str) -> Any:
            telling.touches(stack, logical_id, creates=True)
            made = create(kind, logical_id, properties, stack)
            attributes[self._scope(), stack, logical_id] = made[1]
            return made

        modules: tuple[Any, ...] = (provisioners, self._stacks)
        for module in modules:
            module._update_resource = updated
            module._provision_resource = created

    def _compare_what_is_there(self, changesets: Any) -> None:
        """A resource with a condition that is false is in neither side of a change set."""
        resolve: Callable[..., dict[str, Any]] = changesets._resolve_props_for_diff
        conditions_of: Callable[..., dict[str, bool]] = changesets._evaluate_conditions

        def of_true_conditions(
            template: dict[str, Any], parameters: dict[str, Any], *rest: Any
        ) -> dict[str, Any]:
            resolved = resolve(template, parameters, *rest)
            if not resolved:
                return resolved
            conditions = conditions_of(template, parameters)
            kept = {
                name: resource
                for name, resource in resolved["Resources"].items()
                if conditions.get(resource.get("Condition", ""), True)
            }
            return {**resolved, "Resources": kept}

        changesets._resolve_props_for_diff = of_true_conditions

    def _tell_property_values(self, changesets: Any, actions: dict[str, Any]) -> None:
        """With `IncludePropertyValues` a change says what its resource is afterwards."""
        describe: Callable[[Any], tuple[int, dict[str, str], bytes]] = actions["DescribeChangeSet"]

        def described(params: Any) -> tuple[int, dict[str, str], bytes]:
            status, headers, body = describe(params)
            asked = changesets._p(params, "IncludePropertyValues").lower() == "true"
            named = (changesets._p(params, name) for name in ("ChangeSetName", "StackName"))
            _, found = changesets._find_change_set(*named)
            if not asked or status != 200 or not found:
                return status, headers, body
            stack, stack_id = self._record(found["StackName"]), found["StackId"]
            with changesets._stack_region_context(stack, stack_id):
                after = changesets._resolve_props_for_diff(
                    found["_template"], found["_resolved_params"], found["StackName"], stack_id
                )
            for change in found["Changes"]:
                name = change["ResourceChange"]["LogicalResourceId"]
                if resource := after["Resources"].get(name):
                    context = json.dumps({"Properties": resource.get("Properties") or {}})
                    mark = f"<LogicalResourceId>{name}</LogicalResourceId>"
                    told = f"{mark}<AfterContext>{escape(context)}</AfterContext>"
                    body = body.replace(mark.encode(), told.encode())
            return status, headers, body

        actions["DescribeChangeSet"] = described

    def _tell_parents(self, actions: dict[str, Any]) -> None:
        """A nested stack names the one that it is nested in."""
        describe: Callable[[Any], tuple[int, dict[str, str], bytes]] = actions["DescribeStacks"]

        def described(params: Any) -> tuple[int, dict[str, str], bytes]:
            status, headers, body = describe(params)
            for stack in self._records.values():
                if parent := stack.get("ParentId"):
                    mark = f"<StackId>{stack['StackId']}</StackId>"
                    told = f"{mark}<ParentId>{escape(parent)}</ParentId>"
                    body = body.replace(mark.encode(), told.encode())
            return status, headers, body

        actions["DescribeStacks"] = described

    def _roll_back_as_cancelled(self) -> None:
        """A wait that CancelUpdateStack ended goes back as what its user wanted, not as failed."""
        roll_back = self._stacks._roll_back_operation

        async def rolled_back(
            name: str, stack_id: str, stack: dict[str, Any], operation: dict[str, Any], *rest: Any
        ) -> None:
            if stack.pop(_CANCEL, False):
                operation["cancelled"] = True
            await roll_back(name, stack_id, stack, operation, *rest)

        self._stacks._roll_back_operation = rolled_back

    def _also_true_for(self, name: str, types: set[str]) -> None:
        known: Callable[[str], bool] = getattr(self._stacks, name)

        def answer(resource_type: str) -> bool:
            return resource_type in types or known(resource_type)

        setattr(self._stacks, name, answer)


@dataclass(frozen=True, slots=True)
class _Refused:
    principal: str
    explicit: bool


class _Policies:
    """See `Judge`. The engine's own switch for this (AUTH) would also check signatures."""

    def __init__(self) -> None:
        from ministack.core import iam_actions, iam_evaluator

        self._actions = iam_actions
        self._evaluator = iam_evaluator

    def limited(self, key_id: str, account: str) -> bool:
        found = self._evaluator.resolve_principal(key_id, account)
        return getattr(found, "policies", None) is not None

    def judge(self, key_id: str, account: str, region: str, question: Question) -> _Refused | None:
        if question.action == "sts:GetCallerIdentity":
            return None  # which AWS never refuses
        principal: Any = self._evaluator.resolve_principal(key_id, account)
        context = self._evaluator.EvalContext(
            principal_arn=principal.arn,
            principal_type=principal.type,
            principal_account=principal.account,
            action=question.action,
            resource_arn=question.resource,
            region=region,
            service_context=dict(question.context),
            principal_keys=principal.keys,
        )
        found = self._evaluator.evaluate(context, principal.policies, *principal.limits)
        if found.decision == "Allow":
            return None
        return _Refused(principal.arn, found.decision == "Deny")

    def action(
        self, call: Call, connection: Connection, headers: dict[str, str], body: bytes
    ) -> Call:
        if not call.action.startswith("/"):
            return call
        method, path = str(connection["method"]), str(connection["path"])
        named = self._actions.extract_iam_action(
            call.service, method, path, headers, body, _query(connection)
        )
        return replace(call, action=named.partition(":")[2]) if named else call

    def resource(
        self, call: Call, connection: Connection, headers: dict[str, str], body: bytes, region: str
    ) -> str:
        form = {n: [v] for n, v in parse_qsl(body.decode("latin-1"))} if call.is_form else {}
        found: str = self._actions.extract_resource_arn(
            call.service,
            str(connection["method"]),
            str(connection["path"]),
            headers,
            body,
            {**_query(connection), **form},
            region,
            call.account,
        )
        return found


def _query(connection: Connection) -> dict[str, list[str]]:
    return parse_qs(bytes(connection["query_string"]).decode("latin-1"), keep_blank_values=True)
