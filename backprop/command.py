"""How the commands of all three packages start and end: one parser, one set of exit codes, failures in one line."""

import argparse
import errno
import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn, TextIO

from backprop import __version__
from backprop.errors import BackpropError, OutputError

DONE, FINDING, WRONG_INPUT, FAULT, NO_OUTPUT, INTERRUPTED = 0, 1, 2, 70, 74, 130
"""Exit codes; 70 and 74 are those of BSD's sysexits.h, 130 is what shells give for Ctrl-C."""
_ERRORS_OF_OUTPUT = (
    *(errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF),
    *(errno.EROFS, errno.EACCES, errno.EPERM),
)
_OUR_PACKAGES = ("backprop", "mnist", "reports", "templates")


class Parser(argparse.ArgumentParser):
    """A parser that states what is wrong in one line instead of repeating the whole usage.

    Each command sets `run`, a function of the parsed options that returns an exit code or None. One that can be resumed
    after Ctrl-C sets `after_interrupt`, which says how.
    """

    def error(self, message: str) -> NoReturn:
        """Raise BackpropError for a wrong argument."""
        raise BackpropError(f"{message}; `{self.prog} --help` shows what is possible")

    def _print_message(self, message: str, file: Any = None) -> None:
        # argparse ignores it where the help can't be written.
        if file is sys.stdout:
            file.write(message)
        else:
            super()._print_message(message, file)


def new_parser(prog: str, description: str) -> Parser:
    """Return a parser with `--version`, whose description keeps its line breaks."""
    parser = Parser(prog=prog, description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--version", action="version", version=f"backprop-report {__version__}")
    return parser


def run_command(parser: Callable[[], Parser], arguments: Sequence[str] | None = None) -> int:
    """Parse the arguments, run the command they name, and return its exit code.

    0 done, 1 a finding, 2 wrong input, 70 a fault of ours, 74 output that could not be written, 130 Ctrl-C; all but
    0 and 1 print one line on standard error. A reader that has seen enough, as in `… | head`, ends it with 74 silently.
    """
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - for as long as the process lives
    if sys.stdout is None:
        return _fail(NO_OUTPUT, "error: standard output is closed: leave it open, or redirect it to a file")
    options = argparse.Namespace()
    try:
        parser().parse_args(arguments, options)
        code: int = options.run(options) or DONE
        sys.stdout.flush()
    except SystemExit as leaving:  # argparse, after --help or --version
        return _flush() or int(leaving.code or DONE)
    except KeyboardInterrupt:
        remedy = getattr(options, "after_interrupt", "run the same command again")
        return _fail(INTERRUPTED, f"\ninterrupted: {remedy}")
    except OutputError as error:
        return _fail(NO_OUTPUT, f"error: {error}")
    except BackpropError as error:
        return _flush() or _fail(WRONG_INPUT, f"error: {error}")
    except Exception as error:
        return _flush() or _fail(*_explain(error))
    return code


def _flush() -> int:
    """Write what is left of standard output; return 0, or 74 where that is not possible."""
    try:
        sys.stdout.flush()
    except OSError as cause:
        _discard(sys.stdout)
        return _fail(*_explain(cause))
    return DONE


def _discard(stream: TextIO) -> None:
    """Let the rest of a stream go nowhere: Python would try to write it once more at its end, and complain."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _explain(error: Exception) -> tuple[int, str]:
    """Return exit code and line for what no command expects: an output or a package that fails, or a fault of ours."""
    if isinstance(error, BrokenPipeError):
        return NO_OUTPUT, ""
    if isinstance(error, OSError) and error.errno in _ERRORS_OF_OUTPUT:
        return NO_OUTPUT, f"error: {OutputError(error.filename or 'the output', error)}"
    if isinstance(error, ModuleNotFoundError) and error.name and error.name.split(".")[0] not in _OUR_PACKAGES:
        remedy = "`make report` installs all into .venv; by hand, `pip install --editable '.[mnist,report]'`"
        return WRONG_INPUT, f"error: {error.name} is not installed: {remedy}"
    text = "".join(traceback.format_exception(error))
    reason = (str(error).splitlines() or [""])[0][:120]
    try:
        with tempfile.NamedTemporaryFile("w", prefix="backprop-", delete=False, encoding="utf-8") as file:
            file.write(text)
        where = f"please report it with {file.name}"
    except OSError:
        where = f"please report it ({text.strip().splitlines()[-2].strip()})"
    return FAULT, f"error: a fault of ours, {type(error).__name__} ({reason}): {where}"


def _fail(code: int, line: str) -> int:
    """Print a failure in one line, even where a name in it has line breaks, and return its exit code."""
    if line:
        try:
            print(line[:1] + line[1:].replace("\n", " "), file=sys.stderr)
        except OSError:
            _discard(sys.stderr)
    return code
