"""Down: delete stacks, users before what they use; nothing is emptied unasked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from bgconsole.domain.artifacts import Bucket, Held
from bgconsole.domain.errors import BgconsoleError, GatewayError, NotThere
from bgconsole.domain.how_many import how_many
from bgconsole.domain.snapshot import Snapshot
from bgconsole.domain.stack_states import way_back
from bgconsole.domain.stacks import STACK, Stack, StackResource
from bgconsole.gateway.port import Gateway, Submitted
from bgconsole.operations.package_steps import clearing_fact, clearing_steps
from bgconsole.operations.spec import (
    Check,
    Evidence,
    Fact,
    No,
    Operation,
    Param,
    Params,
    Plan,
    Question,
    Risk,
    items_in,
    not_checked,
)
from bgconsole.operations.stack_package import PARAMETER, bucket_of, prefix_of
from bgconsole.operations.stack_templates import Template, folder_of, templates_in
from bgconsole.operations.step import Bench, Step, Told
from bgconsole.operations.words import command
from bgconsole.watch.stack_follow import follow_stack
from bgconsole.watch.telling import End, Note

_REPOSITORY = "AWS::ECR::Repository"
_BUCKET = "AWS::S3::Bucket"
_GONE = frozenset({"DELETE_COMPLETE"})
_TOLD = 100
"""Deleted objects between two words about them."""


@dataclass(frozen=True, slots=True)
class _Leaving:
    """One stack that is to go, and what is in it."""

    stack: Stack
    resources: tuple[StackResource, ...] = ()
    """Those of nested stacks too."""
    own: int = 0
    """How many of them are the stack's own."""
    images: Mapping[str, int] | None = None
    """Repository → images in it; None where that could not be read."""
    buckets: Mapping[str, Held | str] = field(default_factory=dict)
    """Bucket → what is in it, or why that could not be read."""
    unread: str = ""
    newest: datetime | None = None
    """When its last event so far was."""


@dataclass(frozen=True, slots=True)
class _Survey:
    """What was asked for, and what was found of it."""

    leaving: tuple[_Leaving, ...]
    strangers: tuple[str, ...]
    """Names of stacks that are not there."""
    templates: tuple[Template, ...]
    clearing: Mapping[str, Held]
    """The templates that stacks have in a bucket, by stack."""


_SURVEY = Question[_Survey]("survey")


def _gather(gateway: Gateway, snapshot: Snapshot, params: Params) -> Evidence:
    """What is in the stacks, and what would keep them."""
    present = snapshot.stacks.value or ()
    try:
        templates = templates_in(folder_of(params.get("templates", "")))
    except BgconsoleError:
        templates = ()  # a stack may be named without its template
    names = items_in(params)
    order = [template.stack for template in templates]
    wanted = set(names or order)
    rank = {name: number for number, name in enumerate(order)}
    chosen = sorted(
        (stack for stack in present if stack.name in wanted),
        key=lambda stack: rank.get(stack.name, len(rank)),
        reverse=True,
    )
    account = snapshot.identity.value.account if snapshot.identity.value else ""
    leaving = tuple(_look(gateway, stack, account) for stack in chosen)
    nests = {
        template.stack for template in templates if template.nested and template.stack in wanted
    }
    nests |= {each.stack.name for each in leaving if any(r.kind == STACK for r in each.resources)}
    clearing, missing = {}, {}
    for name in sorted(nests):
        try:
            held = _artifacts(gateway, name, snapshot, params)
        except BgconsoleError as error:
            missing[name] = error.detail or error.title
        else:
            if held.keys or (held.made_by_us and not held.others):
                clearing[name] = held
    strangers = sorted(set(names) - {stack.name for stack in chosen} - clearing.keys())
    survey = _Survey(leaving, tuple(strangers), templates, clearing)
    return Evidence({_SURVEY.name: survey}, missing)


def _artifacts(gateway: Gateway, name: str, snapshot: Snapshot, params: Params) -> Held:
    """What of a stack's templates is in its bucket; the stack itself knows best which that is."""
    present = {stack.name: dict(stack.parameters) for stack in snapshot.stacks.value or ()}
    own = present.get(name, {}).get(PARAMETER)
    wished = own or params.get("artifact-bucket", "")
    bucket = bucket_of(wished, snapshot.identity.value, snapshot.place)
    return gateway.artifacts.look(bucket, prefix_of(name))


def _inside(gateway: Gateway, resources: tuple[StackResource, ...]) -> Iterator[StackResource]:
    """What is in the stacks that are among these resources, however deep."""
    for each in resources:
        if each.kind == STACK and each.physical_id and each.status not in _GONE:
            found = gateway.stacks.resources(each.physical_id)
            yield from found
            yield from _inside(gateway, found)


def _look(gateway: Gateway, stack: Stack, account: str) -> _Leaving:
    try:
        own = gateway.stacks.resources(stack.arn)
        resources = (*own, *_inside(gateway, own))
        events = gateway.stacks.events(stack.arn, stack.changed_at)
        images = {
            each.physical_id: len(gateway.images.images(each.physical_id))
            for each in resources
            if each.kind == _REPOSITORY and each.physical_id
            and not each.status.startswith("DELETE_COMPLETE")
        }  # fmt: skip
    except NotThere:
        return _Leaving(stack, images={})
    except GatewayError as error:
        return _Leaving(stack, unread=error.brief)
    newest = events[0].at if events else stack.changed_at
    buckets = {
        each.physical_id: _content(gateway, Bucket(each.physical_id, account))
        for each in resources
        if each.kind == _BUCKET and each.physical_id and each.status not in _GONE
    }
    return _Leaving(stack, resources, len(own), images, buckets, newest=newest)


def _content(gateway: Gateway, bucket: Bucket) -> Held | str:
    """What is in a bucket; where that cannot be read, why: it keeps nothing else from being."""
    if not bucket.owner:
        return "the account is not known"
    try:
        return gateway.artifacts.look(bucket, "")
    except GatewayError as error:
        return error.detail or error.title


def _plan(snapshot: Snapshot, params: Params, evidence: Evidence | None) -> Plan | No:
    survey = evidence.answer(_SURVEY) if evidence else None
    if evidence is None or survey is None:
        return Plan("Delete the stacks", (), (Check("what is in the stacks", "checking"),), ())
    if survey.strangers:
        return No(f"There is no stack {', '.join(survey.strangers)} in {snapshot.place.region}.")
    leaving, templates, clearing = survey.leaving, survey.templates, survey.clearing
    names = ", ".join(each.stack.name for each in leaving)
    if not leaving and not clearing:
        return Plan("Nothing to do: none of the stacks is there", (), (), ())
    empties = params.get("empty") == "yes"
    account = snapshot.identity.value.account if snapshot.identity.value else ""
    checks = [
        check for each in leaving for check in _blocks(each, leaving, templates, snapshot, empties)
    ]
    checks += [
        not_checked(
            f"{name}: the bucket of its templates",
            why,
            f"; it stays until `bgconsole down {name}` can look at it",
        )
        for name, why in evidence.missing.items()
    ]
    clears = (
        step for name, h in clearing.items() for step in clearing_steps(name, h, snapshot.place)
    )
    gone = ", ".join(sorted(clearing))
    whole = f"Delete {names}, with all that is in {'it' if len(leaving) == 1 else 'them'}"
    return Plan(
        summary=whole if leaving else f"Delete the templates of {gone}, which is not there",
        facts=(
            *(_fact(each) for each in leaving),
            *(clearing_fact(name, held) for name, held in clearing.items()),
        ),
        checks=tuple(checks),
        steps=(*(step for each in leaving for step in _steps(each, snapshot)), *clears),
        confirm=leaving[0].stack.name if len(leaving) == 1 else account or "down",
        notes=tuple(_stays(leaving, templates)),
        before="; ".join(f"{each.stack.name} {each.stack.status}" for each in leaving),
        after="none of them",
        target=names or gone,
    )


def _fact(each: _Leaving) -> Fact:
    kinds = Counter(resource.kind.rpartition("::")[2] for resource in each.resources)
    words = ", ".join(f"{n} × {k}" if n > 1 else k for k, n in sorted(kinds.items()))
    many = sum(kinds.values())
    value = "delete, whatever is in it" if each.unread else f"delete {how_many(many, 'resource')}"
    return Fact(each.stack.name, value, aside=words, loud=True)


def _blocks(
    each: _Leaving,
    leaving: tuple[_Leaving, ...],
    templates: tuple[Template, ...],
    snapshot: Snapshot,
    empties: bool,
) -> Iterator[Check]:
    """What keeps a stack from being deleted."""
    stack = each.stack
    way = way_back(stack.status, stack.name)
    if stack.parent:
        yield _problem(stack, f"it is nested in {stack.parent.split('/')[-2]}: delete that")
    elif not way.deletes and stack.status != "DELETE_IN_PROGRESS":
        yield _problem(stack, f"it is {stack.status}; {way.words}")
    if stack.protected:
        yield _problem(stack, "its termination protection is on; switch it off first")
    if dict(stack.parameters).get("DeletionProtection") == "true":
        yield _problem(
            stack,
            f"DeletionProtection is on. First: bgconsole up {stack.name} DeletionProtection=false",
        )
    if each.images is None:
        yield not_checked(f"{stack.name}: what is in it", each.unread)
    for repository, count in (each.images or {}).items():
        if count and not empties:
            images = how_many(count, "image")
            yield _problem(stack, f"repository {repository} holds {images}; --empty deletes them")
    for bucket, held in each.buckets.items():
        if isinstance(held, str):
            yield not_checked(f"{stack.name}: whether bucket {bucket} is empty", held)
        elif held.keys and not empties:
            yield _problem(stack, f"bucket {bucket} holds {_objects(held)}; --empty deletes them")
    going = {other.stack.name for other in leaving}
    for user in _users(stack, templates, snapshot):
        if user not in going:
            yield _problem(stack, f"{user} uses what it made: delete {user} too")


def _problem(stack: Stack, words: str) -> Check:
    return Check(f"{stack.name}: {words}.", "problem")


def _users(stack: Stack, templates: tuple[Template, ...], snapshot: Snapshot) -> Iterator[str]:
    """Stacks that are there and have a value that this one gave, or import one."""
    present = {other.name: dict(other.parameters) for other in snapshot.stacks.value or ()}
    for template in templates:
        values = present.get(template.stack, {})
        fed = (n for n, feed in template.feeds.items() if feed.stack == stack.name)
        given = {value for _, value in stack.outputs}
        imports = template.stack in present and stack.name in template.after
        if imports or any(values.get(name) in given for name in fed):
            yield template.stack


def _stays(leaving: tuple[_Leaving, ...], templates: tuple[Template, ...]) -> Iterator[str]:
    known = {template.stack: template for template in templates}
    files = {template.file: template for template in templates}
    for each in leaving:
        template = known.get(each.stack.name)
        whose = [template, *(files.get(n) for n in template.nested.values())] if template else []
        if names := {name for one in whose if one for name in one.kept}:
            kept = ", ".join(sorted(names))
            yield (
                f"{each.stack.name}: of {kept} a snapshot, or all of it, stays and costs, as its "
                "DeletionPolicy says."
            )


def _steps(each: _Leaving, snapshot: Snapshot) -> Iterator[Step]:
    stack = each.stack
    for repository, count in (each.images or {}).items():
        if count:
            yield Step(
                f"delete the {how_many(count, 'image')} of {repository}",
                command(
                    f"ecr batch-delete-image --repository-name {repository} --image-ids …",
                    snapshot.place,
                ),
                _emptying(repository),
                effect="prepares",
            )

    for bucket, held in each.buckets.items():
        if not isinstance(held, str) and held.keys:
            yield Step(
                f"delete the {_objects(held)} in {bucket}",
                command(f"s3 rm --recursive s3://{bucket}", snapshot.place),
                work=partial(_clear, held),
                effect="prepares",
                go_on=lambda _: f"bgconsole down --empty {stack.name}",
            )

    def delete(gateway: Gateway, made: Mapping[str, str]) -> Submitted:
        del made
        return gateway.stack_changes.delete(stack.arn)

    def arrived(gateway: Gateway) -> bool:
        try:
            return gateway.stacks.stack(stack.arn).status.startswith("DELETE_")
        except NotThere:
            return True

    def follow(bench: Bench) -> Told:
        return follow_stack(
            bench.gateway, stack.arn, each.newest, bench.onlooker, total=each.own, good=_GONE
        )

    yield Step(
        f"delete the stack {stack.name}",
        command(f"cloudformation delete-stack --stack-name {stack.name}", snapshot.place),
        delete,
        arrived=arrived,
        go_on=lambda _: f"bgconsole down {stack.name}",
    )
    yield Step(
        f"follow {stack.name} until it is gone",
        work=follow,
        effect="looks",
        go_on=lambda _: f"bgconsole down {stack.name}",
    )


def _clear(held: Held, bench: Bench) -> Told:
    """One object after the other; the first request's id is on record, not each."""
    for number, key in enumerate(sorted(held.keys)):
        if bench.cancelled.is_set():
            yield End("stopped", f"Stopped: {number} of {_objects(held)} deleted.", bench.clock())
            return
        answer = bench.gateway.artifacts.remove(held.bucket, key)
        if number == 0:
            yield answer
        elif number % _TOLD == 0:
            yield Note(f"{number} of {_objects(held)} deleted")


def _objects(held: Held) -> str:
    return how_many(len(held.keys), "object")


def _emptying(repository: str) -> Callable[[Gateway, Mapping[str, str]], Submitted]:
    def empty(gateway: Gateway, made: Mapping[str, str]) -> Submitted:
        del made
        return gateway.stack_changes.empty_repository(repository)

    return empty


DOWN = Operation(
    id="stacks.down",
    title="Delete stacks",
    key="",
    help="Delete stacks in reverse order; says first what keeps them.",
    risk=Risk.DANGEROUS,
    allowed=lambda _: None,
    gather=_gather,
    plan=_plan,
    about="stacks",
    params=(
        Param("items", "Stacks; all that the templates make, where none is named", "STACK",
              many=True),
        Param(
            "empty",
            "Delete images of repositories and objects of buckets too, which keep their stack",
            flag=True,
        ),
        Param("templates", "The folder of the templates; ./cfn or the installed ones"),
        Param("artifact-bucket", "The bucket of nested templates; by account and region else"),
    ),
)  # fmt: skip
