"""Kernels with a mark each: what is known of their races, and with which arguments they are called.

A kernel is a plain Python function of one of the modules here. `clean`, `racy` and `guarded` write it down and give it back as it
is. Arguments come from a builder: size in, a fresh tuple out, the same for the same size.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

FLAT = (0, 1, 2, 3, 7, 64, 5001)
"""Sizes for one loop: none, one, few, odd; the last is cut into three blocks."""

SQUARE = (0, 1, 2, 3, 8, 23)
"""Sizes for two nested loops."""

CUBE = (0, 1, 2, 3, 9)
"""Sizes for three and more."""

MODULES = (
    "clean_elements",
    "clean_scalars",
    "clean_ends",
    "clean_scratch",
    "clean_reductions",
    "clean_accumulating",
    "clean_grids",
    "clean_programs",
    "clean_helpers",
    "racy_elements",
    "racy_scalars",
    "racy_scratch",
    "racy_grids",
    "racy_helpers",
    "guarded",
)


@dataclass(frozen=True)
class Kernel:
    """One function and its mark."""

    mark: str
    """`clean`: compiles, and gives the serial answer. `racy`: is refused, at a line that says `# race`. `guarded`: it depends on the
    arguments; is refused, or gives the serial answer for all of them."""

    function: Callable
    builders: tuple[Callable[[int], tuple], ...]
    sizes: tuple[int, ...]
    close: bool
    """The answer holds a sum of floats, or comes from a library function: equal for any number of threads, and close to Python's."""

    @property
    def name(self) -> str:
        return f"{self.function.__module__}.{self.function.__name__}"

    def racy_lines(self) -> set[int]:
        """Lines of the file that are marked: the kernel's own, and those of the helpers, which stand above all kernels."""
        lines, _ = inspect.getsourcelines(inspect.getmodule(self.function))
        own, first = inspect.getsourcelines(self.function)
        helpers = next(number for number, line in enumerate(lines, 1) if line.startswith("@"))
        marked = {number for number, line in enumerate(lines, 1) if "# race" in line}
        return {number for number in marked if number < helpers or first <= number < first + len(own)}


_found: list[Kernel] = []


def kernels(*marks: str) -> list[Kernel]:
    """All kernels that have one of the marks."""
    for module in MODULES:
        importlib.import_module(module)
    return [kernel for kernel in _found if kernel.mark in marks]


def _marked(mark: str, builders: tuple, sizes: tuple, close: bool) -> Callable[[Callable], Callable]:
    def note(function: Callable) -> Callable:
        _found.append(Kernel(mark, function, builders, sizes, close))
        return function

    return note


def clean(*builders: Callable, sizes: tuple = FLAT, close: bool = False) -> Callable:
    """Compiles without `unchecked`, and gives the serial answer."""
    return _marked("clean", builders, sizes, close)


def racy(builder: Callable) -> Callable:
    """Is refused, whatever the arguments of these types are."""
    return _marked("racy", (builder,), (8,), False)


def guarded(*builders: Callable, sizes: tuple = FLAT) -> Callable:
    """Races for some arguments: is refused, or finds out when it is called."""
    return _marked("guarded", builders, sizes, False)


def random(n: int) -> np.random.Generator:
    return np.random.default_rng(n + 12345)


def floats(*shape: int, seed: int = 0) -> np.ndarray:
    """Uniform in [-1, 1), no two alike."""
    return random(seed).uniform(-1, 1, shape)


def wholes(*shape: int, seed: int = 0) -> np.ndarray:
    """Small whole numbers as floats: their sums are exact in any order."""
    return random(seed).integers(-50, 50, shape).astype(float)


def ints(*shape: int, low: int = -50, high: int = 50, seed: int = 0) -> np.ndarray:
    return random(seed).integers(low, max(high, low + 1), shape)


def order(n: int, seed: int = 0) -> np.ndarray:
    """The numbers below n, shuffled."""
    return random(seed).permutation(n)


def one(n: int) -> tuple:
    return (floats(n, seed=1),)


def two(n: int) -> tuple:
    return (floats(n, seed=1), floats(n, seed=2))


def three(n: int) -> tuple:
    return (floats(n, seed=1), floats(n, seed=2), floats(n, seed=3))


def whole(n: int) -> tuple:
    return (wholes(n, seed=1),)


def one_int(n: int) -> tuple:
    return (ints(n, seed=1),)


def size(n: int) -> tuple:
    return (n,)


def grid(n: int) -> tuple:
    return (floats(n, n, seed=1),)


def two_grids(n: int) -> tuple:
    return (floats(n, n, seed=1), floats(n, n, seed=2))


def three_grids(n: int) -> tuple:
    return (floats(n, n, seed=1), floats(n, n, seed=2), floats(n, n, seed=3))


def wide(n: int) -> tuple:
    """Not square: n rows of n + 2."""
    return (floats(n, n + 2, seed=1), floats(n, n + 2, seed=2))


def keys(n: int) -> tuple:
    """Counts of ten, and n places in them."""
    return (np.zeros(10, dtype=np.int64), ints(n, low=0, high=10, seed=1))


def weighted_keys(n: int) -> tuple:
    return (np.zeros(10), ints(n, low=0, high=10, seed=1), wholes(n, seed=2))


def shuffled(n: int) -> tuple:
    """Output, input, a permutation."""
    return (np.zeros(n), floats(n, seed=1), order(n, seed=2))


def repeated(n: int) -> tuple:
    """Output, input, places of which many are the same."""
    return (np.zeros(n), floats(n, seed=1), ints(n, low=0, high=max(n // 3, 1), seed=2) if n else order(0))
