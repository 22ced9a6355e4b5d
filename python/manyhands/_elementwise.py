"""Applies a compiled function of numbers to arrays, element by element: broadcasting, `out`, types, in parallel."""

import numpy as np

from . import loops
from ._jit_calls import make

_CASTINGS = ("no", "equiv", "safe", "same_kind", "unsafe")


class Unlike(Exception):
    """Raised by a kernel for lists of one length, where these are not."""


class Elementwise:
    """A function of numbers, for arrays of one shape or of shapes that broadcast.

    A kernel is written for each way in which the arguments stand to the result's axes, so that rows, columns and
    numbers are read where they are: nothing is copied or spread out.
    """

    def __init__(self, function, parallel, cache):
        self.function = function
        self.parallel = parallel
        self.cache = cache
        self.kernels = {}
        #: Of the last call with arrays of one shape: their types, the result's, and the kernel.
        self._usual = None, None, None
        #: The last kernel that made its result itself: with a tuple of values, and with names and where they stand.
        self.again = self.again_of = _never

    def apply(self, values, out=None, dtype=None, casting="same_kind", order="K"):
        if out is None and dtype is None and order == "K":
            try:
                done = self.again(values)
            except Unlike:
                done = NotImplemented
            if done is not NotImplemented:
                return done
        return self.apply_anew(values, out, dtype, casting, order)

    def apply_anew(self, values, out, dtype, casting, order):
        """The same, where the last kernel that made its result itself was tried, or is not asked for."""
        if dtype is None and order == "K":
            done = self._whole(values, out)
            if done is not None:
                return done
        if casting not in _CASTINGS:
            raise ValueError(f"casting must be one of {', '.join(_CASTINGS)}, not {casting!r}")
        arrays = [_array(value, place) for place, value in enumerate(values)]
        # A number of Python's beside NumPy's takes their type, as everywhere in NumPy; by itself it is one of NumPy's.
        own = [type(value) in (int, float, complex) for value in values]
        numbers = [value if mine and not all(own) else array[()] for value, mine, array in zip(values, own, arrays)]
        if out is not None:
            _check_out(out)
        if not any(array.ndim for array in arrays) and (out is None or not out.ndim):
            return self._number(numbers, out, dtype, casting)
        shape = _shape(arrays, out)
        natural = self._natural(array if array.ndim else number for array, number in zip(arrays, numbers))
        kind = _wanted(natural, out, dtype, casting)
        if out is None and dtype is None and all(array.shape == shape and array.ndim == 1 for array in arrays):
            kernel = self._kernel(kind.type.__name__, len(arrays))
            self.again, self.again_of = kernel._again, kernel._again_of
            return kernel(*arrays)
        if out is None:
            out = np.empty(shape, kind, order=_order(order, arrays))
        else:
            # Memory that is shared otherwise than element for element is read from a copy.
            arrays = [
                array.copy() if np.may_share_memory(array, out) and not _alike(array, out) else array
                for array in arrays
            ]
        if not out.size:
            return out
        target = out
        if out.ndim > 1:
            target, arrays = _flattened(target, arrays)
        pattern, given = [], []
        for array, number in zip(arrays, numbers):
            if array.ndim == 0:
                pattern.append(None)
                given.append(number)
            elif array.shape == target.shape and _alike(array, target):
                pattern.append("out")
            else:
                missing = target.ndim - array.ndim
                pattern.append(
                    tuple(
                        axis + missing if length == target.shape[axis + missing] else -1
                        for axis, length in enumerate(array.shape)
                    )
                )
                given.append(array)
        kernel = self._kernel(target.ndim, tuple(pattern))
        kernel(target, *given)
        kinds = [array.dtype for array in arrays]
        if all(way == (0,) for way in pattern) and kind == natural:
            self._usual = kinds, kind, kernel
        return out

    def _whole(self, values, out):
        """The usual case, without a detour: arrays of one shape, without gaps, of the last call's types. Else None."""
        last, usual, line = self._usual
        kinds = []
        shape = None
        for value in values:
            if type(value) is not np.ndarray:
                return None
            if shape is None:
                shape = value.shape
                flat = len(shape) == 1
            elif value.shape != shape:
                return None
            if not flat and not value.flags.c_contiguous:
                return None
            kinds.append(value.dtype)
        if kinds != last or not shape:
            return None
        if out is None:
            out = np.empty(shape, usual)
        elif (
            type(out) is not np.ndarray
            or out.shape != shape
            or out.dtype != usual
            or not (out.flags.writeable and (flat or out.flags.c_contiguous))
            or any(np.may_share_memory(value, out) for value in values)
        ):
            return None
        # Not compiled anew here: where a global has changed, the results may be of another type.
        filled = line._again((out, *values) if flat else (out.reshape(-1), *[value.reshape(-1) for value in values]))
        return None if filled is NotImplemented else out

    def _number(self, numbers, out, dtype, casting):
        kind = _wanted(self._natural(numbers), out, dtype, casting)
        found = self.function(*numbers)
        if out is None:
            return kind.type(found)
        np.copyto(out, found, casting)
        return out

    def _natural(self, operands):
        """The type of the function's results: another one, perhaps, when a global that it reads has changed."""
        kinds = [operand.dtype.type if hasattr(operand, "dtype") else type(operand) for operand in operands]
        name = self.function._result([kind(0) for kind in kinds])
        if name is None:
            raise TypeError(f"{self.function.py_func.__qualname__} must give one number for each element")
        return np.dtype(name)

    def _kernel(self, rank, pattern):
        """The kernel for a result of this rank, or, for the name of its type, the one that makes it."""
        found = self.kernels.get((rank, pattern))
        if found is None:
            text = _making(rank, pattern) if isinstance(rank, str) else _filling(rank, pattern)
            space = {
                "prange": loops.prange,
                "function": self.function,
                "np": np,
                "Unlike": Unlike,
                "__name__": __name__,
            }
            exec(text, space)
            found = self.kernels[rank, pattern] = make(space["elementwise"], self.parallel, self.cache, text)
        return found


def _never(*_values):
    """In place of a kernel that there is not yet."""
    return NotImplemented


def _making(kind, count):
    """Of lists of one length, which makes its result."""
    names = [f"a{number}" for number in range(count)]
    unlike = "".join(f"    if len({name}) != n:\n        raise Unlike\n" for name in names[1:])
    return (
        f"def elementwise({', '.join(names)}):\n"
        f"    n = len(a0)\n"
        f"{unlike}"
        f"    out = np.empty(n, np.{kind})\n"
        f"    for i in prange(n):\n"
        f"        out[i] = function({', '.join(name + '[i]' for name in names)})\n"
        f"    return out\n"
    )


def _filling(rank, pattern):
    """Which fills the result it is given; `pattern` tells how each argument stands to it."""
    names = [f"a{number}" for number, way in enumerate(pattern) if way != "out"]
    everywhere = ", ".join(f"i{axis}" for axis in range(rank))
    items = []
    for number, way in enumerate(pattern):
        if way is None:
            items.append(f"a{number}")
        elif way == "out":
            items.append(f"out[{everywhere}]")
        else:
            items.append(f"a{number}[{', '.join('0' if axis < 0 else f'i{axis}' for axis in way)}]")
    text = f"def elementwise({', '.join(['out', *names])}):\n"
    for axis in range(rank):
        head = "prange" if axis == 0 else "range"
        text += "    " * (axis + 1) + f"for i{axis} in {head}(out.shape[{axis}]):\n"
    text += "    " * (rank + 1) + f"out[{everywhere}] = function({', '.join(items)})\n"
    return text


def _array(value, place):
    if isinstance(value, np.ndarray) and type(value) not in (np.ndarray, np.memmap):
        name = f"{type(value).__module__}.{type(value).__name__}"
        raise TypeError(
            f"argument {place + 1} is an array of the class {name}, whose meaning would be lost: np.asarray(x) gives "
            "its plain elements"
        )
    array = np.asarray(value)
    if array.dtype.kind not in "biufc":
        raise TypeError(f"argument {place + 1} must be numbers, not {array.dtype.name}")
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def _wanted(kind, out, dtype, casting):
    """The type of the result's elements, where the function gives `kind`."""
    if dtype is None and out is None:
        return kind
    wanted = np.dtype(dtype) if out is None else out.dtype
    if not np.can_cast(kind, wanted, casting):
        raise TypeError(
            f"the results are {kind.name}, which are not put into {wanted.name} (casting={casting!r}): give an "
            "array of that type, or another casting"
        )
    return wanted


def _check_out(out):
    if not isinstance(out, np.ndarray):
        raise TypeError(f"out must be an array, not {type(out).__name__}")
    if not out.flags.writeable:
        raise ValueError("out is read only")
    if not out.dtype.isnative:
        raise TypeError("out must have the machine's order of bytes")


def _shape(arrays, out):
    shape = np.broadcast_shapes(*(array.shape for array in arrays))
    if out is None or shape == out.shape:
        return shape
    try:
        wide = np.broadcast_shapes(shape, out.shape)
    except ValueError:
        wide = None
    if wide != out.shape:
        raise ValueError(f"out has the shape {out.shape}, the result {shape}")
    return out.shape


def _alike(one, other):
    """Whether both are the same elements in the same places."""
    return (
        one.__array_interface__["data"] == other.__array_interface__["data"]
        and one.shape == other.shape
        and one.strides == other.strides
        and one.dtype == other.dtype
    )


def _order(order, arrays):
    if order not in ("C", "F", "A", "K"):
        raise ValueError(f"order must be 'C', 'F', 'A' or 'K', not {order!r}")
    if order in "CF":
        return order
    deep = [array for array in arrays if array.ndim > 1]
    columns = deep and all(array.flags.f_contiguous for array in deep)
    return "F" if columns and not all(array.flags.c_contiguous for array in deep) else "C"


def _flattened(target, arrays):
    """One axis for all, where each array has the whole shape and the same order without gaps; numbers stay."""
    whole = [target, *(array for array in arrays if array.ndim)]
    if all(array.shape == target.shape for array in whole):
        if all(array.flags.c_contiguous for array in whole):
            return target.reshape(-1), [array.reshape(-1) if array.ndim else array for array in arrays]
        if all(array.flags.f_contiguous for array in whole):
            return target.T.reshape(-1), [array.T.reshape(-1) if array.ndim else array for array in arrays]
    return target, arrays
