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
NAMED = {
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:PutBucketEncryption": "s3:PutEncryptionConfiguration",
    "s3:PutPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
}
"""IAM actions whose name is not the operation's (S3's service authorization reference)."""
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
        tree = ast.parse(path.read_text())
        for function in _functions(tree):
            clients = {(n.lineno, s) for n, s, _ in _clients(function)}
            uses = [*_uses(function), *_handed_on(tree, function)]
            followed = {(line, service) for line, service, *_ in uses}
            found += [f"{path.name}:{line} ({service})" for line, service in clients - followed]
    return sorted(found)


def _of_file(path: Path) -> Iterator[Made]:
    tree = ast.parse(path.read_text())
    for function in _functions(tree):
        for _, service, method, write, line in (*_uses(function), *_handed_on(tree, function)):
            action = f"{PREFIX.get(service, service)}:{_operations(service)[method]}"
            action = NAMED.get(action, action)
            if action not in WITHOUT_PERMISSION:
                yield Made(action, f"{path.name}:{line}", write)


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef]:
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


def _handed_on(
    tree: ast.AST, function: ast.FunctionDef
) -> Iterator[tuple[int, str, str, bool, int]]:
    """Of a function that gives its client to what it was given: `send(….client("ecs"))`.

    Then every lambda in the file that is given to that function uses the client.
    """
    made = {id(node): (node.lineno, service, write) for node, service, write in _clients(function)}
    parameters = {argument.arg for argument in function.args.args}
    for node in ast.walk(function):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            continue
        if node.func.id not in parameters or not node.args or id(node.args[0]) not in made:
            continue
        line, service, write = made[id(node.args[0])]
        for given in _lambdas_for(tree, function.name):
            for use in ast.walk(given.body):
                if (
                    isinstance(use, ast.Attribute)
                    and isinstance(use.value, ast.Name)
                    and use.value.id == given.args.args[0].arg
                ):
                    yield line, service, use.attr, write, use.lineno


def _lambdas_for(tree: ast.AST, function: str) -> Iterator[ast.Lambda]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == function:
            yield from (arg for arg in node.args if isinstance(arg, ast.Lambda) and arg.args.args)


def _paginated(function: ast.AST, paginator: ast.Attribute) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and node.func is paginator:
            assert isinstance(node.args[0], ast.Constant), "a paginator is named in plain words"
            yield str(node.args[0].value)


@cache
def _operations(service: str) -> dict[str, str]:
    """From a client's method to the operation."""
    return {xform_name(name): name for name in service_model(service).operation_names}
