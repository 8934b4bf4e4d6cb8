"""The artifact bucket in a plan: made and filled before a stack, emptied and deleted after it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from shlex import quote

from bgconsole.domain.artifacts import Held
from bgconsole.domain.errors import Rejected
from bgconsole.domain.how_many import how_many
from bgconsole.domain.identity import Place
from bgconsole.gateway.port import Gateway, Submitted
from bgconsole.operations.spec import Fact
from bgconsole.operations.stack_package import Package, prefix_of
from bgconsole.operations.step import Bench, Step, Told
from bgconsole.operations.words import command
from bgconsole.watch.telling import End, Note


def package_facts(package: Package) -> tuple[Fact, ...]:
    """Where the templates go, and which are not there yet."""
    held, missing = package.held, package.missing
    if not held.there:
        words = "will be made, private, encrypted, closed to the public"
    elif _unfinished(held):
        words = "is there, empty; will be private, encrypted, closed to the public"
    else:
        words = "is there" if held.made_by_us else "is there, not made by bgconsole; it will stay"
    if missing:
        which = f"{len(missing)} of {len(package.uploads)} to upload, by content hash"
    else:
        which = f"all {len(package.uploads)} are there already"
    return (
        Fact("artifact bucket", f"{held.bucket.name} {words}"),
        Fact(
            "  templates", which, decides=False, aside=", ".join(upload.file for upload in missing)
        ),
    )


def package_steps(package: Package, place: Place, again: str) -> tuple[Step, ...]:
    """Make the bucket where it is not there; upload what is not in it."""
    if not package.missing:
        return ()
    name = package.bucket.name
    uploading = Step(
        f"upload {how_many(len(package.missing), 'template')} to {name}",
        command(f"s3 cp FILE s3://{name}/{package.missing[0].key.rpartition('/')[0]}/", place),
        work=partial(_upload, package),
        effect="prepares",
        go_on=lambda _: again,
    )
    if package.held.there and not _unfinished(package.held):
        return (uploading,)

    def make(gateway: Gateway, made: Mapping[str, str]) -> Submitted:
        del made
        there = gateway.artifacts.look(package.bucket, "").there
        return gateway.artifacts.make(package.bucket, create=not there)

    making = Step(
        f"make the bucket {name}, private, encrypted, closed to the public",
        command(f"s3api create-bucket --bucket {quote(name)} …", place),
        make,
        effect="prepares",
        repeats=True,
        go_on=lambda _: again,
    )
    return (making, uploading)


def clearing_fact(stack: str, held: Held) -> Fact:
    """What of a bucket goes with its stack."""
    goes = f"{held.bucket.name}: delete {how_many(len(held.keys), 'template')} of {stack}"
    if not held.keys:
        return Fact("artifact bucket", f"{held.bucket.name}: empty, delete it", loud=True)
    if not held.made_by_us:
        return Fact("artifact bucket", f"{goes}; the bucket is not bgconsole's and stays")
    if held.others:
        return Fact("artifact bucket", f"{goes}; the bucket holds more and stays")
    return Fact("artifact bucket", f"{goes}, and the bucket", loud=True)


def clearing_steps(stack: str, held: Held, place: Place) -> Iterator[Step]:
    """Delete a stack's templates, and the bucket where it is ours and holds nothing else."""
    name = held.bucket.name
    go_on = f"bgconsole down {stack}"
    if held.keys:
        yield Step(
            f"delete {how_many(len(held.keys), 'template')} of {stack} in {name}",
            command(f"s3 rm --recursive s3://{name}/{prefix_of(stack)}", place),
            work=partial(_remove, stack, held),
            effect="prepares",
            go_on=lambda _: go_on,
        )
    if held.made_by_us and not held.others:
        yield Step(
            f"delete the bucket {name}",
            command(f"s3api delete-bucket --bucket {quote(name)}", place),
            work=partial(_drop, stack, held),
            effect="prepares",
            go_on=lambda _: go_on,
        )


def _upload(package: Package, bench: Bench) -> Told:
    """Those that are missing; what is there under its hash is the same.

    The first request's id is on record, not each: a receipt has eight lines.
    """
    for number, upload in enumerate(package.missing):
        if bench.cancelled.is_set():
            yield End("stopped", "Stopped while templates were uploaded.", bench.clock())
            return
        answer = bench.gateway.artifacts.put(package.bucket, upload.key, upload.body)
        if number == 0:
            yield answer
        yield Note(f"{upload.file} is {upload.key}")


def _remove(stack: str, held: Held, bench: Bench) -> Told:
    for number, key in enumerate(sorted(held.keys)):
        answer = bench.gateway.artifacts.remove(held.bucket, key)
        if number == 0:
            yield answer
    now = f"{stack} is gone, and its templates in {held.bucket.name}"
    yield End("reached", f"{now}.", bench.clock(), now=now)


def _drop(stack: str, held: Held, bench: Bench) -> Told:
    try:
        yield bench.gateway.artifacts.drop(held.bucket)
    except Rejected as error:
        if error.code != "BucketNotEmpty":
            raise
        now = (
            f"{stack} is gone; the bucket {held.bucket.name} stays: it holds something else by now"
        )
    else:
        now = f"{stack} is gone, and the bucket {held.bucket.name}"
    yield End("reached", f"{now}.", bench.clock(), now=now)


def _unfinished(held: Held) -> bool:
    """Whether it is as a making leaves it that was broken off."""
    return held.there and not (held.made_by_us or held.keys or held.others)
