"""`explain`: what became of a compiled function, as its user reads it."""

import io
import math

import numpy as np
import pytest

import manyhands as mh


@mh.jit
def integrate(x0, x1, n):
    dx = (x1 - x0) / (n - 1)
    tot = 0.0
    for i in mh.prange(1, n - 1):
        tot += math.exp(x0 + i * dx)
    return tot * dx


@mh.jit
def gathered(x, places, out):
    for i in mh.prange(len(x)):
        out[places[i]] += x[i] * 2.0


@mh.jit
def scaled(x, out, factor):
    for i in range(len(x)):
        out[i] = x[i] * factor


def rows(function, signature=None):
    return [line for line in str(function.explain(signature)).splitlines() if line]


def row(function, part):
    (found,) = [line for line in rows(function) if part in line and "|" in line]
    return found


def test_types_stand_beside_their_lines():
    integrate(0.0, 1.0, 10)
    assert rows(integrate)[0] == "integrate(float, float, int)"
    assert "x0: float, x1: float, n: int" in row(integrate, "def integrate")
    assert row(integrate, "dx =").endswith("dx: float")
    assert "i: int; in parallel" in row(integrate, "mh.prange")


def test_reductions_and_the_way_they_are_made():
    integrate(0.0, 1.0, 10)
    assert "    tot: added up, in 32 lanes of each block" in rows(integrate)


def test_arrays_that_are_gathered_in_and_bounds_that_are_looked_at_each_time():
    gathered(np.ones(9), np.arange(9) % 3, np.zeros(3))
    text = rows(gathered)
    assert "    out: added up element by element, in a copy for each block" in text
    assert any("bounds: looked at once, before the loop" in line and "`x[i]`" in line for line in text)
    assert any("bounds: looked at at each turn" in line and "out[places[i]]" in line for line in text)


def test_vectors_are_seen_in_the_machine_code():
    scaled(np.ones(9), np.ones(9), 2.0)
    assert "float64 at a time" in row(scaled, "out[i] =")
    assert any(line.startswith("    vectors: ") and "float64" in line for line in rows(scaled))


def test_iterations_side_by_side_are_told_once():
    @mh.jit
    def pulls(x, y, out):
        for i in mh.prange(len(x)):
            s = 0.0
            for j in range(len(y)):
                s += abs(x[i] - y[j])
            out[i] = s

    @mh.jit
    def rows_of(A, x, out):
        for i in range(A.shape[0]):
            s = 0.0
            for j in range(A.shape[1]):
                s += A[i, j] * x[j]
            out[i] = s

    pulls(np.ones(9), np.zeros(9), np.zeros(9))
    rows_of(np.ones((9, 9)), np.ones(9), np.zeros(9))
    for function, count in ((pulls, 8), (rows_of, 4)):
        text = rows(function)
        assert text.count(f"    {count} iterations side by side, where there are so many") == 1
        assert sum(line.startswith("line ") for line in text) == 2 and not any(
            "is there after" in line for line in text
        )


def test_a_chain_has_no_vectors():
    @mh.jit
    def chain(x):
        y = 0.5
        for i in range(len(x)):
            y = math.sqrt(y + x[i])
        return y

    chain(np.ones(9))
    assert "    no vectors: one number at a time" in rows(chain)


def test_a_loop_on_one_thread_says_so():
    @mh.jit(parallel=False)
    def alone(x):
        s = 0.0
        for i in mh.prange(len(x)):
            s += x[i]
        return s

    alone(np.ones(3))
    assert "on one thread" in row(alone, "mh.prange")
    assert any("prange on one thread" in line for line in rows(alone))


def test_helpers_have_their_own_lines():
    def square(x):
        return x * x

    @mh.jit
    def squares(x, out):
        for i in mh.prange(len(x)):
            out[i] = square(x[i])

    squares(np.ones(9), np.zeros(9))
    text = str(squares.explain())
    assert "in squares" in text.replace("test_helpers_have_their_own_lines.<locals>.", "") and "return x * x" in text


def test_each_signature_is_explained_on_its_own():
    scaled(np.ones(9), np.ones(9), 2.0)
    scaled(np.ones(9, np.float32), np.ones(9, np.float32), np.float32(2))
    wide, narrow = (next(one for one in scaled.signatures if kind in one) for kind in ("float64", "float32"))
    assert "float64" in rows(scaled, wide)[0] and "float32" in rows(scaled, narrow)[0]
    with pytest.raises(TypeError, match="was not compiled for"):
        scaled.explain("(str)")


def test_plain_loops_say_why_they_are_not_shared():
    scaled(np.ones(9), np.ones(9), 2.0)
    (reason,) = [line for line in rows(scaled) if "plain `for`" in line]
    assert "mh.prange" in reason


def test_array_expressions_say_what_is_done_in_one_loop():
    @mh.jit
    def made(a, b):
        e = np.sqrt(a) * 2 + b
        s = np.sum(e * e)
        return e, s

    made(np.ones(9), np.ones(9))
    text = rows(made)
    assert "    an array expression: its 3 operations are done in one loop, with no arrays between them" in text
    assert "    an array expression: its 2 operations are done in one loop, with no arrays between them" in text
    assert any(line.startswith("    e: stored past the caches") for line in text)
    assert any(line.startswith("    s: added up") for line in text)


def test_a_parallel_loop_inside_another_says_so():
    @mh.jit
    def doubled(A):
        for i in mh.prange(A.shape[0]):
            for j in mh.prange(A.shape[1]):
                A[i, j] *= 2

    doubled(np.ones((3, 4)))
    assert row(doubled, "for i").endswith("i: int; in parallel")
    assert row(doubled, "for j").endswith("j: int; in parallel, inside a parallel loop")


def test_a_call_that_could_not_be_compiled_is_told():
    refused = mh.jit(lambda x: [x])
    with pytest.raises(mh.CompileError):
        refused(1)
    with pytest.raises(
        TypeError, match="could not be compiled when it was called: CompileError: .*lists are not compiled"
    ):
        refused.explain()


def test_what_was_not_called_cannot_be_explained():
    with pytest.raises(TypeError, match="was not compiled yet: call it"):
        mh.jit(lambda x: x).explain()


def test_a_notebook_shows_a_table():
    @mh.jit
    def less(x, n):
        return x < n

    less(1, 2)
    html = less.explain()._repr_html_()
    assert "<table" in html and "return x &lt; n" in html and "x < n" not in html


def test_numbas_names():
    scaled(np.ones(9), np.ones(9), 2.0)
    out = io.StringIO()
    scaled.inspect_types(file=out, signature=scaled.signatures[0])
    assert out.getvalue() == f"{scaled.explain(scaled.signatures[0])}\n"
    assert "mh_entry" in scaled.inspect_llvm(scaled.signatures[0])
    assert set(scaled.inspect_llvm()) == set(scaled.inspect_asm()) == set(scaled.signatures)
