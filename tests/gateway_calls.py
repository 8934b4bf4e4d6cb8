"""The calls that the gateway can make, read from its code: which IAM actions the console needs."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from botocore import xform_name

from bgconsole.sandbox.wire.models import service_model

FOLDER = Path(__file__).parents[1] / "bgconsole" / "gateway" / "aws"
PREFIX = {"elbv2": "elasticloadbalancing"}
"""Of IAM actions, where it is not the name of the client."""
WITHOUT_PERMISSION = {"sts:GetCallerIdentity"}
"""AWS answers these to every key."""
NO_CALLS = {"exceptions", "meta", "close", "get_waiter", "can_paginate"}


@dataclass(frozen=True)
class Made:
    """One place that makes a call."""

    action: str
    """`ecs:UpdateService`."""
    where: str
    """File and line."""
    write: bool


def calls() -> list[Made]:
    """Every call in the code of the gateway."""
    return [made for path in sorted(FOLDER.glob("*.py")) for made in _of_file(path)]


def unread() -> list[str]:
    """Places that take a client in a way that this module does not follow."""
    found = []
    for path in sorted(FOLDER.glob("*.py")):
        for function in _functions(ast.parse(path.read_text())):
            clients = {(n.lineno, s) for n, s, _ in _clients(function)}
            followed = {(line, service) for line, service, *_ in _uses(function)}
            found += [f"{path.name}:{line} ({service})" for line, service in clients - followed]
    return sorted(found)


def _of_file(path: Path) -> Iterator[Made]:
    for function in _functions(ast.parse(path.read_text())):
        for _, service, method, write, line in _uses(function):
            action = f"{PREFIX.get(service, service)}:{_operations(service)[method]}"
            if action not in WITHOUT_PERMISSION:
                yield Made(action, f"{path.name}:{line}", write)


def _functions(tree: ast.AST) -> Iterator[ast.AST]:
    """Outermost functions and methods, each with what is inside it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.Module):
            yield from (c for c in node.body if isinstance(c, ast.FunctionDef))


def _clients(function: ast.AST) -> Iterator[tuple[ast.Call, str, bool]]:
    """`….client("ecs", write=True)`: the node, the service, whether it writes."""
    for node in ast.walk(function):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "client"
            and node.args
            and isinstance(node.args[0], ast.Constant)
        ):
            write = any(k.arg == "write" and _true(k.value) for k in node.keywords)
            yield node, str(node.args[0].value), write


def _true(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is True


def _uses(function: ast.AST) -> Iterator[tuple[int, str, str, bool, int]]:
    """Line of the client, service, method, whether it writes, line of the call."""
    made = {id(node): (node.lineno, service, write) for node, service, write in _clients(function)}
    named: dict[str, tuple[int, str, bool]] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and id(node.value) in made:
            for target in node.targets:
                if isinstance(target, ast.Name):
                    named[target.id] = made[id(node.value)]
    for node in ast.walk(function):
        if not isinstance(node, ast.Attribute) or node.attr in NO_CALLS:
            continue
        client = made.get(id(node.value))
        if client is None and isinstance(node.value, ast.Name):
            client = named.get(node.value.id)
        if client is None:
            continue
        line, service, write = client
        if node.attr == "get_paginator":
            for method in _paginated(function, node):
                yield line, service, method, write, node.lineno
        else:
            yield line, service, node.attr, write, node.lineno


def _paginated(function: ast.AST, paginator: ast.Attribute) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and node.func is paginator:
            assert isinstance(node.args[0], ast.Constant), "a paginator is named in plain words"
            yield str(node.args[0].value)


@cache
def _operations(service: str) -> dict[str, str]:
    """From a client's method to the operation."""
    return {xform_name(name): name for name in service_model(service).operation_names}
