"""Programs as they are usually written for numba, compiled by manyhands and by numba from one text.

The one for numba is `harness.with_numba`'s.
"""

from __future__ import annotations

import math

import numpy as np

import manyhands as nb


@nb.njit
def cnd(d):
    k = 1.0 / (1.0 + 0.2316419 * math.fabs(d))
    poly = k * (0.31938153 + k * (-0.356563782 + k * (1.781477937 + k * (-1.821255978 + k * 1.330274429))))
    value = 0.3989422804014327 * math.exp(-0.5 * d * d) * poly
    if d > 0:
        value = 1.0 - value
    return value


@nb.njit(parallel=True)
def black_scholes(calls, puts, price, strike, years, riskless, volatility):
    for i in nb.prange(len(price)):
        s, x, t = price[i], strike[i], years[i]
        root = math.sqrt(t)
        d1 = (math.log(s / x) + (riskless + 0.5 * volatility * volatility) * t) / (volatility * root)
        d2 = d1 - volatility * root
        c1, c2 = cnd(d1), cnd(d2)
        discount = math.exp(-riskless * t)
        calls[i] = s * c1 - x * discount * c2
        puts[i] = x * discount * (1.0 - c2) - s * (1.0 - c1)


@nb.njit
def escapes(x, y, most):
    c = complex(x, y)
    z = 0.0j
    for i in range(most):
        z = z * z + c
        if z.real * z.real + z.imag * z.imag >= 4:
            return i
    return most


@nb.njit(parallel=True)
def mandelbrot(image, x0, x1, y0, y1, most):
    height, width = image.shape
    dx, dy = (x1 - x0) / width, (y1 - y0) / height
    for row in nb.prange(height):
        for column in range(width):
            image[row, column] = escapes(x0 + column * dx, y0 + row * dy, most)


@nb.njit(parallel=True)
def forces(place, mass, force):
    n = place.shape[0]
    for i in nb.prange(n):
        fx = fy = fz = 0.0
        for j in range(n):
            dx = place[j, 0] - place[i, 0]
            dy = place[j, 1] - place[i, 1]
            dz = place[j, 2] - place[i, 2]
            square = dx * dx + dy * dy + dz * dz + 1e-9
            pull = mass[j] / (square * math.sqrt(square))
            fx += dx * pull
            fy += dy * pull
            fz += dz * pull
        force[i, 0] = fx
        force[i, 1] = fy
        force[i, 2] = fz


@nb.njit(parallel=True)
def jacobi(old, new, steps):
    rows, columns = old.shape
    for _ in range(steps):
        for i in nb.prange(1, rows - 1):
            for j in range(1, columns - 1):
                new[i, j] = 0.25 * (old[i - 1, j] + old[i + 1, j] + old[i, j - 1] + old[i, j + 1])
        old, new = new, old
    return old


@nb.njit(parallel=True)
def nearest(points, centres, labels):
    for i in nb.prange(points.shape[0]):
        best, at = np.inf, 0
        for k in range(centres.shape[0]):
            square = 0.0
            for d in range(points.shape[1]):
                far = points[i, d] - centres[k, d]
                square += far * far
            if square < best:
                best = square
                at = k
        labels[i] = at


@nb.njit
def means(points, centres, labels):
    counts = np.zeros(centres.shape[0])
    centres[:] = 0.0
    for i in range(points.shape[0]):
        k = labels[i]
        counts[k] += 1
        for d in range(points.shape[1]):
            centres[k, d] += points[i, d]
    for k in range(centres.shape[0]):
        if counts[k] > 0:
            for d in range(points.shape[1]):
                centres[k, d] /= counts[k]


@nb.njit
def k_means(points, centres, labels, steps):
    for _ in range(steps):
        nearest(points, centres, labels)
        means(points, centres, labels)
