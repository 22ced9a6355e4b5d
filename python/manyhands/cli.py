"""The command `mh`: `mh info` says what there is to work with, `mh demo` shows what it is good for, `mh compile`
compiles functions ahead of time.

Each subcommand imports what it needs when it runs, so that `mh --help` answers at once.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command line. The exit status: 0, 1 (it failed), 2 (used wrongly), 130 (stopped by Ctrl-C)."""
    parsed = _parser().parse_args(arguments)
    try:
        return parsed.run(parsed)
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # Whoever read our output has seen enough (`mh info | head -3`). Python would complain once more at exit.
        sys.stdout = None
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mh", description="Parallel Python that gives the serial program's answer, sooner."
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and end")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    info = commands.add_parser(
        "info", help="cores, limits, Python and versions", description="Says what a program has to work with here."
    )
    info.set_defaults(run=_info)

    demo = commands.add_parser(
        "demo",
        help="real work, serial and on all cores",
        description=(
            "Counts the words of all Python sources of the standard library (or of your own texts) and correlates "
            "the ten commonest over 100 words of the biggest texts: in a plain loop, then with 1, 2, 4, … workers. "
            "Checks that all answers are equal, and says what was gained. About a minute on two cores."
        ),
    )
    demo.add_argument("--books", metavar="DIR", help="a folder of .txt files (UTF-8) to use as the texts")
    demo.add_argument("--workers", metavar="N", type=_positive, help="most workers to try (default: all cores)")
    demo.add_argument(
        "--output", metavar="DIR", default="demo-output", help="folder for the picture (default: %(default)s)"
    )
    demo.add_argument("--quick", action="store_true", help="a twentieth of the work, in seconds")
    demo.set_defaults(run=_demo)

    ahead = commands.add_parser(
        "compile",
        help="compile a module's functions ahead of time",
        description=(
            "Compiles the functions of a module for the signatures that they declare, as in "
            '@mh.jit("f8(f8[:], i8)"), and writes the objects beside it, into __mhcompiled__. Shipped with the module, '
            "they run where llvmlite is not installed; each machine takes those of the best target that it has."
        ),
    )
    ahead.add_argument("modules", metavar="MODULE.py", nargs="+", help="the files to compile; they are imported")
    ahead.add_argument(
        "--target",
        metavar="LEVEL,…",
        help="levels of x86-64 to compile for (default: x86-64,x86-64-v3,x86-64-v4)",
    )
    ahead.set_defaults(run=_compile)
    return parser


class _Version(argparse.Action):
    """`--version`, reading the installed version only when asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from ._info import version

        print(f"manyhands {version('manyhands') or 'from sources, not installed'}")
        parser.exit()


def _positive(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of workers: 1 or more")
    return number


def _info(parsed: argparse.Namespace) -> int:
    from ._info import report

    print(report(), flush=True)
    return 0


def _demo(parsed: argparse.Namespace) -> int:
    from . import demo

    try:
        demo.run(parsed.books, parsed.workers, parsed.output, parsed.quick)
    except demo.DemoError as error:
        print(f"mh demo: {error}", file=sys.stderr)
        return 1
    return 0


def _compile(parsed: argparse.Namespace) -> int:
    from . import _jit_ahead

    targets = tuple(parsed.target.split(",")) if parsed.target else _jit_ahead.TARGETS
    try:
        for module in parsed.modules:
            for line in _jit_ahead.compile_module(module, targets):
                print(line, flush=True)
    except (_jit_ahead.AheadError, ImportError, OSError) as error:
        print(f"mh compile: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
