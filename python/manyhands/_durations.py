"""Times, as people write and read them."""

import math
import re

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "": 1.0, "min": 60.0, "h": 3600.0}


def seconds(name, value):
    """`value` in seconds: a number of them, or a text such as "20s", "1.5 min", "300ms". Errors name the argument
    `name`."""
    if isinstance(value, str):
        found = re.fullmatch(r"\s*([0-9]*\.?[0-9]+(?:e-?[0-9]+)?)\s*([a-zµ]*)\s*", value)
        if not found or found[2] not in _UNITS:
            raise ValueError(f'{name} must be a time such as "20s", "1.5min" or "300ms", not {value!r}')
        number = float(found[1]) * _UNITS[found[2]]
    else:
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise TypeError(f"{name} must be a number of seconds or a text, not {type(value).__name__}") from None
    if not 0 < number < math.inf:
        raise ValueError(f"{name} must be more than 0 seconds, not {value!r}")
    return number


def said(time):
    """Seconds in three digits with the unit that suits: "160 ms"."""
    if time <= 0:
        return "0 s"
    for factor, unit in ((1e-9, "ns"), (1e-6, "us"), (1e-3, "ms")):
        # Not by the unit's own size: 999.6 us are rounded to 1 ms.
        if time < 999.5 * factor:
            return f"{time / factor:.3g} {unit}"
    if time < 119.5:
        return f"{time:.3g} s"
    minutes, rest = divmod(round(time), 60)
    if minutes < 120:
        return f"{minutes} min" + (f" {rest} s" if rest else "")
    hours, minutes = divmod(round(time / 60), 60)
    return f"{hours} h" + (f" {minutes} min" if minutes else "")
