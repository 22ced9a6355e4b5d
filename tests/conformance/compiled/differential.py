"""Random programs, run by the interpreter and compiled: equal values, equal exceptions, equal arrays.

    python differential.py                      programs for a minute
    python differential.py --seconds 600        for ten
    python differential.py --seed 1234          one program, with all that is known of it

The interpreter is the oracle. Python's ints grow where compiled ones raise OverflowError: a copy of the program that watches its own
ints says whether one has left 64 bits, and then that error is right, too.
"""

from __future__ import annotations

import argparse
import ast
import importlib.util
import math
import re
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import generator
import numpy as np

THREADS = (1, 2, 8)

#: Operations of the watched copy after which a case is left out: the interpreter would take too long.
PATIENCE = 60_000


class Outgrown(Exception):
    """An int of the program has left 64 bits."""


class TooLong(Exception):
    """The case is left out."""


@dataclass
class Outcome:
    """What a call did."""

    value: Any = None
    error: BaseException | None = None
    arrays: tuple = ()

    def __str__(self) -> str:
        if self.error is not None:
            return f"{type(self.error).__name__}: {self.error}"
        return f"{self.value!r}, arrays {self.arrays!r}"


class _Watching(ast.NodeTransformer):
    """Passes what operations and calls give to `_seen`."""

    def _wrapped(self, node: ast.expr) -> ast.expr:
        self.generic_visit(node)
        return ast.copy_location(ast.Call(ast.Name("_seen", ast.Load()), [node], []), node)

    visit_BinOp = visit_UnaryOp = visit_Call = _wrapped

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        if not isinstance(node.target, ast.Name):
            return self.generic_visit(node)
        value = ast.BinOp(ast.Name(node.target.id, ast.Load()), node.op, node.value)
        return self.visit(ast.copy_location(ast.Assign([node.target], value), node))


def watched(source: str, limit: int) -> Callable:
    """The program's kernel; raises Outgrown where an int of Python's leaves `limit` bits, sign included."""
    steps = 0

    def seen(value: Any) -> Any:
        nonlocal steps
        steps += 1
        if steps > PATIENCE:
            raise TooLong
        if type(value) is int and not -(1 << (limit - 1)) <= value < 1 << (limit - 1):
            raise Outgrown
        return value

    tree = ast.fix_missing_locations(_Watching().visit(ast.parse(source)))
    names: dict[str, Any] = {"_seen": seen}
    exec(compile(tree, "<watched>", "exec"), names)
    return names["kernel"]


def imported(source: str, folder: Path, name: str) -> Any:
    """The program as a module of its own, from a file."""
    path = folder / f"{name}.py"
    path.write_text(source, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def outcome(function: Callable, arguments: list) -> Outcome:
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            value = function(*arguments)
        except Exception as error:
            return Outcome(error=error)
    return Outcome(value, None, tuple(argument for argument in arguments if isinstance(argument, np.ndarray)))


def same(found: Any, expected: Any) -> bool:
    """Equal values of the same type; NaN is NaN, and zero has a sign."""
    if isinstance(expected, tuple):
        return isinstance(found, tuple) and len(found) == len(expected) and all(map(same, found, expected))
    if type(found) is not type(expected):
        return False
    if isinstance(expected, np.ndarray):
        if found.dtype != expected.dtype or found.shape != expected.shape:
            return False
        if expected.dtype.kind == "f":
            return np.array_equal(found, expected, equal_nan=True) and np.array_equal(
                np.signbit(found)[~np.isnan(found)], np.signbit(expected)[~np.isnan(expected)]
            )
        return np.array_equal(found, expected, equal_nan=expected.dtype.kind == "c")
    if isinstance(expected, (float, np.floating)):
        return (found == expected and math.copysign(1, found) == math.copysign(1, expected)) or both_nan(
            found, expected
        )
    return bool(found == expected) or (
        isinstance(expected, (complex, np.complexfloating)) and both_nan(found, expected)
    )


def both_nan(found: Any, expected: Any) -> bool:
    return bool(found != found and expected != expected)


def agree(found: Outcome, expected: Outcome) -> bool:
    if expected.error is not None or found.error is not None:
        if type(found.error) is not type(expected.error):
            return False
        return isinstance(expected.error, OverflowError) or message(found.error) == message(expected.error)
    return same(found.value, expected.value) and same(found.arrays, expected.arrays)


def outgrown(expected: Outcome) -> bool:
    """Whether an int that the interpreter gives has no place in 64 bits."""
    values = expected.value if isinstance(expected.value, tuple) else (expected.value,)
    return any(type(value) is int and not -(2**63) <= value < 2**63 for value in values)


def message(error: BaseException) -> str:
    """The first line (where the compiler has found the error, its place follows), without what differs among versions of Python."""
    return "by zero" if isinstance(error, ZeroDivisionError) else str(error).partition("\n")[0]


@dataclass
class Disagreement(Exception):
    source: str
    seed: int
    arguments: list
    threads: int
    found: Outcome
    expected: str

    def __str__(self) -> str:
        given = ", ".join(map(repr, self.arguments))
        return f"seed {self.seed}, {self.threads} threads\n\n{self.source}\nkernel({given})\n\nfound     {self.found}\nexpected  {self.expected}\n"


def check(program: generator.Program, seed: int, folder: Path, cases: int = 3) -> int:
    """Runs one program on some arguments; how many cases were compared. Raises Disagreement."""
    import manyhands as mh

    name = f"made_{abs(seed)}"
    module = imported(program.source, folder, name)
    compiled = mh.jit(module.kernel)
    compared = 0
    try:
        for case in range(cases):

            def fresh(case: int = case) -> list:
                return generator.arguments(program, seed * 1000 + case)

            expected = outcome(watched(program.source, 64), fresh())
            if isinstance(expected.error, TooLong):
                continue
            outgrown = isinstance(expected.error, Outgrown)
            wide = outcome(watched(program.source, 128), fresh()) if outgrown else expected
            for threads in THREADS:
                mh.set_num_threads(threads)
                found = outcome(compiled, fresh())
                fine = agree(found, wide) or (outgrown and isinstance(found.error, OverflowError))
                if not fine:
                    said = f"OverflowError, or {wide}" if outgrown else str(expected)
                    raise Disagreement(program.source, seed, fresh(), threads, found, said)
            compared += 1
    finally:
        del sys.modules[name]
    return compared


def smaller(found: Disagreement, program: generator.Program, folder: Path) -> Disagreement:
    """The same disagreement in fewer lines: lines, and what hangs on them, are taken out as long as something is wrong."""
    lines = program.source.split("\n")
    deadline = time.monotonic() + 30
    changed = True
    while changed and time.monotonic() < deadline:
        changed = False
        for start in range(len(lines) - 1, -1, -1):
            depth = len(lines[start]) - len(lines[start].lstrip())
            if not lines[start].strip() or lines[start].startswith(("def kernel", "import", "from")):
                continue
            if re.fullmatch(r" *w\d+ \+= 1", lines[start]):  # a loop's counter, without which it has no end
                continue
            end = start + 1
            while end < len(lines) and (not lines[end].strip() or len(lines[end]) - len(lines[end].lstrip()) > depth):
                end += 1
            candidates = [lines[:start] + lines[end:]]
            if end > start + 1 and depth:  # what hangs on it stays
                candidates.append(lines[:start] + [line[4:] for line in lines[start + 1 : end]] + lines[end:])
            if lines[start].strip().startswith("return ") and "," in lines[start]:
                head, _, rest = lines[start].partition("return ")
                parts = [part for part in rest.split(",") if part.strip()]
                candidates = [
                    [*lines[:start], f"{head}return {','.join(parts[:k] + parts[k + 1 :])},", *lines[end:]]
                    for k in range(len(parts))
                    if len(parts) > 1
                ]
            for candidate in candidates:
                tried = generator.Program("\n".join(candidate), program.parameters, program.layouts)
                try:
                    check(tried, found.seed, folder)
                except Disagreement as error:
                    if type(error.found.error) is type(found.found.error) and not nonsense(error.expected):
                        found, lines, changed = error, candidate, True
                        break
                except Exception:
                    continue
            if changed:
                break
    return found


def nonsense(expected: str) -> bool:
    return bool(re.match(r"(NameError|UnboundLocalError|SyntaxError|AttributeError)", expected))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, help="one program")
    parser.add_argument("--first", type=int, default=int(time.time()) * 1000, help="the first seed")
    parser.add_argument("--keep", type=int, default=5, help="disagreements after which it stops")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        deadline = time.monotonic() + options.seconds
        seed, programs, cases, wrong = options.first, 0, 0, 0
        while time.monotonic() < deadline and wrong < options.keep:
            seed = options.seed if options.seed is not None else seed + 1
            program = generator.generate(seed)
            try:
                cases += check(program, seed, folder)
            except Disagreement as error:
                wrong += 1
                print("-" * 100, smaller(error, program, folder), sep="\n", flush=True)
            programs += 1
            if options.seed is not None:
                print(program.source)
                break
        print(f"{programs} programs, {cases} cases, {wrong} disagreements")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
