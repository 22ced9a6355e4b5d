"""Makes `coefficients.rs`: minimax polynomials by Remez' exchange, rounded to doubles one by one.

    python coefficients.py > coefficients.rs     (needs mpmath)

Each coefficient is rounded in turn, the constant one first, and those after it are fitted anew, so that rounding costs
next to nothing.
"""

import mpmath as mp

mp.mp.dps = 60


def remez(function, weight, low, high, powers):
    """Coefficients c[i] of x**powers[i] that make max |weight * (function - polynomial)| on [low, high] least."""
    count = len(powers)
    nodes = [
        (low + high) / 2 - (high - low) / 2 * mp.cos(mp.pi * (2 * i + 1) / (2 * count + 2)) for i in range(count + 1)
    ]
    for _ in range(12):
        matrix = mp.matrix(count + 1, count + 1)
        right = mp.matrix(count + 1, 1)
        for row, x in enumerate(nodes):
            for column, power in enumerate(powers):
                matrix[row, column] = weight(x) * x**power
            matrix[row, count] = (-1) ** row
            right[row] = weight(x) * function(x)
        solution = mp.lu_solve(matrix, right)  # (rows times the weight: it may be 0)
        coefficients = [solution[i] for i in range(count)]

        def error(x, c=coefficients):
            return weight(x) * (function(x) - sum(k * x**p for k, p in zip(c, powers, strict=True)))

        steps = 12 * (count + 1)
        grid = [low + (high - low) * (1 - mp.cos(mp.pi * i / steps)) / 2 for i in range(steps + 1)]
        values = [error(x) for x in grid]
        peaks = []
        for i, x in enumerate(grid):
            if values[i] == 0:
                continue
            if not peaks or mp.sign(values[i]) != mp.sign(peaks[-1][1]):
                peaks.append((x, values[i]))
            elif abs(values[i]) > abs(peaks[-1][1]):
                peaks[-1] = (x, values[i])
        while len(peaks) > count + 1:
            peaks.pop(0 if abs(peaks[0][1]) < abs(peaks[-1][1]) else -1)
        if len(peaks) < count + 1:
            break
        nodes = [x for x, _ in peaks]
        sizes = [abs(v) for _, v in peaks]
        if max(sizes) < min(sizes) * 1.02:
            break
    return coefficients, max(abs(v) for v in values)


def fit(name, comment, function, low, high, count, weight=lambda x: mp.mpf(1), fixed=()):
    """Prints a constant; `fixed` are the first coefficients, where they are given."""
    low, high = mp.mpf(low), mp.mpf(high)
    rounded = [mp.mpf(float(c)) for c in fixed]
    for at in range(len(rounded), count):
        done = list(rounded)

        def rest(x, done=done):
            if not done:
                return function(x)
            return (function(x) - sum(c * x**i for i, c in enumerate(done))) / x ** len(done) if x else mp.mpf(0)

        coefficients, size = remez(rest, lambda x, at=at: weight(x) * abs(x) ** at, low, high, list(range(count - at)))
        rounded.append(mp.mpf(float(coefficients[0])))
    print(f"/// {comment} Error at most 2^{float(mp.log(size, 2)):.1f}.")
    print(f"pub const {name}: [f64; {count}] = [")
    for c in rounded:
        print(f"    {rust(c)},")
    print("];")


def interpolate(name, comment, function, low, high, count):
    """The polynomial through Chebyshev's nodes, for intervals around 0; the rest of its constant is `NAME_LOW`."""
    low, high = mp.mpf(low), mp.mpf(high)
    place = [(low + high) / 2 - (high - low) / 2 * mp.cos(mp.pi * (2 * i + 1) / (2 * count)) for i in range(count)]
    matrix = mp.matrix(count, count)
    for row, x in enumerate(place):
        for column in range(count):
            matrix[row, column] = x**column
    solution = mp.lu_solve(matrix, mp.matrix([function(x) for x in place]))
    tests = [low + (high - low) * i / 300 for i in range(301)]
    size = max(abs(function(x) - mp.polyval(list(solution)[::-1], x)) for x in tests)
    print(f"/// {comment} Error at most 2^{float(mp.log(size, 2)):.1f}.")
    print(f"pub const {name}: [f64; {count}] = [")
    for c in solution:
        print(f"    {rust(c)},")
    print("];")
    print(f"pub const {name}_LOW: f64 = {rust(solution[0] - mp.mpf(float(solution[0])))};")


def rust(value):
    text = repr(float(value))
    return text if "." in text or "e" in text else text + ".0"


def careful(function, at_zero):
    """`function` with its limit at 0, and digits to spare near it."""

    def wrapped(x):
        if x == 0:
            return mp.mpf(at_zero)
        with mp.workdps(120):
            return +function(mp.mpf(x))

    return wrapped


def parts(name, comment, value, bits):
    """Prints a number as a sum of doubles of so many bits each."""
    out = []
    for width in bits:
        with mp.workprec(width):
            part = +value
        out.append(part)
        value = value - part
    print(f"/// {comment}")
    print(f"pub const {name}: [f64; {len(bits)}] = [{', '.join(rust(p) for p in out)}];")


def main():
    print("//! Coefficients and constants; made by `coefficients.py`.\n")
    print('#![expect(clippy::approx_constant, reason = "the first parts of constants")]\n')
    root = mp.sqrt
    mp.mp.dps = 90
    parts("LN_2", "ln 2; the first part times any exponent is exact.", mp.ln(2), [40, 53])
    parts("LN_2_PAIR", "ln 2.", mp.ln(2), [53, 53])
    parts("THIRD_PAIR", "1 / 3.", 1 / mp.mpf(3), [53, 53])
    parts("LOG2_E", "1 / ln 2.", 1 / mp.ln(2), [53, 53])
    parts("LOG10_E", "1 / ln 10.", 1 / mp.ln(10), [53, 53])
    parts("LOG10_2", "ln 2 / ln 10; the first part times any exponent is exact.", mp.ln(2) / mp.ln(10), [40, 53])
    parts(
        "HALF_PI",
        "pi / 2; the first part as Boldo, Daumas and Li want it for exact differences.",
        mp.pi / 2,
        [50, 53, 53],
    )
    parts("HALF_PI_PAIR", "pi / 2.", mp.pi / 2, [53, 53])
    parts("PI_PAIR", "pi.", mp.pi, [53, 53])
    parts("QUARTER_PI_PAIR", "pi / 4.", mp.pi / 4, [53, 53])
    with mp.workprec(1400):
        bits = int(mp.floor(2 / mp.pi * mp.mpf(2) ** (19 * 64)))
    words = [0] + [bits >> (64 * (18 - i)) & (2**64 - 1) for i in range(19)]
    print("/// 2 / pi in words of 64 bits, most significant first, a word of zeros before.")
    print(f"pub const TWO_OVER_PI: [u64; {len(words)}] = [")
    for word in words:
        print(f"    0x{word:016X},")
    print("];\n")
    z = (mp.ln(2) / 2 * mp.mpf("1.0001")) ** 2
    fit(
        "EXP_EVEN",
        "(cosh(r) - 1) / r^2, in r^2.",
        careful(lambda z: (mp.cosh(root(z)) - 1) / z, "0.5"),
        0,
        z,
        5,
        lambda z: z,
    )
    fit(
        "EXP_ODD",
        "(sinh(r) / r - 1) / r^2, in r^2.",
        careful(lambda z: (mp.sinh(root(z)) / root(z) - 1) / z, mp.mpf(1) / 6),
        0,
        z,
        5,
        lambda z: z,
    )
    z = (3 - 2 * root(2)) ** 2 * mp.mpf("1.001")
    fit(
        "LOG",
        "(2 atanh(s) / s - 2) / s^2, in s^2.",
        careful(lambda z: (2 * mp.atanh(root(z)) / root(z) - 2) / z, mp.mpf(2) / 3),
        0,
        z,
        7,
        lambda z: z / 2,
    )
    fit(
        "LOG_LONG",
        "(atanh(s) / s - 1 - s^2 / 3) / s^4, in s^2.",
        careful(lambda z: (mp.atanh(root(z)) / root(z) - 1 - z / 3) / z**2, mp.mpf(1) / 5),
        0,
        z,
        8,
        lambda z: z**2,
    )
    z = (mp.pi / 4) ** 2 * mp.mpf("1.002")
    fit(
        "SIN",
        "(sin(r) / r - 1) / r^2, in r^2.",
        careful(lambda z: (mp.sin(root(z)) / root(z) - 1) / z, -mp.mpf(1) / 6),
        0,
        z,
        6,
        lambda z: z,
    )
    fit(
        "COS",
        "(cos(r) - 1 + r^2 / 2) / r^4, in r^2.",
        careful(lambda z: (mp.cos(root(z)) - 1 + z / 2) / z**2, mp.mpf(1) / 24),
        0,
        z,
        6,
        lambda z: z**2,
    )
    z = (root(2) - 1) ** 2 * mp.mpf("1.001")
    fit(
        "ATAN",
        "(atan(t) / t - 1) / t^2, in t^2.",
        careful(lambda z: (mp.atan(root(z)) / root(z) - 1) / z, -mp.mpf(1) / 3),
        0,
        z,
        12,
        lambda z: z,
    )
    fit(
        "ASIN",
        "(asin(t) / t - 1) / t^2, in t^2, to t = 1/2.",
        careful(lambda z: (mp.asin(root(z)) / root(z) - 1) / z, mp.mpf(1) / 6),
        0,
        mp.mpf("0.2501"),
        14,
        lambda z: z,
    )
    fit(
        "SINH",
        "(sinh(x) / x - 1) / x^2, in x^2, to x = 1.",
        careful(lambda z: (mp.sinh(root(z)) / root(z) - 1) / z, mp.mpf(1) / 6),
        0,
        mp.mpf("1.001"),
        8,
        lambda z: z,
    )
    interpolate(
        "ERF",
        "erf(x) / x - 1, in x^2, to x = 1.",
        careful(lambda z: mp.erf(root(z)) / root(z) - 1, 2 / root(mp.pi) - 1),
        0,
        mp.mpf("1.001"),
        13,
    )
    c = mp.mpf(ERFC_CENTRE)
    interpolate(
        "ERFC",
        "(1 + 2 x) e^(x^2) erfc(x), in t = (x - c) / (x + c), for x in [0.45, 27.5].",
        careful(lambda t: scaled_erfc(c * (1 + t) / (1 - t)), scaled_erfc(c)),
        (mp.mpf("0.45") - c) / (mp.mpf("0.45") + c),
        (mp.mpf("27.5") - c) / (mp.mpf("27.5") + c),
        23,
    )
    c = mp.mpf(LOG_GAMMA_CENTRE)
    interpolate(
        "LOG_GAMMA",
        "log gamma(x) / ((x - 1) (x - 2)), in t = (x - c) / (x + c), for x in [0.5, 2.5].",
        careful(lambda t: log_gamma_quotient(c * (1 + t) / (1 - t)), log_gamma_quotient(c)),
        (mp.mpf("0.49") - c) / (mp.mpf("0.49") + c),
        (mp.mpf("2.51") - c) / (mp.mpf("2.51") + c),
        24,
    )
    print(
        f"/// Centres of the two before.\npub const ERFC_CENTRE: f64 = {ERFC_CENTRE};\n"
        f"pub const LOG_GAMMA_CENTRE: f64 = {LOG_GAMMA_CENTRE};"
    )
    numbers = [rust(mp.bernoulli(2 * i) / (2 * i * (2 * i - 1))) for i in range(1, 10)]
    print("/// Stirling's series: of 1/z, in 1/z^2.")
    print(f"pub const STIRLING: [f64; {len(numbers)}] = [{', '.join(numbers)}];")
    parts("HALF_LOG_TWO_PI", "log(2 pi) / 2.", mp.log(2 * mp.pi) / 2, [53, 53])


ERFC_CENTRE = 4.0
LOG_GAMMA_CENTRE = 1.125


def scaled_erfc(x):
    return (1 + 2 * x) * mp.exp(x * x) * mp.erfc(x)


def log_gamma_quotient(x):
    if x in (1, 2):
        return mp.euler if x == 1 else 1 - mp.euler
    return mp.loggamma(x) / ((x - 1) * (x - 2))


if __name__ == "__main__":
    main()
