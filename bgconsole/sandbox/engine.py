"""The embedded engine (ministack) behind a Protocol: the only module that knows it.

It answers every AWS service that is not ours. Beside its ASGI app this module uses names that it
does not promise to keep; the version is pinned exactly, and `tests/contract` fails when one moves:

- `services.cloudformation.provisioners._RESOURCE_HANDLERS`: what creates each resource type;
- `services.cloudformation.provisioners._REPLACING_PROPERTIES`: the properties of each type whose
  change makes a new resource, as change sets report it;
- `services.cloudformation.stacks._runs_on_worker_thread`: which types may take their time;
- `services.cloudformation.stacks._sends_back_failed_update`: which types a rollback updates again
  although their own update failed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Protocol, cast

from .asgi import App
from .scope import DEMO_ACCOUNT, DEMO_REGION, Scope

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

    def amend(self, resource_type: str, change: Callable[[Attributes], Attributes]) -> None:
        """Change what `!GetAtt` gives for one of the engine's own resource types."""
        ...


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
    import ministack.app
    from ministack.core import responses
    from ministack.services.cloudformation import provisioners, stacks

    return _Ministack(cast("App", ministack.app.app), responses, provisioners, stacks)


class _Ministack:
    def __init__(
        self, app: App, responses: ModuleType, provisioners: ModuleType, stacks: ModuleType
    ) -> None:
        self.app = app
        self._responses = responses
        self._handlers: dict[str, dict[str, Any]] = provisioners._RESOURCE_HANDLERS
        self._replacing: dict[str, tuple[str, ...]] = provisioners._REPLACING_PROPERTIES
        self._stacks = stacks

    def adopt(self, types: Iterable[ResourceType]) -> None:
        adopted = list(types)
        for each in adopted:
            self._handlers[each.name] = self._table_entry(each)
            self._replacing[each.name] = each.create_only
        self._also_true_for("_runs_on_worker_thread", {each.name for each in adopted})
        reverting = {each.name for each in adopted if each.reverts}
        self._also_true_for("_sends_back_failed_update", reverting)

    def amend(self, resource_type: str, change: Callable[[Attributes], Attributes]) -> None:
        entry = self._handlers[resource_type]

        def amended(run: Callable[..., tuple[str, Attributes]]) -> Callable[..., Any]:
            def provision(*args: Any) -> tuple[str, Attributes]:
                physical_id, attributes = run(*args)
                return physical_id, change(attributes)

            return provision

        for verb in ("create", "update"):
            entry[verb] = amended(entry[verb])

    def _table_entry(self, kind: ResourceType) -> dict[str, Any]:
        def create(logical_id: str, properties: Properties, stack: str) -> tuple[str, Attributes]:
            made = kind.create(self._scope(), stack, logical_id, properties)
            return made.physical_id, made.attributes

        def update(
            physical_id: str, old: Properties, new: Properties, stack: str
        ) -> tuple[str, Attributes]:
            del stack
            made = kind.update(self._scope(), physical_id, old, new)
            return made.physical_id, made.attributes

        def delete(physical_id: str, properties: Properties) -> None:
            kind.delete(self._scope(), physical_id, properties)

        return {"create": create, "update": update, "delete": delete}

    def _scope(self) -> Scope:
        return Scope(self._responses.get_account_id(), self._responses.get_region())

    def _also_true_for(self, name: str, types: set[str]) -> None:
        known: Callable[[str], bool] = getattr(self._stacks, name)

        def answer(resource_type: str) -> bool:
            return resource_type in types or known(resource_type)

        setattr(self._stacks, name, answer)
