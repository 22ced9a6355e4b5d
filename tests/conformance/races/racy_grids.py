"""Two dimensions and more, where rows or columns meet."""

import numpy as np
from corpus import floats, grid, ints, order, racy, two_grids, wholes

import manyhands as mh


@racy(grid)
def down_the_rows(a):
    for i in mh.prange(1, a.shape[0]):
        for j in range(a.shape[1]):
            a[i, j] = a[i - 1, j] + 1  # race


@racy(grid)
def along_the_columns(a):
    for i in range(a.shape[0]):
        for j in mh.prange(1, a.shape[1]):
            a[i, j] = a[i, j - 1] + 1  # race


@racy(grid)
def five_points_in_place(a):
    n, m = a.shape
    for i in mh.prange(1, n - 1):
        for j in range(1, m - 1):
            a[i, j] = 0.25 * (a[i - 1, j] + a[i + 1, j] + a[i, j - 1] + a[i, j + 1])  # race


@racy(grid)
def diagonal_neighbours(a):
    n = a.shape[0]
    for i in mh.prange(1, n):
        for j in range(1, n):
            a[i, j] = a[i - 1, j - 1] + 1  # race


@racy(grid)
def inner_loop_carries(a):
    n = a.shape[0]
    for i in range(n):
        for j in mh.prange(n - 1):
            a[i, j] = a[i, j + 1]  # race


@racy(grid)
def transposed_one_way(a):
    n = a.shape[0]
    for i in mh.prange(n):
        for j in range(n):
            a[i, j] = a[j, i]  # race


@racy(grid)
def transposed_twice(a):
    n = a.shape[0]
    for i in mh.prange(n):
        for j in range(n):
            a[i, j], a[j, i] = a[j, i], a[i, j]  # race


@racy(grid)
def transposed_view_in_place(a):
    t = a.T
    n = a.shape[0]
    for i in mh.prange(n):
        for j in range(n):
            a[i, j] = t[i, j] + 1  # race


@racy(grid)
def factorisation_outer(a):
    n = a.shape[0]
    for k in mh.prange(n):
        for i in range(k + 1, n):
            a[i, k] = a[i, k] / a[k, k]  # race
            for j in range(k + 1, n):
                a[i, j] -= a[i, k] * a[k, j]  # race


@racy(grid)
def shortest_ways_outer(d):
    n = d.shape[0]
    for k in mh.prange(n):
        for i in range(n):
            for j in range(n):
                d[i, j] = min(d[i, j], d[i, k] + d[k, j])  # race


@racy(lambda n: (floats(n, n), floats(n)))
def triangular_solution(a, x):
    for i in mh.prange(len(x)):
        for j in range(i):
            x[i] -= a[i, j] * x[j]  # race


@racy(grid)
def triangle_reads_the_row_below(a):
    n = a.shape[0]
    for i in mh.prange(n - 1):
        for j in range(i + 1):
            a[i, j] = a[i + 1, j] + a[i, j]  # race


@racy(lambda n: (np.zeros(n), floats(n, n)))
def rows_into_one_that_is_read(sums, a):
    for i in mh.prange(a.shape[0]):
        for j in range(a.shape[1]):
            sums[j] = sums[j] * 0.5 + a[i, j]  # race


@racy(lambda n: (np.zeros(n * n), floats(n, n)))
def flattened_too_narrow(out, a):
    n = a.shape[0]
    for i in mh.prange(n):
        for j in range(n):
            out[i * (n - 1) + j] = out[i * (n - 1) + j] * 0.5 - a[i, j]  # race


@racy(two_grids)
def wavefront_by_rows(a, b):
    n, m = a.shape
    for i in mh.prange(1, n):
        for j in range(1, m):
            a[i, j] = max(a[i - 1, j], a[i, j - 1], a[i - 1, j - 1]) + b[i, j]  # race


@racy(grid)
def red_black_forgotten_colour(u):
    n, m = u.shape
    for i in mh.prange(1, n - 1):
        for j in range(1 + i % 2, m - 1):
            u[i, j] = 0.5 * (u[i - 1, j] + u[i + 1, j])  # race


@racy(grid)
def columns_shifted(a):
    for j in mh.prange(a.shape[1] - 1):
        a[:, j] = a[:, j + 1]  # race


@racy(grid)
def rows_shifted(a):
    for i in mh.prange(a.shape[0] - 1):
        a[i] = a[i + 1]  # race


@racy(lambda n: (floats(n, 4), order(n)))
def rows_through_places(a, places):
    for i in mh.prange(len(a)):
        for k in range(4):
            a[i, k] = a[places[i], k]  # race


@racy(lambda n: (ints(n, n, low=0, high=2),))
def game_of_life_in_place(cells):
    n, m = cells.shape
    for i in mh.prange(1, n - 1):
        for j in range(1, m - 1):
            alive = cells[i - 1, j] + cells[i + 1, j] + cells[i, j - 1] + cells[i, j + 1]  # race
            cells[i, j] = 1 if alive == 3 else 0  # race


@racy(lambda n: (wholes(n, 2), wholes(n, 2)))
def steps_that_see_each_other(places, speeds):
    n = len(places)
    for i in mh.prange(n):
        for j in range(n):
            speeds[i, 0] += places[j, 0] - places[i, 0]  # race
        places[i, 0] += speeds[i, 0]  # race


@racy(lambda n: (floats(n, n, n),))
def third_axis(a):
    for i in mh.prange(a.shape[0]):
        for j in mh.prange(a.shape[1]):
            for k in mh.prange(1, a.shape[2]):
                a[i, j, k] += a[i, j, k - 1]  # race


@racy(lambda n: (floats(n),))
def odd_even_sort_in_one(a):
    for i in mh.prange(len(a) - 1):
        if a[i] > a[i + 1]:  # race
            a[i], a[i + 1] = a[i + 1], a[i]  # race


@racy(lambda n: (floats(n, n), floats(n, n)))
def result_is_an_input(a, b):
    n = a.shape[0]
    for i in mh.prange(n):
        for j in range(n):
            s = 0.0
            for k in range(n):
                s += a[i, k] * a[k, j]  # race
            a[i, j] = s  # race
