"""How the command line ends: every error as title, detail and hint, and its exit code."""

from __future__ import annotations

import errno
import io
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TextIO

import click

from bgconsole.config.paths import Paths, write_private
from bgconsole.domain.errors import BgconsoleError, NoCredentials
from bgconsole.domain.exit_codes import EXIT_BUG, EXIT_INTERRUPTED, EXIT_PIPE_CLOSED
from bgconsole.domain.masking import mask
from bgconsole.domain.plain import plain, plain_lines

_UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""What a write to an open file ends with where the disk takes no more."""


def run(group: click.Group, arguments: Sequence[str], paths: Callable[[], Paths]) -> int:
    """Run a command and give its exit code; never a traceback on the screen.

    Args:
        group: the command line.
        arguments: without the program's name.
        paths: where a crash log would be written.
    """
    sys.stdout = stdout = _writing_whole(sys.stdout)
    try:
        code = group.main(list(arguments), prog_name="bgconsole", standalone_mode=False)
        if stdout is not None:  # the shell may have closed it
            stdout.flush()
    except SystemExit:
        if sys.stdout is not stdout:  # click met the closed pipe first, and muffled what follows
            return EXIT_PIPE_CLOSED
        raise
    except BrokenPipeError:
        _let_go(stdout)
        return EXIT_PIPE_CLOSED
    except OSError as error:
        if error.errno not in _UNWRITABLE or error.filename is not None:
            return _tell(error, paths)
        _let_go(stdout)
        return _tell(_unwritten(error), paths)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the program's outermost line
        return _tell(error, paths)
    return code if isinstance(code, int) else 0


def _writing_whole(stream: TextIO) -> TextIO:
    """The same, where each write goes out whole or raises.

    Without a buffer (PYTHONUNBUFFERED, `python -u`) Python forgets what a write(2) left over, so
    that a reader that went away, or a disk that took half, would pass for success.
    """
    raw = getattr(stream, "buffer", None)
    if not isinstance(raw, io.RawIOBase):
        return stream
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=True,
    )


def _let_go(stream: TextIO) -> None:
    """Python flushes stdout once more at its end: let that go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _unwritten(error: OSError) -> BgconsoleError:
    return BgconsoleError("The output could not be written", error.strerror or str(error))


def _tell(error: BaseException, paths: Callable[[], Paths]) -> int:
    if isinstance(error, click.Abort | KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        return EXIT_INTERRUPTED
    if isinstance(error, click.ClickException):
        error.show(file=sys.stderr)
        return error.exit_code
    if isinstance(error, BgconsoleError):
        say(error)
        return error.exit_code
    # Without the values of variables: they may be anybody's secrets.
    file = write_crash_report("".join(traceback.format_exception(error)), paths())
    where = (
        f"its report is in {file}" if file else f"its report could not be kept in {paths().crashes}"
    )
    click.echo(f"bgconsole: a bug: {type(error).__name__}\n  {where}", err=True)
    return EXIT_BUG


def say(error: BgconsoleError) -> None:
    """Tell an error on stderr: what happened, to what, what to do next."""
    lines = [f"bgconsole: {error.title}"]
    if isinstance(error, NoCredentials) and error.tried:
        lines += [f"  tried: {plain(tried)}" for tried in error.tried]
    elif error.detail:
        lines += [f"  {line}" for line in plain_lines(error.detail)]
    if error.hint:
        lines += [f"  → {line}" for line in plain_lines(error.hint)]
    click.echo("\n".join(mask(line) for line in lines), err=True)


def write_crash_report(report: str, paths: Paths) -> str:
    """Keep a report of a bug for its owner alone, secrets masked.

    Gives the file's path, or empty where it could not be written.
    """
    file = paths.crashes / f"crash-{datetime.now():%Y%m%d-%H%M%S}-{os.getpid()}.log"
    try:
        write_private(file, mask(report))
    except OSError:
        return ""
    return str(file)
