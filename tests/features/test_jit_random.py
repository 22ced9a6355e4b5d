"""Random numbers of compiled loops, against a model of the generator, and their distributions by statistics of fixed seeds."""

import math

import numpy as np
import pytest

import manyhands as mh

pytest.importorskip("llvmlite")

LOW = 2**32 - 1


def philox(key, counter):
    """Philox4x32-10 of four words of 32 bits, with a key of two."""
    (a, b, c, d), (k, m) = counter, key
    for _ in range(10):
        first, second = 0xD2511F53 * a, 0xCD9E8D57 * c
        a, b, c, d = (second >> 32) ^ b ^ k, second & LOW, (first >> 32) ^ d ^ m, first & LOW
        k, m = (k + 0x9E3779B9) & LOW, (m + 0xBB67AE85) & LOW
    return a, b, c, d


def test_known_answers_of_the_model():
    # Published with the generator (Random123).
    assert philox((0, 0), (0, 0, 0, 0)) == (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)
    assert philox((LOW, LOW), (LOW,) * 4) == (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)
    pi = (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344)
    assert philox((0xA4093822, 0x299F31D0), pi) == (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1)


class Stream:
    """The numbers of one iteration (index -1: outside of all loops)."""

    def __init__(self, key, index):
        self.key, self.index, self.draw = key, index % 2**64, 0

    def block(self, number):
        a, b, c, d = philox(
            (self.key & LOW, self.key >> 32), (self.index & LOW, self.index >> 32, number & LOW, number >> 32)
        )
        return a | b << 32, c | d << 32

    def bits(self):
        self.draw += 1
        return self.block((self.draw - 1) >> 1)[(self.draw - 1) & 1]

    def unit(self):
        return (self.bits() >> 11) * 2.0**-53

    def integer(self, low, high):
        minor, major = self.bits(), self.bits()
        return low + ((high - low) * (major << 64 | minor) >> 128)

    def normal(self):
        self.draw += 1
        first, second = self.block((self.draw - 1) >> 1 | 1 << 63)
        radius = math.sqrt(-2 * math.log((first | 1) * 2.0**-64))
        turn = (second >> 11) * 2.0**-53 * 2 * math.pi
        return radius * (math.cos(turn) if self.draw & 1 else math.sin(turn))

    def exponential(self):
        return -math.log((self.bits() | 1) * 2.0**-64)

    def loop(self):
        self.draw += 1
        return self.block((self.draw - 1) | 1 << 62)[0]


#: What the key is made of in these tests, and the key: XXH3 of eight zeros.
WORDS, KEY = ([], 0), 14374147212387527897


@pytest.fixture(autouse=True)
def one_key(monkeypatch):
    monkeypatch.setattr("manyhands._random.kernel_call", lambda: WORDS)


def test_draws_outside_of_loops():
    @mh.jit(cache=False)
    def draw(out):
        out[0] = np.random.random()
        out[1] = np.random.uniform(-3.0, 5.0)
        out[2] = np.random.normal(1.0, 2.0)
        out[3] = np.random.randint(-5, 1000)
        out[4] = np.random.exponential(3.0)
        out[5] = np.random.random()

    out = np.empty(6)
    draw(out)
    model = Stream(KEY, -1)
    exact = [
        model.unit(),
        -3 + 8 * model.unit(),
        1 + 2 * model.normal(),
        model.integer(-5, 1000),
        3 * model.exponential(),
        model.unit(),
    ]
    for place in (0, 1, 3, 5):
        assert out[place] == exact[place]
    np.testing.assert_allclose(out, exact, rtol=4e-16)


def filled(threads):
    @mh.jit(cache=False)
    def fill(out, inner):
        np.random.random()
        for i in mh.prange(out.shape[0]):
            out[i, 0] = np.random.random()
            out[i, 1] = np.random.normal()
            for j in mh.prange(3):
                inner[i, j] = np.random.random()
            out[i, 2] = np.random.random()

    before = mh.get_num_threads()
    mh.set_num_threads(threads)
    try:
        out, inner = np.empty((5000, 3)), np.empty((5000, 3))
        fill(out, inner)
    finally:
        mh.set_num_threads(before)
    return out, inner


def test_iterations_have_streams_of_their_own():
    out, inner = filled(2)
    call = Stream(KEY, -1)
    call.unit()
    key = call.loop()
    for i in (0, 1, 2047, 2048, 4999):
        model = Stream(key, i)
        assert out[i, 0] == model.unit()
        assert out[i, 1] == pytest.approx(model.normal(), rel=1e-14)
        within = model.loop()
        assert list(inner[i]) == [Stream(within, j).unit() for j in range(3)]
        assert out[i, 2] == model.unit()


def test_the_same_numbers_for_any_number_of_threads():
    first = filled(1)
    for threads in (2, 3, 8):
        for one, other in zip(first, filled(threads), strict=True):
            np.testing.assert_array_equal(one, other)


EULER = 0.5772156649015329
#: Distribution, arguments, mean, variance.
MOMENTS = [
    ("random", (), 1 / 2, 1 / 12),
    ("normal", (1.0, 2.0), 1, 4),
    ("exponential", (2.0,), 2, 4),
    ("randint", (-3, 7), 1.5, 99 / 12),
    ("lognormal", (0.0, 0.5), math.exp(0.125), math.expm1(0.25) * math.exp(0.25)),
    ("laplace", (1.0, 2.0), 1, 8),
    ("logistic", (1.0, 2.0), 1, 4 * math.pi**2 / 3),
    ("gumbel", (1.0, 2.0), 1 + 2 * EULER, 4 * math.pi**2 / 6),
    ("weibull", (1.5,), math.gamma(5 / 3), math.gamma(7 / 3) - math.gamma(5 / 3) ** 2),
    ("pareto", (9.0,), 1 / 8, 9 / (64 * 7)),
    ("rayleigh", (2.0,), 2 * math.sqrt(math.pi / 2), 2 * (4 - math.pi)),
    ("triangular", (0.0, 1.0, 3.0), 4 / 3, 7 / 18),
    ("geometric", (0.3,), 1 / 0.3, 0.7 / 0.09),
    ("gamma", (0.3, 2.0), 0.6, 1.2),
    ("gamma", (2.5, 2.0), 5, 10),
    ("chisquare", (3.0,), 3, 6),
    ("standard_t", (9.0,), 0, 9 / 7),
    ("beta", (0.5, 0.5), 1 / 2, 1 / 8),
    ("beta", (50.0, 3.0), 50 / 53, 150 / (53**2 * 54)),
    ("poisson", (5.0,), 5, 5),
    ("poisson", (1000.0,), 1000, 1000),
    ("binomial", (10, 0.8), 8, 1.6),
    ("binomial", (1000, 0.4), 400, 240),
    ("vonmises", (0.0, 1e-9), 0, math.pi**2 / 3),
]


@pytest.mark.parametrize(("name", "arguments", "mean", "variance"), MOMENTS)
def test_moments(name, arguments, mean, variance):
    function = getattr(np.random, name)

    @mh.jit(cache=False)
    def none(out):
        for i in mh.prange(len(out)):
            out[i] = function()

    @mh.jit(cache=False)
    def one(out, a):
        for i in mh.prange(len(out)):
            out[i] = function(a)

    @mh.jit(cache=False)
    def two(out, a, b):
        for i in mh.prange(len(out)):
            out[i] = function(a, b)

    @mh.jit(cache=False)
    def three(out, a, b, c):
        for i in mh.prange(len(out)):
            out[i] = function(a, b, c)

    count = 100_000
    out = np.empty(count)
    (none, one, two, three)[len(arguments)](out, *arguments)
    assert abs(out.mean() - mean) < 4.5 * math.sqrt(variance / count)
    fourth = ((out - mean) ** 4).mean()
    assert abs(out.var() - variance) < 4.5 * math.sqrt((fourth - variance**2) / count)
