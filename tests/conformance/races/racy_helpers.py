"""What helpers do, and arrays that iterations share without meaning to."""

import numpy as np
from corpus import floats, grid, one, racy, two, wholes

import manyhands as mh


def move(a, to, origin):
    a[to] = a[origin]  # race


def smooth(a, i):
    a[i] = (a[i - 1] + a[i + 1]) / 2  # race


def fill(row, value):
    for k in range(len(row)):
        row[k] = value + k  # race


def total(row):
    s = 0.0
    for k in range(len(row)):
        s += row[k]  # race
    return s


def remember(state, value):
    old = state[0]  # race
    state[0] = value  # race
    return old


def add_and_tell(state, value):
    state[0] += value  # race
    return state[0]  # race


@racy(one)
def helper_moves(a):
    for i in mh.prange(1, len(a)):
        move(a, i, i - 1)  # race


@racy(one)
def helper_smooths(a):
    for i in mh.prange(1, len(a) - 1):
        smooth(a, i)  # race


@racy(lambda n: (floats(n), np.zeros(4)))
def scratch_from_outside(a, scratch):
    for i in mh.prange(len(a)):
        scratch[i % 4] = a[i]  # race
        a[i] = scratch[0] + scratch[1]  # race


@racy(one)
def scratch_that_keeps_something(a):
    scratch = np.zeros(3)
    for i in mh.prange(len(a)):
        if a[i] > 0:
            scratch[0] = a[i]  # race
        a[i] = scratch[0]  # race


@racy(grid)
def helper_fills_the_same_row(a):
    for i in mh.prange(1, a.shape[0]):
        fill(a[0], i)  # race
        a[i, 0] = a[0, 1]  # race


@racy(grid)
def helper_reads_the_row_before(a):
    for i in mh.prange(1, a.shape[0]):
        a[i, 0] = total(a[i - 1])  # race


@racy(two)
def state_in_an_array(out, a):
    state = np.zeros(1)
    for i in mh.prange(len(a)):
        out[i] = remember(state, a[i])  # race


@racy(two)
def state_in_an_array_added(out, a):
    state = np.zeros(1)
    for i in mh.prange(len(a)):
        out[i] = add_and_tell(state, a[i])  # race


@racy(one)
def two_calls_that_meet(a):
    for i in mh.prange(len(a) - 1):
        fill(a[i : i + 2], i)
        a[i] = a[i] + a[i + 1]  # race


@racy(lambda n: (wholes(n), np.zeros(2)))
def pair_of_scratch_values(a, pair):
    for i in mh.prange(len(a)):
        pair[0] = pair[1]  # race
        pair[1] = a[i]  # race
