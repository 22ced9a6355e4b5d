"""The command `mh`: `mh info` says what there is to work with, `mh demo` shows what it is good for, `mh compile`
compiles functions ahead of time, `mh scale` measures a command with several numbers of workers.

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

    scale = commands.add_parser(
        "scale",
        help="a command with several numbers of workers: did it pay off?",
        usage="mh scale [options] -- PROGRAM ... {workers} ... [{size}]",
        description=(
            "Runs a command with several numbers of workers, in random order, until times are known or the budget is "
            "spent: speed-up, efficiency, the law that they follow, what more workers would bring. {workers} and "
            "{size} in the command stand for the numbers; a Python file is run by the Python of mh."
        ),
        epilog="mh scale -w 1,2,4 -- simulate.py --jobs {workers}",
    )
    scale.add_argument(
        "-w", "--workers", metavar="N,…", type=_numbers, help="numbers of workers (by default up to the cores)"
    )
    scale.add_argument("--sizes", metavar="N,…", type=_numbers, help="sizes of the work, each with all workers")
    scale.add_argument(
        "--weak", action="store_true", help="the work grows with the workers: the first size with the first number, …"
    )
    scale.add_argument("--budget", metavar="TIME", default="60s", help="what all runs may take (default: %(default)s)")
    scale.add_argument("--plot", metavar="PATH", help="write the picture too: .png, .svg or .pdf (needs matplotlib)")
    scale.add_argument("command", metavar="PROGRAM ...", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    scale.set_defaults(run=_scale)
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


def _numbers(text: str) -> list[int]:
    return [_positive(part) for part in text.split(",")]


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


def _scale(parsed: argparse.Namespace) -> int:
    from . import _scaling_command

    command = parsed.command[1:] if parsed.command[:1] == ["--"] else parsed.command
    try:
        found = _scaling_command.measure(command, parsed.workers, parsed.sizes, parsed.weak, parsed.budget)
        print(_scaling_command.report(found, parsed.plot), flush=True)
    except (_scaling_command.CommandError, ImportError, OSError, ValueError) as error:
        print(f"mh scale: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
