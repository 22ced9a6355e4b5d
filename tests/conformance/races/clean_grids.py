"""Two dimensions and more: stencils, transposes, matrix products, factorisations."""

import numpy as np
from corpus import CUBE, FLAT, SQUARE, clean, floats, grid, ints, three_grids, two_grids, wholes, wide

import manyhands as mh


@clean(two_grids, sizes=SQUARE)
def five_points(out, a):
    n, m = a.shape
    for i in mh.prange(1, n - 1):
        for j in range(1, m - 1):
            out[i, j] = 0.25 * (a[i - 1, j] + a[i + 1, j] + a[i, j - 1] + a[i, j + 1])


@clean(two_grids, sizes=SQUARE)
def five_points_both_parallel(out, a):
    n, m = a.shape
    for i in mh.prange(1, n - 1):
        for j in mh.prange(1, m - 1):
            out[i, j] = a[i - 1, j] + a[i + 1, j] - 2 * a[i, j] + a[i, j - 1] + a[i, j + 1]


@clean(two_grids, sizes=SQUARE)
def periodic_stencil(out, a):
    n, m = a.shape
    for i in mh.prange(n):
        for j in range(m):
            out[i, j] = a[i - 1, j] + a[(i + 1) % n, j] + a[i, j - 1] + a[i, (j + 1) % m]


@clean(two_grids, sizes=CUBE)
def sweeps(a, b):
    n, m = a.shape
    for sweep in range(4):
        for i in mh.prange(1, n - 1):
            for j in range(1, m - 1):
                b[i, j] = (a[i - 1, j] + a[i + 1, j] + a[i, j - 1] + a[i, j + 1]) / 4
        for i in mh.prange(1, n - 1):
            for j in range(1, m - 1):
                a[i, j] = b[i, j]


@clean(lambda n: (wholes(n, n),), sizes=SQUARE)
def residual(a):
    n, m = a.shape
    worst = 0.0
    for i in mh.prange(1, n - 1):
        for j in range(1, m - 1):
            worst = max(worst, abs(a[i - 1, j] + a[i + 1, j] - 2 * a[i, j]))
    return worst


@clean(wide, sizes=SQUARE)
def along_rows_in_place(a, b):
    for i in mh.prange(a.shape[0]):
        for j in range(1, a.shape[1]):
            a[i, j] += a[i, j - 1] * 0.5 + b[i, j]


@clean(wide, sizes=SQUARE)
def along_columns_in_place(a, b):
    for j in mh.prange(a.shape[1]):
        for i in range(1, a.shape[0]):
            a[i, j] = a[i - 1, j] * 0.5 + b[i, j]


@clean(grid, sizes=SQUARE)
def inner_loop_parallel(a):
    for i in range(1, a.shape[0]):
        for j in mh.prange(a.shape[1]):
            a[i, j] = a[i - 1, j] + 1


@clean(lambda n: (floats(n + 2, n), floats(n, n + 2)), sizes=SQUARE)
def transpose(out, a):
    for i in mh.prange(a.shape[0]):
        for j in range(a.shape[1]):
            out[j, i] = a[i, j]


@clean(two_grids, sizes=SQUARE)
def transposed_view(out, a):
    t = a.T
    for i in mh.prange(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = t[i, j]


@clean(grid, sizes=SQUARE)
def transpose_in_place(a):
    n = a.shape[0]
    for i in mh.prange(n):
        for j in range(i + 1, n):
            a[i, j], a[j, i] = a[j, i], a[i, j]


@clean(grid, sizes=SQUARE)
def mirror_upper_triangle(a):
    n = a.shape[0]
    for i in mh.prange(n):
        for j in range(i):
            a[i, j] = a[j, i]


@clean(two_grids, sizes=SQUARE)
def lower_triangle(out, a):
    for i in mh.prange(a.shape[0]):
        for j in range(i + 1):
            out[i, j] = a[i, j] * 2


@clean(grid, sizes=SQUARE)
def diagonal(a):
    for i in mh.prange(a.shape[0]):
        a[i, i] = 1.0


@clean(grid, sizes=SQUARE)
def antidiagonal(a):
    n = a.shape[0]
    for i in mh.prange(n):
        a[i, n - 1 - i] = 1.0


@clean(three_grids, sizes=CUBE)
def matrix_product(c, a, b):
    for i in mh.prange(a.shape[0]):
        for j in range(b.shape[1]):
            s = 0.0
            for k in range(a.shape[1]):
                s += a[i, k] * b[k, j]
            c[i, j] = s


@clean(three_grids, sizes=CUBE)
def matrix_product_two_parallel(c, a, b):
    for i in mh.prange(a.shape[0]):
        for j in mh.prange(b.shape[1]):
            c[i, j] = 0.0
            for k in range(a.shape[1]):
                c[i, j] += a[i, k] * b[k, j]


@clean(three_grids, sizes=CUBE)
def matrix_product_middle_loop_inside(c, a, b):
    for i in mh.prange(a.shape[0]):
        for k in range(a.shape[1]):
            for j in range(b.shape[1]):
                c[i, j] += a[i, k] * b[k, j]


@clean(lambda n: (np.zeros(n), floats(n, n), floats(n, seed=3)), sizes=SQUARE)
def matrix_times_vector(y, a, x):
    for i in mh.prange(a.shape[0]):
        y[i] = 0.0
        for j in range(a.shape[1]):
            y[i] += a[i, j] * x[j]


@clean(lambda n: (np.zeros(n), wholes(n, n), wholes(n, seed=3)), sizes=SQUARE)
def vector_times_matrix(y, a, x):
    for i in mh.prange(a.shape[0]):
        for j in range(a.shape[1]):
            y[j] += a[i, j] * x[i]


@clean(lambda n: (floats(n, n) + 2 * np.eye(n) * n,), sizes=CUBE)
def factorisation(a):
    n = a.shape[0]
    for k in range(n):
        for i in mh.prange(k + 1, n):
            a[i, k] = a[i, k] / a[k, k]
            for j in range(k + 1, n):
                a[i, j] -= a[i, k] * a[k, j]


@clean(lambda n: (ints(n, n, low=1, high=90),), sizes=CUBE)
def shortest_ways(d):
    n = d.shape[0]
    new = np.empty_like(d)
    for k in range(n):
        for i in mh.prange(n):
            for j in range(n):
                new[i, j] = min(d[i, j], d[i, k] + d[k, j])
        for i in mh.prange(n):
            for j in range(n):
                d[i, j] = new[i, j]


@clean(lambda n: (np.zeros((n, n)), floats(n, 3)), sizes=SQUARE, close=True)
def distances(out, points):
    for i in mh.prange(points.shape[0]):
        for j in range(points.shape[0]):
            s = 0.0
            for k in range(3):
                t = points[i, k] - points[j, k]
                s += t * t
            out[i, j] = s**0.5


@clean(lambda n: (np.zeros((n, n)), wholes(n, 3)), sizes=SQUARE)
def symmetric_distances(out, points):
    n = points.shape[0]
    for i in mh.prange(n):
        for j in range(i + 1, n):
            s = 0.0
            for k in range(points.shape[1]):
                t = points[i, k] - points[j, k]
                s += t * t
            out[i, j] = s
            out[j, i] = s


@clean(lambda n: (np.zeros(n * n), floats(n, n)), sizes=SQUARE)
def flattened_square(out, a):
    n = a.shape[0]
    for i in mh.prange(n):
        for j in range(n):
            out[i * n + j] = a[i, j]


@clean(lambda n: (floats(n, n, n), floats(n, n, n, seed=2)), sizes=CUBE)
def three_dimensions(out, a):
    for i in mh.prange(a.shape[0]):
        for j in mh.prange(a.shape[1]):
            for k in range(1, a.shape[2]):
                out[i, j, k] = a[i, j, k] - a[i, j, k - 1]


@clean(lambda n: (floats(n, n, 3), np.zeros((n, n))), sizes=SQUARE)
def grey(picture, out):
    for i in mh.prange(picture.shape[0]):
        for j in mh.prange(picture.shape[1]):
            out[i, j] = 0.25 * picture[i, j, 0] + 0.5 * picture[i, j, 1] + 0.25 * picture[i, j, 2]


@clean(grid, sizes=SQUARE)
def red_black(u):
    n, m = u.shape
    for colour in range(2):
        for i in mh.prange(1, n - 1):
            for j in range(1 + (i + colour) % 2, m - 1, 2):
                u[i, j] = 0.25 * (u[i - 1, j] + u[i + 1, j] + u[i, j - 1] + u[i, j + 1])


@clean(lambda n: (floats(2 * n + 1),))
def red_black_in_a_line(u):
    for i in mh.prange(1, len(u) // 2):
        u[2 * i] = 0.5 * (u[2 * i - 1] + u[2 * i + 1])
    for i in mh.prange(len(u) // 2):
        u[2 * i + 1] = 0.5 * (u[2 * i] + u[2 * i + 2])


@clean(grid, sizes=SQUARE)
def wavefront(a):
    n = a.shape[0]
    for d in range(2, 2 * n - 1):
        for i in mh.prange(max(1, d - n + 1), min(n, d)):
            a[i, d - i] = (a[i - 1, d - i] + a[i, d - i - 1]) / 2


@clean(lambda n: (floats(2 * n, 2 * n), np.zeros((n, n))), sizes=SQUARE)
def halving(a, out):
    for i in mh.prange(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = (a[2 * i, 2 * j] + a[2 * i + 1, 2 * j] + a[2 * i, 2 * j + 1] + a[2 * i + 1, 2 * j + 1]) / 4


@clean(grid, sizes=SQUARE)
def row_reversed_in_place(a):
    for i in mh.prange(a.shape[0]):
        for j in range(a.shape[1] // 2):
            other = a.shape[1] - 1 - j
            a[i, j], a[i, other] = a[i, other], a[i, j]


@clean(lambda n: (floats(n, 4),), sizes=FLAT)
def normalised_rows(a):
    for i in mh.prange(len(a)):
        s = 0.0
        for k in range(4):
            s += abs(a[i, k])
        for k in range(4):
            a[i, k] /= s


@clean(lambda n: (np.asfortranarray(floats(n, n + 1)), floats(n, n + 1)[::-1, ::-1]), sizes=SQUARE)
def other_layouts(out, a):
    for i in mh.prange(a.shape[0]):
        for j in range(a.shape[1]):
            out[i, j] = a[i, j] * 3 + out[i, j]
