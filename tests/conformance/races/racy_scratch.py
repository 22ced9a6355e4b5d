"""Scratch arrays that carry something from one iteration to the next."""

import numpy as np
from corpus import floats, one, racy

import manyhands as mh


def _points(n):
    return (floats(n, 3, seed=1), np.zeros(n))


@racy(_points)
def read_before_it_is_written(points, out):
    scratch = np.zeros(3)
    for i in mh.prange(len(points)):
        out[i] = scratch[0]  # race
        for k in range(3):
            scratch[k] = points[i, k]  # race


@racy(_points)
def filled_in_part(points, out):
    scratch = np.zeros(3)
    for i in mh.prange(len(points)):
        for k in range(2):
            scratch[k] = points[i, k]  # race
        out[i] = scratch[2]  # race
        scratch[2] = 1.0  # race


@racy(_points)
def filled_every_other_element(points, out):
    scratch = np.zeros(3)
    for i in mh.prange(len(points)):
        for k in range(0, 3, 2):
            scratch[k] = points[i, k]  # race
        out[i] = scratch[1]  # race
        scratch[1] = points[i, 1]  # race


@racy(_points)
def filled_under_a_condition(points, out):
    scratch = np.zeros(3)
    for i in mh.prange(len(points)):
        if points[i, 0] > 0:
            for k in range(3):
                scratch[k] = points[i, k]  # race
        out[i] = scratch[1]  # race


@racy(_points)
def filled_by_a_loop_that_may_stop(points, out):
    scratch = np.zeros(3)
    for i in mh.prange(len(points)):
        for k in range(3):
            if points[i, k] > 0.5:
                break
            scratch[k] = points[i, k]  # race
        out[i] = scratch[1]  # race


@racy(_points)
def filled_as_far_as_the_iteration_says(points, out):
    scratch = np.zeros(3)
    for i in mh.prange(len(points)):
        for k in range(min(i, 3)):
            scratch[k] = points[i, k]  # race
        out[i] = scratch[0] + scratch[1]  # race


@racy(_points)
def changed_before_it_is_filled(points, out):
    scratch = np.zeros(3)
    for i in mh.prange(len(points)):
        scratch[1] += 1.0  # race
        out[i] = scratch[1]  # race
        for k in range(3):
            scratch[k] = points[i, k]  # race


@racy(_points)
def one_subscript_for_another(points, out):
    scratch = np.zeros((3, 3))
    for i in mh.prange(len(points)):
        for k in range(3):
            scratch[k, k] = points[i, k]  # race
        out[i] = scratch[0, 1]  # race
        scratch[0, 1] = points[i, 0]  # race


@racy(one)
def written_where_the_loop_is_left(a):
    out = np.zeros(len(a))
    for i in mh.prange(len(a)):
        if a[i] > 0.9:
            return out  # race
        out[i] = a[i]  # race
    return out


@racy(one)
def nested_greatest(a):
    m = 0.0
    for i in mh.prange(len(a)):
        m = max(a[i], max(-a[i], m))  # race
    return m


@racy(_points)
def filled_in_one_of_two_ways_only_in_part(points, out):
    scratch = np.zeros(3)
    for i in mh.prange(len(points)):
        if points[i, 0] > 0:
            for k in range(3):
                scratch[k] = points[i, k]  # race
        else:
            for k in range(2):
                scratch[k] = -points[i, k]  # race
        out[i] = scratch[2]  # race


@racy(_points)
def read_between_two_ways_of_filling(points, out):
    scratch = np.zeros(3)
    for i in mh.prange(len(points)):
        if points[i, 0] > 0:
            for k in range(3):
                scratch[k] = points[i, k]  # race
        else:
            out[i] = scratch[1]  # race
            for k in range(3):
                scratch[k] = -points[i, k]  # race


@racy(_points)
def two_conditions_that_are_not_one(points, out):
    scratch = np.zeros(3)
    for i in mh.prange(len(points)):
        if points[i, 0] > 0:
            for k in range(3):
                scratch[k] = points[i, k]  # race
        if points[i, 1] <= 0:
            for k in range(3):
                scratch[k] = -points[i, k]  # race
        out[i] = scratch[1]  # race
