"""joblib's loop with one import changed: which degree of a polynomial fits measurements best, leaving each out once."""

import random

from manyhands import Parallel, delayed

NOISE = random.Random(1)
POINTS = [(x / 10, (x / 10) ** 3 - 2 * (x / 10) + NOISE.gauss(0, 0.3)) for x in range(-20, 21)]


def fitted(points, degree):
    """The coefficients of the polynomial through the points with least squares, lowest first (normal equations)."""
    size = degree + 1
    rows = [[sum(x ** (i + j) for x, _ in points) for j in range(size)] for i in range(size)]
    rows = [[*row, sum(y * x**i for x, y in points)] for i, row in enumerate(rows)]
    for i in range(size):
        for k in range(i + 1, size):
            factor = rows[k][i] / rows[i][i]
            rows[k] = [a - factor * b for a, b in zip(rows[k], rows[i])]
    coefficients = [0.0] * size
    for i in reversed(range(size)):
        known = sum(rows[i][j] * coefficients[j] for j in range(i + 1, size))
        coefficients[i] = (rows[i][size] - known) / rows[i][i]
    return coefficients


def error_without(index, degree):
    """How far the polynomial that was fitted to the other points misses this one, squared."""
    x, y = POINTS[index]
    coefficients = fitted(POINTS[:index] + POINTS[index + 1 :], degree)
    return (sum(c * x**i for i, c in enumerate(coefficients)) - y) ** 2


errors = {}
with Parallel(n_jobs=-1) as parallel:
    for degree in range(1, 8):
        errors[degree] = sum(parallel(delayed(error_without)(index, degree) for index in range(len(POINTS))))
best = min(errors, key=errors.get)

assert errors[best] == sum(error_without(index, best) for index in range(len(POINTS)))
print(f"a polynomial of degree {best} fits best: {errors[best] / len(POINTS):.3f} is its mean squared error")
