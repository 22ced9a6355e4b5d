"""Loops around sums, which are compiled for several iterations at a time: the bits of plain Python, or of sums in 32 lanes."""

import math

import pytest

import manyhands as mh

np = pytest.importorskip("numpy")
pytest.importorskip("llvmlite")

LENGTHS = [0, 1, 3, 4, 5, 8, 11]


def product(A, B, C):
    for i in range(A.shape[0]):
        for j in range(B.shape[1]):
            s = 0.0
            for k in range(A.shape[1]):
                s += A[i, k] * B[k, j]
            C[i, j] = s
    return C


def distances(A, B, C):
    t = j = k = -1.0
    for i in mh.prange(A.shape[0]):
        for j in range(B.shape[1]):
            s = 0.0
            for k in range(A.shape[1]):
                t = A[i, k] - B[k, j]
                s -= t * t
            C[i, j] += math.sqrt(-s)
    return C


def vector(A, B, C):
    s = last = 7.5
    for j in range(A.shape[0]):
        s = B[0, 0]
        for k in range(A.shape[1]):
            s += A[j, k] * B[k, 0]
        if j % 3 == 1:
            s, last = -s, s
        C[j, 0] = s
    return C, s, last


def nearest(A, B, C):
    best, at, k = 1e300, -1, -1
    for j in range(B.shape[1]):
        s = 0.0
        for k in range(A.shape[1]):
            s += abs(A[0, k] - B[k, j])
        if s < best:
            best, at = s, j
    return best, at, k


def grown(A, B, C):
    s = 1.0
    for j in range(B.shape[1]):
        s = s * 0.5
        for k in range(A.shape[1]):
            s += A[0, k] * B[k, j]
        C[0, j] = s
    return C, s


@pytest.mark.parametrize("function", [product, distances, vector, nearest, grown], ids=lambda f: f.__name__)
def test_the_values_are_pythons(function):
    compiled = mh.jit(function)
    random = np.random.default_rng(5)
    for rows in LENGTHS[1:]:
        for inner in LENGTHS[1:]:
            for columns in LENGTHS[1:]:
                A, B = random.normal(size=(rows, inner)), random.normal(size=(inner, columns))
                C = random.normal(size=(rows, max(columns, 1)))
                expected, found = C.copy(), C.copy()
                expected, found = function(A, B, expected), compiled(A, B, found)
                assert flat(found) == flat(expected), (rows, inner, columns)


@pytest.mark.parametrize("shape", [(0, 5, 5), (5, 0, 5), (5, 5, 0)])
def test_nothing_to_add_up(shape):
    rows, inner, columns = shape
    A, B, C = np.ones((rows, inner)), np.ones((inner, columns)), np.ones((rows, columns))
    assert flat(mh.jit(product)(A, B, C.copy())) == flat(product(A, B, C.copy()))


def solved(A, x):
    # Each row needs what the rows before it have given.
    for j in range(A.shape[0]):
        s = 0.0
        for k in range(A.shape[1]):
            s += A[j, k] * x[k]
        x[j] = s
    return x


def put(A, x, y):
    for j in range(A.shape[0]):
        s = 0.0
        for k in range(A.shape[1]):
            s += A[j, k] * x[k]
        y[j] = s
    return y


def test_rows_that_need_the_rows_before():
    A, x = np.random.default_rng(1).normal(size=(9, 9)), np.arange(9.0)
    assert flat(mh.jit(solved)(A, x.copy())) == flat(solved(A, x.copy()))
    # The same memory under two names, and parts of it.
    compiled = mh.jit(put)
    assert flat(compiled(A, *[x.copy()] * 2)) == flat(put(A, *[x.copy()] * 2))
    for far in (1, 4):
        one, other = np.arange(18.0), np.arange(18.0)
        found, expected = compiled(A, one[:9], one[far : far + 9]), put(A, other[:9], other[far : far + 9])
        assert flat(found) == flat(expected) and flat(one) == flat(other)


def test_what_goes_wrong_is_met_in_order():
    @mh.jit
    def roots(A, y):
        for j in range(A.shape[0]):
            s = 0.0
            for k in range(A.shape[1]):
                s += A[j, k]
            y[j] = math.sqrt(s)

    A = np.ones((9, 3))
    A[6] = -1.0
    y = np.zeros(9)
    with pytest.raises(ValueError, match="math domain error"):
        roots(A, y)
    assert y[:6].tolist() == [math.sqrt(3)] * 6


def forces(place, mass, force):
    i, far = -1, 0.0
    for i in mh.prange(1, len(mass)):
        fx = fy = 0.0
        for j in range(len(mass)):
            dx = place[j, 0] - place[i, 0]
            dy = place[j, 1] - place[i, 1]
            square = dx * dx + dy * dy + 1e-9
            pull = mass[j] / (square * math.sqrt(square))
            fx += dx * pull
            fy += dy * pull
        if fx > 0:
            far = fx
        force[i, 0] = fx
        force[i, 1] += fy
    return force, i, far


def square(place, i, j):
    dx, dy = place[j, 0] - place[i, 0], place[j, 1] - place[i, 1]
    return dx * dx + dy * dy


def others(place, mass, force):
    for i in mh.prange(len(mass)):
        s = t = 0.0
        for j in range(len(mass)):
            if i != j:
                t = square(place, i, j)
                s += mass[j] / np.sqrt(t)
        force[i, 0] = s
        force[i, 1] = t
    return force


def settled(place, mass, force):
    for i in mh.prange(len(mass)):
        s = mass[i]
        for j in range(place.shape[0]):
            s -= abs(place[j, 0]) / (1 + j)
        mass[i] = np.sqrt(s)
    return mass


def labelled(place, mass, force):
    at = k = -1
    for i in mh.prange(len(mass)):
        best, at = np.inf, 0
        for k in range(5):
            square = 0.0
            for d in range(place.shape[1]):
                far = place[i, d] - force[k - 5, d]
                square += far * far
            if square < best:
                best = square
                at = k
        mass[i] = at
    return mass, at, k


def columns(place, mass, force):
    other, start = place.T.copy(), force.copy()
    for i in mh.prange(len(mass)):
        s = t = 0.0
        for j in range(other.shape[0]):
            s += other[j, i] * mass[j]
            for k in range(2):
                t -= other[j, i] * start[j, k]
        force[i, 0] = s
        force[i, 1] = t
    return force


@pytest.mark.parametrize("function", [forces, others, settled, labelled, columns], ids=lambda f: f.__name__)
def test_parallel_loops_in_strips(function):
    both = [mh.jit(function, parallel=parallel) for parallel in (True, False)]
    random = np.random.default_rng(5)
    rows_at_a_time = 4 if function in (forces, others, settled) else 8
    for rows in (0, 5, 32 * rows_at_a_time, 33 * rows_at_a_time - 1):
        place, mass, force = random.normal(size=(rows, 2)), random.normal(size=rows), random.normal(size=(rows, 2))
        with np.errstate(invalid="ignore"):
            expected = flat(function(place, mass.copy(), force.copy()))
        for compiled in both:
            assert flat(compiled(place, mass.copy(), force.copy())) == expected, rows


def test_strips_over_what_is_read():
    # As one iteration after the other does it, and said where that is not what was asked for.
    place, mass = np.random.default_rng(5).normal(size=(140, 2)), np.ones(135)
    found, expected = place.copy(), place.copy()
    forces(expected[:135], mass, expected[5:])
    with pytest.warns(mh.CompileWarning, match="share memory"):
        mh.jit(forces)(found[:135], mass, found[5:])
    assert flat(found) == flat(expected)


def in_lanes(A, B, C):
    j = k = -1
    for i in mh.prange(A.shape[0]):
        for j in range(B.shape[1]):
            s = 0.0
            for k in mh.prange(A.shape[1]):
                t = A[i, k] - B[k, j]
                s += t * t
            C[i, j] = math.sqrt(s)
    return C, j


def of_rows(A, B, C):
    rows = B.T.copy()
    for i in mh.prange(A.shape[0]):
        for j in range(rows.shape[0]):
            C[i, j] = np.sqrt(np.sum((rows[j] - A[i]) ** 2))
    return C, rows.shape[0] - 1


@pytest.mark.parametrize("function", [in_lanes, of_rows], ids=lambda f: f.__name__)
def test_tiles_have_the_bits_of_sums_in_lanes(function):
    compiled = mh.jit(function)
    random = np.random.default_rng(5)
    for rows in (0, 1, 2, 3, 5, 7):
        for columns in (0, 1, 2, 3, 5, 7):
            for inner in (1, 5, 33, 100, 2100):
                A, B = random.normal(size=(rows, inner)), random.normal(size=(inner, columns))
                expected = np.sqrt(lanes((A[:, None, :] - B.T[None, :, :]) ** 2))
                last = columns - 1 if rows else -1
                found, j = compiled(A, B, np.zeros((rows, columns)))
                assert flat(found) == flat(expected), (rows, columns, inner)
                assert function is of_rows or j == last


def lanes(terms):
    """Sums along the last axis as compiled loops have them: 32 lanes in blocks of 2048, halves upon halves."""
    total = np.zeros(terms.shape[:-1])
    for start in range(0, terms.shape[-1], 2048):
        block = terms[..., start : start + 2048]
        sums = np.full((*terms.shape[:-1], 32), -0.0)
        for k in range(0, block.shape[-1], 32):
            part = block[..., k : k + 32]
            sums[..., : part.shape[-1]] += part
        while sums.shape[-1] > 1:
            half = sums.shape[-1] // 2
            sums = sums[..., :half] + sums[..., half:]
        total = total + sums[..., 0]
    return total


def flat(value):
    """All numbers of a result as bytes: not one bit may differ."""
    if isinstance(value, tuple):
        return [flat(part) for part in value]
    return np.asarray(value, float).tobytes()
