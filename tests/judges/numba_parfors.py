"""Runs numba's own tests of `prange` and of its parallel array expressions against `mh.jit`.

    python tests/judges/numba_parfors.py            ours is judged
    python tests/judges/numba_parfors.py numba      the judge judged: numba must pass its own tests

The tests are `TestPrangeBasic`, `TestPrangeSpecific`, `TestParforBasic`, `TestParforNumericalMisc`, `TestParforsSlice`
and `TestParforReductionSetNumThreads` of `numba.tests.test_parfors`, of the numba that is installed. They compile each
function twice, plainly and with `range` replaced by `prange` (numba patches the bytecode; here the source is rewritten,
which is what our compiler reads), and compare both with the interpreter.

What the tests ask for beyond what numba documents: nothing that is not the interpreter's answer. What a test asks of
numba's intermediate code is not asked of ours: scheduling calls, fastmath flags, counts of loops and allocations.
"""

from __future__ import annotations

import ast
import inspect
import os
import sys
import tempfile
import textwrap
import types
from pathlib import Path

os.environ["SUBPROC_TEST"] = "1"  # numba runs each of these classes in a process of its own, and asks for this there

import numba
import verdict
from numba.tests import test_parfors

import manyhands as mh

CLASSES = (
    "TestPrangeBasic",
    "TestPrangeSpecific",
    "TestParforBasic",
    "TestParforNumericalMisc",
    "TestParforsSlice",
    "TestParforReductionSetNumThreads",
)

LISTS = "builds lists, dicts or records, which are not in the language"
NUMBERS_OF_THREADS = "changes the number of threads from within the loop, and sums what it sees: no serial answer"
NUMBAS_ERROR = "asks for numba's AssertionError where NumPy raises ValueError, as ours does"
INSIDE = "is about numba's own intermediate code"
REFUSED = "asks that the loop is refused; ours gives the serial answer"

LEFT_OUT = {
    "TestParforBasic.test_simple01": INSIDE,
    "TestParforBasic.test_simple13": INSIDE,
    "TestParforBasic.test_simple20": INSIDE,
    "TestParforNumericalMisc.test_blackscholes": INSIDE,
    "TestParforNumericalMisc.test_logistic_regression": INSIDE,
    "TestPrangeSpecific.test_check_alias_analysis": INSIDE,
    "TestPrangeSpecific.test_prange_conflicting_reduction_ops": REFUSED,
    "TestPrangeSpecific.test_prange_raises_invalid_step_size": REFUSED,
    "TestPrangeSpecific.test_parfor_race_1": "asks for a warning of a race; ours gives the serial answer",
    "TestParforBasic.test_simple18": "takes singular values",
    "TestPrangeBasic.test_prange25": LISTS,
    "TestParforNumericalMisc.test_kmeans": LISTS,
    "TestPrangeSpecific.test_ssa_false_reduction": LISTS,
    "TestPrangeBasic.test_prange03div": "divides again and again: another order gives other digits than the serial loop, so ours refuses",
    "TestPrangeBasic.test_prange30": "writes slices that only the values of the arguments keep apart: ours refuses",
    "TestParforsSlice.test_parfor_slice27": "reads a sum while it grows: there is no serial answer in parallel, ours refuses",
    "TestParforsSlice.test_parfor_slice2": NUMBAS_ERROR,
    "TestParforsSlice.test_parfor_slice7": NUMBAS_ERROR,
    "TestPrangeSpecific.test_mutable_list_param": LISTS,
    "TestPrangeSpecific.test_list_comprehension_prange": LISTS,
    "TestPrangeSpecific.test_list_setitem_hoisting": LISTS,
    "TestPrangeSpecific.test_tuple_hoisting": LISTS,
    "TestPrangeSpecific.test_call_hoisting": LISTS,
    "TestPrangeSpecific.test_record_array_setitem": LISTS,
    "TestPrangeSpecific.test_record_array_setitem_yield_array": LISTS,
    "TestPrangeSpecific.test_argument_alias_recarray_field": LISTS,
    "TestParforReductionSetNumThreads.test_add": NUMBERS_OF_THREADS,
    "TestParforReductionSetNumThreads.test_mul": NUMBERS_OF_THREADS,
    "TestParforReductionSetNumThreads.test_max": NUMBERS_OF_THREADS,
}
"""Class.test: why it is not run. Each must exist."""


class Compiled:
    """What the tests take for numba's result of a compilation."""

    def __init__(self, function):
        self.entry_point = mh.jit(function)


class Judged:
    """Comes before numba's base class, and puts ours in."""

    def _compile_this(self, func, sig, **flags):
        return Compiled(func)

    def check_scheduling(self, cres, scheduler_type):
        """numba looks for its scheduler in the compiled text."""

    def assert_fastmath(self, pyfunc, sig):
        """numba looks for its flags in the compiled text."""

    def generate_prange_func(self, pyfunc, patch_instance):
        return with_prange(pyfunc, patch_instance)


class _Rewriting(ast.NodeTransformer):
    """`range` becomes `prange`: everywhere, or where it stands for the n-th time in the source."""

    def __init__(self, instances):
        self.instances = instances
        self.seen = 0

    def visit_Name(self, node):
        if node.id != "range":
            return node
        number = self.seen
        self.seen += 1
        if self.instances is not None and number not in self.instances:
            return node
        return ast.copy_location(ast.Name("prange", node.ctx), node)


def with_prange(function, instances):
    """The function with `prange`, from a source file of its own; what it closes over comes along as globals."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    tree = ast.fix_missing_locations(_Rewriting(instances).visit(tree))
    text = ast.unparse(tree) + "\n"
    path = Path(FOLDER.name) / f"rewritten_{len(os.listdir(FOLDER.name))}.py"
    path.write_text(text)
    known = dict(function.__globals__) | inspect.getclosurevars(function).nonlocals | {"prange": mh.prange}
    exec(compile(text, str(path), "exec"), known)
    rewritten = known[function.__name__]
    rewritten.__defaults__ = function.__defaults__
    return rewritten


FOLDER = tempfile.TemporaryDirectory()


class Anything:
    """How many loops and arrays numba makes of it."""

    def __eq__(self, other):
        return True

    __hash__ = None


def judged(case: type) -> type:
    """numba's test class with our compiler."""
    base = Judged if issubclass(case, test_parfors.TestParforsBase) else object
    return types.new_class(case.__name__, (case,) if base is object else (base, case))


def main() -> int:
    parser = verdict.options(__doc__)
    parser.add_argument("whose", nargs="?", choices=("ours", "numba"), default="ours")
    options = parser.parse_args()
    cases = {name: getattr(test_parfors, name) for name in CLASSES}
    left_out = {}
    if options.whose == "ours":
        left_out = LEFT_OUT
        cases = {name: judged(case) for name, case in cases.items()}
        test_parfors.njit = lambda *args, **flags: mh.jit(args[0]) if args and callable(args[0]) else mh.jit
        test_parfors.prange = numba.prange = mh.prange
        for name in ("countParfors", "countArrays", "countArrayAllocs", "countNonParforArrayAccesses"):
            setattr(test_parfors, name, lambda *args: Anything())
    return verdict.judge("tests of prange and parallel array expressions", cases, left_out, options, of="numba")


if __name__ == "__main__":
    sys.exit(main())
