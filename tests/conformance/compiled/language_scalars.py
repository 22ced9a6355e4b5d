"""Numbers: Python's and NumPy's, operators, conversions, functions."""

import cmath
import math

import numpy as np

from features import INF, LOW, NAN, TOP, does, f8, i8, u8

PAIRS = ((7, 2), (-7, 2), (7, -2), (-7, -2), (0, 5), (5, 0), (TOP, 1), (LOW, -1), (TOP, TOP), (2**53 + 1, 3))
FLOATS = (
    (7.5, 2.0),
    (-7.5, 2.0),
    (7.5, -2.0),
    (0.0, -1.0),
    (-0.0, 3.0),
    (1.0, 0.0),
    (INF, 2.0),
    (2.0, INF),
    (NAN, 1.0),
    (1e308, 1e308),
)
SHIFTS = ((1, 3), (-9, 1), (1, 62), (1, 63), (5, 0), (0, 200), (3, -1), (LOW, 1), (7, 100))


@does(*PAIRS)
def plus(a, b):
    return a + b


@does(*PAIRS)
def minus(a, b):
    return a - b


@does(*PAIRS, (3037000500, 3037000500), (-3037000500, 3037000500))
def times(a, b):
    return a * b


@does(*PAIRS)
def true_division(a, b):
    return a / b


@does(*PAIRS)
def floor_division(a, b):
    return a // b


@does(*PAIRS)
def remainder(a, b):
    return a % b


@does(*PAIRS)
def both_at_once(a, b):
    return divmod(a, b)


@does((2, 10), (-3, 3), (0, 0), (7, 0), (2, 62), (2, 63), (2, 64), (-2, 63), (10, 18), (10, 19))
def power(a, b):
    return a**b if b >= 0 else 0


@does((3,), (-4,), (0,), (2**31,), (2**32,))
def squares_and_cubes(a):
    return a**2, a**3


@does(*PAIRS)
def bits(a, b):
    return a & b, a | b, a ^ b, ~a


@does(*SHIFTS)
def left_shift(a, b):
    return a << b


@does(*SHIFTS)
def right_shift(a, b):
    return a >> b


@does((5,), (-5,), (0,), (LOW,), (True,))
def unary(a):
    return -a, +a, abs(a)


@does(*FLOATS)
def float_sum(a, b):
    return a + b, a - b, a * b


@does(*FLOATS)
def float_division(a, b):
    return a / b


@does(*FLOATS)
def float_floor_division(a, b):
    return a // b


@does(*FLOATS)
def float_remainder(a, b):
    return a % b


@does((2.0, 2.0), (4.0, 0.5), (0.0, 0.0), (2.5, -1.0), (1e200, 2.0), (0.0, -1.0), (INF, 2.0), (0.0, -INF), close=True)
def float_power(a, b):
    return a**b


@does((1, 2.5), (TOP, 0.5), (2**53 + 1, 1.0), (True, 0.5))
def mixed(a, b):
    return a + b, a - b, a * b, a / b


@does((2**53 + 1, float(2**53)), (1, 1.0), (TOP, float(2**63)), (3, NAN), (0, -0.0), (5, INF))
def int_against_float(a, b):
    return a == b, a != b, a < b, a <= b, a > b, a >= b


@does(*PAIRS[:5])
def comparisons(a, b):
    return a == b, a != b, a < b, a <= b, a > b, a >= b


@does((1, 2, 3), (1, 3, 2), (3, 3, 3))
def chained(a, b, c):
    return a < b < c, a <= b <= c, a == b == c, a < b > c


@does((f8(0.5, 1.5, -1.0),))
def chained_numpy(a):
    inside = np.zeros(len(a), dtype=np.bool_)
    for i in range(len(a)):
        inside[i] = ~(0 < a[i] < 1)
    return inside, (0 < a[0] < 1) + (0 < a[0] < 2)


@does((f8(0.5),))
def chained_numpy_subtracted(a):
    return (0 < a[0] < 1) - (0 < a[0] < 2)


@does((f8(0.5, -1.0),))
def bool_and_numpy_bool(a):
    found, count = False, 0
    for x in a:
        found = x > 0
        if found:
            count += 1
    return not found, count + found, found | True, found == 1


@does((True, False), (True, True), (False, False))
def booleans(a, b):
    return a and b, a or b, not a, a & b, a | b, a ^ b, a + b, a * b, a == b


@does((0, 5), (3, 0), (0, 0))
def and_or_of_ints(a, b):
    return a and b, a or b


@does((5, 0), (6, 2))
def short_circuit(a, b):
    return b != 0 and a // b == 3, b == 0 or a % b == 0


@does((1.5,), (-0.0,), (0.0,))
def conditional_expression(x):
    return 1.0 if x > 0 else -1.0 if x < 0 else 0.0


@does((2.9,), (-2.9,), (1e18,), (1e19,), (NAN,), (INF,), (-INF,))
def to_int(x):
    return int(x)


@does((3,), (TOP,), (True,))
def to_float(n):
    return float(n), bool(n), complex(n)


@does((0.5,), (1.5,), (-2.5,), (2.4999,), (1e300,), (NAN,), (INF,))
def rounding(x):
    return round(x)


@does((2.675,), (1234.5678,), (0.5,), (1e22,), (-1.005,), (NAN,))
def rounding_to_digits(x):
    return round(x, 2), round(x, -2), round(x, 0)


@does((0.5,), (-0.5,), (7.0,), (NAN,), (-INF,), (1e300,))
def floor_and_ceil(x):
    return math.floor(x), math.ceil(x), math.trunc(x)


@does((3, -4), (2, 2))
def least_and_greatest(a, b):
    return min(a, b), max(a, b), min(a, b, 0), max(1, a, b)


@does((3, 2.5), (2, 7.5), (7, 7.0))
def least_and_greatest_of_both(a, b):
    return float(min(a, b)), max(a, b) + 0.5


@does((1.0, NAN), (NAN, 1.0), (0.0, -0.0), (-0.0, 0.0))
def least_and_greatest_floats(a, b):
    return min(a, b), max(a, b)


@does((4.0,), (2.0,), (0.0,), (-1.0,), (NAN,), (INF,))
def square_root(x):
    return math.sqrt(x)


@does((0.5,), (-0.5,), (0.0,), (700.0,), (800.0,), (-800.0,), (NAN,), (INF,), (-INF,), close=True)
def exponential(x):
    return math.exp(x)


@does((0.5,), (1.0,), (0.0,), (-1.0,), (NAN,), (INF,), (5e-324,), close=True)
def logarithms(x):
    return math.log(x), math.log2(x), math.log10(x), math.log1p(x)


@does((8.0, 2.0), (8.0, 3), (1.0, 10.0), (8.0, 1.0), (0.0, 2.0), close=True)
def logarithm_to_a_base(x, base):
    return math.log(x, base)


@does((0.5,), (-3.0,), (1e5,), (1e22,), (NAN,), (INF,), close=True)
def circular(x):
    return math.sin(x), math.cos(x), math.tan(x)


@does((0.5,), (-1.0,), (1.0,), (1.5,), (NAN,), close=True)
def circular_inverse(x):
    return math.asin(x), math.acos(x), math.atan(x), math.atan2(x, -2.0)


@does((0.5,), (-2.0,), (800.0,), (NAN,), close=True)
def hyperbolic(x):
    return math.sinh(x), math.cosh(x), math.tanh(x)


@does((0.5,), (2.0,), (0.9,), (NAN,), close=True)
def hyperbolic_inverse(x):
    return math.asinh(x), math.acosh(x + 1), math.atanh(x / 4)


@does((0.5,), (-2.0,), (5.0,), (0.0,), (-1.0,), (171.0,), (172.0,), close=True)
def gamma_and_error(x):
    return math.erf(x), math.erfc(x), math.gamma(x), math.lgamma(x)


@does((3.0, 4.0), (INF, NAN), (0.0, -0.0), (1e200, 1e200), close=True)
def lengths(x, y):
    return math.hypot(x, y)


@does((1.0,), (2.0,))
def gamma_zeros(x):
    return math.lgamma(x)


@does((7.5, 2.0), (-7.5, 2.0), (1.0, 0.0), (INF, 1.0), (1.0, INF))
def modulo_functions(x, y):
    return math.fmod(x, y)


@does((2.0, 3.0), (0.0, -1.0), (-8.0, 1 / 3), (1e200, 2.0), close=True)
def power_function(x, y):
    return math.pow(x, y), pow(abs(x), y)


@does((2.5, -0.0), (NAN, 1.0), (INF, -2.0))
def pieces(x, y):
    return math.copysign(x, y), math.fabs(x), math.isnan(x), math.isinf(x), math.isfinite(x)


@does((12, 18), (0, 0), (-4, 6))
def divisors(a, b):
    return math.gcd(a, b)


@does((30.0,), close=True)
def degrees_and_constants(x):
    return math.radians(x), math.degrees(x), math.pi * math.e, math.tau, math.inf, -math.inf


@does((1 + 2j, 3 - 1j), (0j, 1j), (1j, 0j))
def complex_arithmetic(a, b):
    return a + b, a - b, a * b, -a, a == b


@does((1 + 2j, 3 - 1j), (1j, 0j), close=True)
def complex_division(a, b):
    return a / b


@does((f8(2.0), 1 + 2j), (f8(0.0), 1 + 2j), close=True)
def complex_with_numpy_float(a, z):
    total = 0j
    for x in a:
        total += x
    return total, z - a[0], z * a[0], a[0] * z, z == a[0], z / a[0]


BASES = (2 + 1j, 0.3 - 1.7j, 0j)


@does(*((base,) for base in BASES))
def complex_powers(z):
    return z**0, z**2, z**3, z**7


@does(*((kind(base), n) for kind in (complex, np.complex64, np.complex128) for base in BASES for n in (-2, -1, 3, 13)))
def complex_powers_not_constant(z, n):
    return z**n


@does(*((kind(base),) for kind in (np.complex64, np.complex128) for base in BASES))
def complex_powers_numpy(z):
    return z**3, z**7, z**-1, z**-2


@does((0j, -1.5), (0j, -1.0))
def complex_zero_to_a_negative_float(z, x):
    return z**x


@does((np.array([0j]),))
def complex_zero_in_an_array_to_negative_powers(a):
    return a**-1, a**-2, a**-1.5, a[0] ** -1.5


@does((3 + 4j,), (0j,), close=True)
def complex_parts(z):
    return z.real, z.imag, z.conjugate(), abs(z), complex(z.imag, z.real)


@does((1 + 2j,), (-1 + 0j,), close=True)
def complex_functions(z):
    return cmath.exp(z), cmath.sqrt(z), cmath.phase(z)


@does((i8(7, -7, 0), i8(2, -2, 3)))
def numpy_ints(a, b):
    s = np.int64(0)
    for i in range(len(a)):
        s = s * 31 + (a[i] + b[i]) * (a[i] - b[i]) + a[i] // b[i] + a[i] % b[i]
    return s


@does((i8(TOP),), (i8(LOW),))
def numpy_ints_wrap(a):
    return a[0] + 1, a[0] - 1, a[0] * 2, -a[0]


@does((f8(1.0, 0.0), f8(0.0, 0.0)), (f8(-1.0, NAN), f8(0.0, 0.0)))
def numpy_division_by_zero(a, b):
    return a[0] / b[0], a[1] / b[1]


@does((i8(5), i8(0)))
def numpy_int_division_by_zero(a, b):
    return a[0] // b[0], a[0] % b[0]


@does((np.int32(2**31 - 1), np.int32(1)), (np.int32(-5), np.int32(2)))
def narrow_scalars(a, b):
    return a + b, a * b, a // b, a % b


@does((np.uint8(200), np.uint8(100)))
def unsigned_scalars(a, b):
    return a + b, b - a, a * b, ~a


@does((u8(3, TOP + 6, 7),))
def int_start_with_unsigned(a):
    total, bits, most = 0, 0, 0
    for x in a:
        total += x
        bits ^= x
        if x > most:
            most = x
    return total, bits, most


@does((u8(1, 2, 3), u8(3, TOP + 5, 7, 1)))
def int_start_as_an_index(places, a):
    found, k = 0, 0
    for i in range(len(places)):
        found += a[k]
        k = places[i]
    return found


OFFSET = np.uint64(14695981039346656037)
MASK = 0xFFFFFFFFFFFFFFFF


@does((u8(104, 101, 108, 108, 111),))
def hash_fnv(a):
    h = OFFSET
    plain = 14695981039346656037
    for x in a:
        h = (h ^ x) * 0x100000001B3
        plain ^= x
        plain *= np.uint64(1099511628211)
    return h, plain


@does((np.uint64(5),), (np.uint64(2**63 + 77),))
def hash_splitmix(x):
    z = x + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9
    z = (z ^ (z >> 27)) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> 31)


@does((np.uint64(2**63 + 77),))
def unsigned_beside_wide_constants(x):
    return x & 0xFFFFFFFFFFFFFFFF, MASK & x, x | (1 << 63), x == MASK, x < 2**64 - 1, ~x


@does((u8(5, 2**63),))
def unsigned_array_beside_wide_constants(a):
    b = a & 0xFFFFFFFFFFFFFFFF
    b ^= MASK
    b[0] = 0xFFFFFFFFFFFFFFFF
    b[1] &= 2**63
    return b, a >= 2**63


@does((3, 1.5))
def int_and_float_beside_wide_constants(n, x):
    return n < 2**63, -(2**70) < n, 2**64 // 2**3, x * 18446744073709551616, x < 2**64, float(2**70)


@does((np.float32(1.1), np.float32(3.0)))
def single_precision(a, b):
    return a + b, a * b, a / b, a + 1, a * 2.0


@does((np.float64(2.0), 3), (np.float64(-2.5), 2))
def numpy_with_python(a, b):
    return a + b, a * b, a / b, a - 0.5


@does((3.7,), (-3.7,), (0.0,))
def numpy_types_as_functions(x):
    return np.float32(x), np.float64(x), np.int64(x), np.int32(x), np.uint8(abs(x)), np.bool_(x)


@does((0.25,), (4.0,), (0.0,), (-1.0,), (INF,), close=True)
def numpy_functions(x):
    return np.sqrt(x), np.exp(x), np.log(x), np.sin(x), np.floor(x), np.ceil(x), np.abs(x)


@does((3.0, 5.0), (NAN, 5.0), (5.0, NAN))
def numpy_extremes(x, y):
    return np.minimum(x, y), np.maximum(x, y)


@does((2.5,), (-2.5,), (NAN,))
def numpy_tests(x):
    return np.isnan(x), np.isinf(x), np.isfinite(x), np.sign(x)


@does((1,), (2**40,), (TOP,))
def wide_sum_is_exact_or_raises(step):
    tot = 0
    for i in range(5):
        tot += step
    return tot


@does((10,), (100,), (0,))
def digits_of_other_bases(n):
    return 0xFF + 0b101 + 0o17 + 1_000 + n, 1e3 + 0.5


@does((5,), (0,))
def augmented(n):
    a = n
    a += 3
    a -= 1
    a *= 4
    a //= 3
    a %= 7
    a <<= 2
    a |= 1
    a ^= 2
    a &= 13
    a >>= 1
    b = 2.0
    b /= 4
    b **= 2
    return a, b
