"""The first image of a repository that is still to be made, as steps between two stacks."""

from __future__ import annotations

from bgconsole.domain.builds import Source
from bgconsole.domain.errors import NotThere
from bgconsole.domain.identity import Place
from bgconsole.operations.build import CONTEXT
from bgconsole.operations.image_steps import PUSHED, Making, image_steps
from bgconsole.operations.stack_templates import Feed
from bgconsole.operations.step import Bench, Step, Told


def first_image(feed: Feed, source: Source, place: Place) -> tuple[Step, Step]:
    """Build and push, once the stack that makes the repository tells where it is."""

    def part(number: int, bench: Bench) -> Told:
        uri = bench.gateway.stacks.stack(feed.stack).output(feed.output)
        if not uri:
            raise NotThere("No repository", f"the stack {feed.stack} has no {feed.output}")
        work = image_steps(_making(uri, source), place)[number].work
        if work is not None:
            yield from work(bench)

    shown = image_steps(_making("REPOSITORY_URI", source), place)
    return (
        Step(f"build {CONTEXT}", shown[0].command, work=lambda b: part(0, b), effect="prepares"),
        Step(
            f"push it to the repository of {feed.stack}",
            shown[1].command,
            work=lambda b: part(1, b),
            makes=PUSHED,
            effect="prepares",
        ),
    )


def _making(repository: str, source: Source) -> Making:
    tag = source.revision or "first"
    tag += "-dirty" if source.dirty else ""
    arguments = {"REVISION": tag} if "REVISION" in source.arguments else {}
    return Making(
        repository=repository,
        tags=(tag,),
        folder=source.folder,
        dockerfile=source.dockerfile,
        shown=CONTEXT,
        arguments=arguments,
        buildkit=bool(source.buildkit),
    )
