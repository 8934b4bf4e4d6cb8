"""Every operation of the catalogue as a sub-command; nothing about one of them is repeated."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta

import click

from bgconsole.cli.confirming import ask, confirmed_by_asking
from bgconsole.cli.context import Invocation, pass_invocation
from bgconsole.cli.durations import duration
from bgconsole.cli.global_options import OfSeveral, global_options
from bgconsole.cli.plan_lines import plan_lines
from bgconsole.cli.run_lines import run
from bgconsole.cli.target import service
from bgconsole.domain.errors import GatewayError, Refused
from bgconsole.domain.plain import plain
from bgconsole.domain.services import NO_SERVICE
from bgconsole.domain.snapshot import Snapshot
from bgconsole.operations.audit import AuditLog
from bgconsole.operations.outcome import PlanChanged
from bgconsole.operations.runner import Runner
from bgconsole.operations.several import several
from bgconsole.operations.spec import No, Operation, Param, Proposal, Risk, items_in
from bgconsole.watch.once import read, read_account, with_service


def command_of(operation: Operation) -> click.Command:
    """The sub-command of an operation."""

    @pass_invocation
    @global_options
    def command(
        invocation: Invocation,
        /,
        dry_run: bool,
        yes: bool,
        confirm: str | None,
        timeout: timedelta | None,
        **params: str | tuple[str, ...] | None,
    ) -> int:
        given = {
            name.replace("_", "-"): value if isinstance(value, str) else "\n".join(value)
            for name, value in params.items()
            if value
        }
        if len(invocation.services) > 1:
            asked = Asked(dry_run=dry_run, yes=yes, word=confirm)
            return _of_several(invocation, operation, given, timeout, asked)
        runner, proposal = _proposal(invocation, operation, given, timeout)
        drafts = _Drafts(runner, proposal)
        with drafts:
            if dry_run:
                _print(proposal, err=False)
                return 0
            _print(proposal, err=True)
            if not proposal.plan.steps:
                return 0
            was_asked = confirmed_by_asking(invocation, proposal, yes=yes, word=confirm)
            while True:
                try:
                    return run(runner, proposal, asked=was_asked)
                except PlanChanged as changed:
                    proposal = drafts.proposal = changed.proposal
                    _print(proposal, err=True, changed=changed.changed)
                    if not invocation.context.interactive():
                        raise
                    click.echo("The plan has changed since: this is the plan now.", err=True)
                    was_asked = ask(proposal)

    command.__doc__ = operation.help
    options: list[click.Parameter] = [
        click.Option(
            ["--dry-run"], is_flag=True, help="Print the plan, look everything up, change nothing."
        ),
        click.Option(["--yes"], is_flag=True, help="Confirm what is only disruptive."),
        click.Option(
            ["--confirm"],
            metavar="WORD",
            help="Confirm what is dangerous: the word that the plan asks for.",
        ),
        click.Option(
            ["--timeout"],
            type=duration,
            metavar="TIME",
            help="Stop waiting for the end after this long (30s, 10m, 2h); AWS goes on.",
        ),
        *map(_parameter, operation.params),
    ]
    kind = OfSeveral if operation.several else click.Command
    made = click.command(operation.command, kind, help=operation.help)(command)
    made.params = [*options, *made.params]
    return made


def _parameter(param: Param) -> click.Parameter:
    if param.many:
        return click.Argument([param.name], nargs=-1, metavar=f"[{param.default}]…")
    if param.argument:
        return click.Argument([param.name], required=False)
    told, name = f"{param.help}.", f"--{param.name}"
    if param.flag:
        return click.Option([name], is_flag=True, flag_value="yes", help=told)
    return click.Option([name], metavar="VALUE", help=told)


@dataclass(frozen=True, slots=True)
class Asked:
    """How the question was answered on the command line."""

    dry_run: bool
    yes: bool
    word: str | None


def _of_several(
    invocation: Invocation,
    operation: Operation,
    params: dict[str, str],
    timeout: timedelta | None,
    asked: Asked,
) -> int:
    """One plan over several services, confirmed once, run in the order shown.

    Raises:
        Refused: one of them cannot be done now, or it is not confirmed; nothing was done.
    """
    if "to" in params:
        raise Refused("Refused", "--to names a revision of one service, and several are named.")
    with ExitStack() as drafts:
        return _one_after_the_other(invocation, operation, params, timeout, asked, drafts)


def _one_after_the_other(
    invocation: Invocation,
    operation: Operation,
    params: dict[str, str],
    timeout: timedelta | None,
    asked: Asked,
    drafts: ExitStack,
) -> int:
    pairs: list[tuple[Runner, Proposal]] = []
    for name in invocation.services:
        pairs.append(_proposal(invocation.of(name), operation, params, timeout))
        drafts.enter_context(_Drafts(*pairs[-1]))
    whole = several(tuple(proposal for _, proposal in pairs))
    for number, proposal in enumerate(whole.proposals, 1):
        click.echo(f"{number} of {len(pairs)}", err=not asked.dry_run)
        _print(proposal, err=not asked.dry_run)
    if asked.dry_run:
        return 0
    confirmed_by_asking(invocation, whole, yes=asked.yes, word=asked.word)
    for number, (runner, proposal) in enumerate(pairs, 1):
        click.echo(f"{number} of {len(pairs)}: {plain(proposal.plan.summary)}", err=True)
        code = 1
        try:
            code = run(runner, proposal)
        finally:
            if code and (left := whole.left(number)):
                click.echo(f"bgconsole: {plain(left)}", err=True)
        if code:
            return code
    return 0


class _Drafts:
    """Takes back what was drafted for a plan, however its command ends."""

    def __init__(self, runner: Runner, proposal: Proposal) -> None:
        self._runner = runner
        self.proposal = proposal

    def __enter__(self) -> None:
        """Nothing was drafted here."""

    def __exit__(self, *_: object) -> None:
        """Tell what stays, where it could not be taken back."""
        try:
            self._runner.discard(self.proposal)
        except GatewayError as error:
            click.echo(f"bgconsole: a draft could not be deleted: {plain(str(error))}", err=True)


def _proposal(
    invocation: Invocation, operation: Operation, params: dict[str, str], timeout: timedelta | None
) -> tuple[Runner, Proposal]:
    """The plan with everything looked up.

    Raises:
        Refused: it cannot be done now.
        GatewayError: the service could not be read.
    """
    context, settings = invocation.context, invocation.settings
    gateway = context.connect(settings)
    of_stacks = operation.about == "stacks"
    ref = NO_SERVICE if of_stacks else service(gateway, settings)
    stacks = tuple(item for item in items_in(params) if "=" not in item)
    why = settings.why_no_stacks(stacks) if of_stacks else settings.why_read_only(ref)
    paths = context.paths()
    runner = Runner(
        gateway,
        audit=AuditLog(paths.audit),
        clock=context.clock,
        surface="cli",
        risks={name: Risk(level) for name, level in settings.risk.items()},
        defaults=settings.params,
        read_only=why,
        no_stacks=settings.why_no_stacks,
        locks=paths.locks,
        give_up_after=timeout,
        wait=context.wait,
    )
    if not runner.offers(operation):
        raise Refused("Refused", why)
    if of_stacks:
        snapshot = read_account(gateway, context.clock)
    else:
        snapshot = with_service(read(gateway, ref, context.clock, operation.sources))
    proposal = _asked_for(invocation, runner, operation, snapshot, params)
    if isinstance(proposal, No):
        raise _refused(operation, proposal)
    return runner, proposal


def _asked_for(
    invocation: Invocation,
    runner: Runner,
    operation: Operation,
    snapshot: Snapshot,
    params: dict[str, str],
) -> Proposal | No:
    """The plan with everything looked up; secret values that it lacks are asked for."""
    proposal = runner.propose(operation, snapshot, params)
    if isinstance(proposal, Proposal):
        proposal = runner.gather(proposal)
    if isinstance(proposal, Proposal):
        proposal = runner.look_aside(proposal)
    if isinstance(proposal, No) and proposal.secrets and invocation.context.interactive():
        asked = {
            f"secret-{name}": click.prompt(f"{name} (not shown)", hide_input=True, err=True)
            for name in proposal.secrets
        }
        return _asked_for(invocation, runner, operation, snapshot, {**params, **asked})
    return proposal


def _refused(operation: Operation, no: No) -> Refused:
    choices = [f"{value:<14} {words}" for value, words in no.choices]
    detail = "\n".join((no.reason, *choices))
    only = no.choices[0][0] if len(no.choices) == 1 else ""
    typed = f"bgconsole {operation.command} {_typed(operation, no.param, only)}"
    hint = typed if choices else no.command
    return Refused(f"{operation.title} is refused", detail, hint)


def _typed(operation: Operation, name: str, value: str = "") -> str:
    """How a parameter is given on the command line: as its usage line spells it, or so."""
    if any(param.argument and param.name == name for param in operation.params):
        return value or name.upper()
    return f"--{name} {value or 'VALUE'}"


def _print(proposal: Proposal, *, err: bool, changed: Collection[str] = ()) -> None:
    click.echo("\n".join(plan_lines(proposal, changed)), err=err)
