"""Arrays made of parts of others, and masks of whole arrays, for compiled code (see `_jit_numpy`)."""

import numpy as np

from ._jit_numpy_axes import flat, flat_all, within


def concatenate(arrays, axis=0):
    """`np.concatenate` of a tuple; of more than eight arrays, all are of one type."""
    if axis is None:
        if len(arrays) > 8:
            raise NotImplementedError("np.concatenate(axis=None) is compiled for up to eight arrays")
        return _concatenated(flat_all(arrays), 0)
    elif arrays[0].ndim == 0:
        raise ValueError("zero-dimensional arrays cannot be concatenated")
    else:
        within(arrays[0], axis)
        return _concatenated(arrays, axis)


def _concatenated(arrays, axis):
    first = arrays[0]
    along = axis + first.ndim if axis < 0 else axis
    count = arrays[0].shape[along]
    if len(arrays) <= 8:
        if len(arrays) > 1:
            count += arrays[1].shape[along]
        if len(arrays) > 2:
            count += arrays[2].shape[along]
        if len(arrays) > 3:
            count += arrays[3].shape[along]
        if len(arrays) > 4:
            count += arrays[4].shape[along]
        if len(arrays) > 5:
            count += arrays[5].shape[along]
        if len(arrays) > 6:
            count += arrays[6].shape[along]
        if len(arrays) > 7:
            count += arrays[7].shape[along]
    else:
        count = 0
        for array in arrays:
            count += array.shape[along]
    if first.ndim == 1:
        out = np.empty(count, dtype=np.result_type(*arrays))
    elif first.ndim == 2 and along == 0:
        out = np.empty((count, first.shape[1]), dtype=np.result_type(*arrays))
    elif first.ndim == 2:
        out = np.empty((first.shape[0], count), dtype=np.result_type(*arrays))
    elif first.ndim == 3 and along == 0:
        out = np.empty((count, first.shape[1], first.shape[2]), dtype=np.result_type(*arrays))
    elif first.ndim == 3 and along == 1:
        out = np.empty((first.shape[0], count, first.shape[2]), dtype=np.result_type(*arrays))
    elif first.ndim == 3:
        out = np.empty((first.shape[0], first.shape[1], count), dtype=np.result_type(*arrays))
    else:
        raise NotImplementedError("arrays of more than three dimensions are not put together in compiled code")
    begin = 0
    if len(arrays) <= 8:
        begin = _joined(out, begin, arrays[0], along)
        if len(arrays) > 1:
            begin = _joined(out, begin, arrays[1], along)
        if len(arrays) > 2:
            begin = _joined(out, begin, arrays[2], along)
        if len(arrays) > 3:
            begin = _joined(out, begin, arrays[3], along)
        if len(arrays) > 4:
            begin = _joined(out, begin, arrays[4], along)
        if len(arrays) > 5:
            begin = _joined(out, begin, arrays[5], along)
        if len(arrays) > 6:
            begin = _joined(out, begin, arrays[6], along)
        if len(arrays) > 7:
            begin = _joined(out, begin, arrays[7], along)
    else:
        for array in arrays:
            begin = _joined(out, begin, array, along)
    return out


def _joined(out, begin, array, axis):
    """Puts one in its place; gives where the next one begins."""
    if array.ndim != out.ndim:
        raise ValueError("all the input array dimensions must match exactly")
    end = begin + array.shape[axis]
    if out.ndim == 1:
        out[begin:end] = array
    elif out.ndim == 2:
        if axis == 0:
            _same(array.shape[1], out.shape[1])
            out[begin:end] = array
        else:
            _same(array.shape[0], out.shape[0])
            out[:, begin:end] = array
    else:
        for other in range(3):
            if other != axis:
                _same(array.shape[other], out.shape[other])
        if axis == 0:
            out[begin:end] = array
        elif axis == 1:
            out[:, begin:end] = array
        else:
            out[:, :, begin:end] = array
    return end


def _same(length, other):
    if length != other:
        raise ValueError(
            f"all the input array dimensions except for the concatenation axis must match exactly: {other} and {length}"
        )


def hstack(arrays):
    """`np.hstack` of a tuple."""
    if len(arrays) > 8:
        return concatenate(arrays) if arrays[0].ndim == 1 else concatenate(arrays, 1)
    elif np.ndim(arrays[0]) < 2:
        return concatenate(_as_vectors(arrays))
    else:
        return concatenate(_as_vectors(arrays), 1)


def vstack(arrays):
    """`np.vstack` of a tuple."""
    if len(arrays) > 8:
        return stack(arrays) if arrays[0].ndim == 1 else concatenate(arrays)
    else:
        return concatenate(_as_rows(arrays))


def column_stack(arrays):
    """`np.column_stack` of a tuple: vectors are columns."""
    if len(arrays) > 8:
        return stack(arrays, 1) if arrays[0].ndim == 1 else concatenate(arrays, 1)
    else:
        return concatenate(_as_columns(arrays), 1)


def _as_vectors(arrays):
    """Numbers as vectors, arrays as they are."""
    one = arrays[0] if np.ndim(arrays[0]) > 0 else flat(arrays[0])
    if len(arrays) == 1:
        return (one,)
    else:
        return (one,) + _as_vectors(arrays[1:])  # noqa: RUF005 (compiled code unpacks no tuples)


def _as_rows(arrays):
    """Numbers and vectors as rows of matrices, other arrays as they are."""
    one = arrays[0] if np.ndim(arrays[0]) > 1 else flat(arrays[0])[None]
    if len(arrays) == 1:
        return (one,)
    else:
        return (one,) + _as_rows(arrays[1:])  # noqa: RUF005 (compiled code unpacks no tuples)


def _as_columns(arrays):
    """Numbers and vectors as columns of matrices, other arrays as they are."""
    one = arrays[0] if np.ndim(arrays[0]) > 1 else flat(arrays[0])[:, None]
    if len(arrays) == 1:
        return (one,)
    else:
        return (one,) + _as_columns(arrays[1:])  # noqa: RUF005 (compiled code unpacks no tuples)


def stack(arrays, axis=0):
    """`np.stack` of a tuple, along a new last axis or one of the first four; more than eight arrays have one type."""
    if np.ndim(arrays[0]) == 0:
        raise NotImplementedError("np.stack of numbers is not compiled: write np.array((x, y))")
    first = arrays[0]
    if axis < -first.ndim - 1 or axis > first.ndim:
        raise ValueError(f"axis {axis} is out of bounds for array of dimension {first.ndim + 1}")
    along = axis + first.ndim + 1 if axis < 0 else axis
    if along == 0:
        out = np.empty((len(arrays),) + first.shape, dtype=np.result_type(*arrays))  # noqa: RUF005 (compiled code unpacks no tuples)
    elif along == first.ndim:
        out = np.empty(first.shape + (len(arrays),), dtype=np.result_type(*arrays))  # noqa: RUF005 (compiled code unpacks no tuples)
    elif along == 1:
        shape = first.shape[:1] + (len(arrays),) + first.shape[1:]  # noqa: RUF005 (compiled code unpacks no tuples)
        out = np.empty(shape, dtype=np.result_type(*arrays))
    elif along == 2:
        shape = first.shape[:2] + (len(arrays),) + first.shape[2:]  # noqa: RUF005 (compiled code unpacks no tuples)
        out = np.empty(shape, dtype=np.result_type(*arrays))
    elif along == 3:
        shape = first.shape[:3] + (len(arrays),) + first.shape[3:]  # noqa: RUF005 (compiled code unpacks no tuples)
        out = np.empty(shape, dtype=np.result_type(*arrays))
    else:
        raise NotImplementedError("np.stack along an axis between the fourth and the last is not compiled")
    if len(arrays) <= 8:
        _stacked(out, 0, first, first, along)
        if len(arrays) > 1:
            _stacked(out, 1, arrays[1], first, along)
        if len(arrays) > 2:
            _stacked(out, 2, arrays[2], first, along)
        if len(arrays) > 3:
            _stacked(out, 3, arrays[3], first, along)
        if len(arrays) > 4:
            _stacked(out, 4, arrays[4], first, along)
        if len(arrays) > 5:
            _stacked(out, 5, arrays[5], first, along)
        if len(arrays) > 6:
            _stacked(out, 6, arrays[6], first, along)
        if len(arrays) > 7:
            _stacked(out, 7, arrays[7], first, along)
    else:
        for i, array in enumerate(arrays):
            _stacked(out, i, array, first, along)
    return out


def _stacked(out, i, array, first, along):
    if array.shape != first.shape:
        raise ValueError("all input arrays must have the same shape")
    if along == 0:
        out[i] = array
    elif along == first.ndim:
        out[..., i] = array
    elif first.ndim > 2 and along == 2:
        out[:, :, i] = array
    elif first.ndim > 3 and along == 3:
        out[:, :, :, i] = array
    else:
        out[:, i] = array


def append(arr, values, axis=None):
    """`np.append`: of all elements, or along an axis."""
    if axis is None:
        return concatenate((flat(arr), flat(values)))
    elif arr.ndim != values.ndim:
        raise ValueError("all the input arrays must have same number of dimensions")
    else:
        return concatenate((arr, values), axis)


def diff(a, n=1, axis=-1):
    """`np.diff`: differences of neighbours, so often; of bools whether they differ."""
    within(a, axis)
    if n == 0:
        return a
    elif n == 1:
        return _diff(a, axis)
    elif n == 2:
        return _diff(_diff(a, axis), axis)
    elif n == 3:
        return _diff(_diff(_diff(a, axis), axis), axis)
    elif n < 0:
        raise ValueError("order must be non-negative")
    else:
        raise NotImplementedError("np.diff is compiled for n up to 3: call it again")


def _diff(a, axis):
    if axis == -1 or axis == a.ndim - 1:
        return _less(a[..., 1:], a[..., :-1])
    elif axis == 0 or axis == -a.ndim:
        return _less(a[1:], a[:-1])
    elif axis == 1 or axis == 1 - a.ndim:
        return _less(a[:, 1:], a[:, :-1])
    else:
        raise NotImplementedError("np.diff is compiled along the first two axes and the last")


def _less(later, earlier):
    if later.dtype == np.bool_:
        return later != earlier
    else:
        return later - earlier


def flip(m, axis=None):
    """`np.flip`: a view from the end, along all axes or one."""
    if axis is None:
        if m.ndim == 0:
            return m
        elif m.ndim == 1:
            return m[::-1]
        elif m.ndim == 2:
            return m[::-1, ::-1]
        elif m.ndim == 3:
            return m[::-1, ::-1, ::-1]
        else:
            raise NotImplementedError("np.flip along all axes is compiled for up to three")
    elif isinstance(axis, tuple):
        if len(axis) == 1:
            return _flip(m, axis[0])
        elif len(axis) == 2:
            return _flip(_flip(m, axis[0]), axis[1])
        else:
            raise NotImplementedError("np.flip is compiled along one axis, two, or all")
    else:
        return _flip(m, axis)


def _flip(m, axis):
    within(m, axis)
    if axis == 0 or axis == -m.ndim:
        return m[::-1]
    elif axis == -1 or axis == m.ndim - 1:
        return m[..., ::-1]
    elif axis == 1 or axis == 1 - m.ndim:
        return m[:, ::-1]
    else:
        raise NotImplementedError("np.flip is compiled along the first two axes and the last")


def roll(a, shift, axis=None):
    """`np.roll`: along axes, or of all elements row by row."""
    if axis is None:
        if isinstance(shift, tuple):
            return _roll(a.ravel(), sum(shift), 0).reshape(a.shape)
        else:
            return _roll(a.ravel(), shift, 0).reshape(a.shape)
    elif isinstance(axis, tuple):
        if isinstance(shift, tuple):
            if len(axis) != len(shift):
                raise ValueError("shape mismatch: as many axes as shifts are rolled along")
            shifts = shift
        else:
            shifts = (shift, shift, shift)
        if len(axis) == 1:
            return _roll(a, shifts[0], axis[0])
        elif len(axis) == 2:
            return _roll(_roll(a, shifts[0], axis[0]), shifts[1], axis[1])
        elif len(axis) == 3:
            return _roll(_roll(_roll(a, shifts[0], axis[0]), shifts[1], axis[1]), shifts[2], axis[2])
        else:
            raise NotImplementedError("np.roll is compiled along up to three axes")
    elif isinstance(shift, tuple):
        return _roll(a, sum(shift), axis)
    else:
        return _roll(a, shift, axis)


def _roll(a, shift, axis):
    within(a, axis)
    out = np.empty(a.shape, dtype=a.dtype)
    n = a.shape[axis]
    if n > 0:
        k = shift % n
        if axis == 0 or axis == -a.ndim:
            out[k:] = a[: n - k]
            out[:k] = a[n - k :]
        elif axis == a.ndim - 1 or axis == -1:
            out[..., k:] = a[..., : n - k]
            out[..., :k] = a[..., n - k :]
        elif axis == 1 or axis == 1 - a.ndim:
            out[:, k:] = a[:, : n - k]
            out[:, :k] = a[:, n - k :]
        else:
            raise NotImplementedError("np.roll is compiled along the first two axes and the last")
    return out


def repeat(a, repeats, axis=None):
    """`np.repeat`: each element so often, or each part along an axis."""
    if axis is None:
        return _repeat(flat(a), repeats, 0)
    else:
        within(a, axis)
        return _repeat(a, repeats, axis + a.ndim if axis < 0 else axis)


def _repeat(a, repeats, axis):
    counts = flat(repeats)
    n = a.shape[axis]
    if np.result_type(counts.dtype, np.int64) != np.int64:
        raise TypeError("Cannot cast array data to dtype('int64') according to the rule 'safe'")
    if counts.shape[0] != n and counts.shape[0] != 1:
        raise ValueError("operands could not be broadcast together: an array, and how often each is repeated")
    same = counts.shape[0] == 1
    whole = 0
    for i in range(n):
        count = int(counts[0 if same else i])
        if count < 0:
            raise ValueError("repeats may not contain negative values.")
        whole += count
    parts = np.swapaxes(a, 0, axis)
    shape = a.shape[:axis] + (whole,) + a.shape[axis + 1 :]  # noqa: RUF005 (compiled code unpacks no tuples)
    out = np.empty(shape, dtype=a.dtype)
    into = np.swapaxes(out, 0, axis)
    k = 0
    for i in range(n):
        count = int(counts[0 if same else i])
        into[k : k + count] = parts[i]
        k += count
    return out


def array_equal(a, b):
    """`np.array_equal`."""
    if a.shape != b.shape:
        return False
    elif a.ndim == 0:
        return bool(a == b)
    else:
        return bool(np.all(a == b))


def flatnonzero(a):
    """Where an array is not zero: places row by row."""
    values = a.ravel()
    found = np.empty(np.count_nonzero(values), dtype=np.int64)
    k = 0
    for i in range(values.shape[0]):
        if values[i]:
            found[k] = i
            k += 1
    return found


def nonzero(a):
    """Where an array is not zero: indices for each axis."""
    if a.ndim == 0:
        raise ValueError("Calling nonzero on 0d arrays is not allowed. Use np.atleast_1d(scalar).nonzero() instead.")
    if a.ndim == 1:
        return (flatnonzero(a),)
    elif a.ndim == 2:
        count = np.count_nonzero(a)
        rows = np.empty(count, dtype=np.int64)
        columns = np.empty(count, dtype=np.int64)
        k = 0
        for i in range(a.shape[0]):
            for j in range(a.shape[1]):
                if a[i, j]:
                    rows[k] = i
                    columns[k] = j
                    k += 1
        return rows, columns
    elif a.ndim == 3:
        count = np.count_nonzero(a)
        planes = np.empty(count, dtype=np.int64)
        rows = np.empty(count, dtype=np.int64)
        columns = np.empty(count, dtype=np.int64)
        n = 0
        for i in range(a.shape[0]):
            for j in range(a.shape[1]):
                for k in range(a.shape[2]):
                    if a[i, j, k]:
                        planes[n] = i
                        rows[n] = j
                        columns[n] = k
                        n += 1
        return planes, rows, columns
    else:
        raise NotImplementedError("np.nonzero, and masks, are compiled for up to three dimensions")


def argwhere(a):
    """Where an array is not zero: a row of indices for each."""
    if a.ndim == 0:
        raise NotImplementedError("np.argwhere is compiled for arrays with dimensions")
    return stack(nonzero(a), 1)


def nansum(a, axis=None, keepdims=False):
    """The sum of what is a number."""
    return np.sum(np.where(np.isnan(a), 0, a), axis=axis, keepdims=keepdims)


def nanmean(a, axis=None, keepdims=False):
    """The mean of what is a number."""
    if np.result_type(a.dtype, np.float32) == a.dtype:
        count = np.sum(~np.isnan(a), axis=axis, keepdims=keepdims)
        return (nansum(a, axis, keepdims) / count).astype(a.dtype)
    else:
        return np.mean(a, axis=axis, keepdims=keepdims)


def nanmin(a, axis=None, keepdims=False):
    """The least of what is a number."""
    if np.result_type(a.dtype, np.float32) == a.dtype:
        least = np.min(np.where(np.isnan(a), np.inf, a), axis=axis, keepdims=keepdims)
        return np.where(np.all(np.isnan(a), axis=axis, keepdims=keepdims), np.nan, least)
    else:
        return np.min(a, axis=axis, keepdims=keepdims)


def nanmax(a, axis=None, keepdims=False):
    """The greatest of what is a number."""
    if np.result_type(a.dtype, np.float32) == a.dtype:
        greatest = np.max(np.where(np.isnan(a), -np.inf, a), axis=axis, keepdims=keepdims)
        return np.where(np.all(np.isnan(a), axis=axis, keepdims=keepdims), np.nan, greatest)
    else:
        return np.max(a, axis=axis, keepdims=keepdims)


def take(a, indices, axis=None):
    """`np.take`: of all elements row by row, or along an axis."""
    if axis is None:
        return _take(flat(a), indices, 0)
    else:
        within(a, axis)
        return _take(a, indices, axis + a.ndim if axis < 0 else axis)


def _take(a, indices, axis):
    parts = np.swapaxes(a, 0, axis)
    if isinstance(indices, tuple):
        return _take(a, np.array(indices), axis)
    elif np.ndim(indices) == 0:
        if a.ndim == 1:
            return a[_whole(indices)]
        else:
            # The axis goes, the others stay in their order.
            one = np.empty((1,) + parts.shape[1:], dtype=a.dtype)  # noqa: RUF005 (compiled code unpacks no tuples)
            one[0] = parts[_whole(indices)]
            return np.swapaxes(one, 0, axis).reshape(a.shape[:axis] + a.shape[axis + 1 :])
    else:
        numbers = indices.ravel()
        shape = a.shape[:axis] + numbers.shape + a.shape[axis + 1 :]
        out = np.empty(shape, dtype=a.dtype)
        into = np.swapaxes(out, 0, axis)
        for i in range(numbers.shape[0]):
            into[i] = parts[_whole(numbers[i])]
        return out.reshape(a.shape[:axis] + indices.shape + a.shape[axis + 1 :])


def _whole(index):
    if np.result_type(index, np.int64) != np.int64:
        raise TypeError("Cannot cast array data to dtype('int64') according to the rule 'safe'")
    if isinstance(index, np.ndarray):
        return int(index.ravel()[0])
    else:
        return int(index)


def where(a, mask):
    """`a[mask]`: the elements, or rows, where it is true."""
    if mask.ndim == 1:
        if mask.shape[0] != a.shape[0]:
            raise IndexError(
                "boolean index did not match indexed array along axis 0; size of axis is "
                f"{a.shape[0]} but size of corresponding boolean axis is {mask.shape[0]}"
            )
        return taken(a, flatnonzero(mask))
    elif mask.ndim == 2 and a.ndim == 2:
        _fits(a, mask)
        out = np.empty(np.count_nonzero(mask), dtype=a.dtype)
        k = 0
        for i in range(a.shape[0]):
            for j in range(a.shape[1]):
                if mask[i, j]:
                    out[k] = a[i, j]
                    k += 1
        return out
    else:
        raise NotImplementedError("masks of more than two dimensions are not compiled")


def _fits(a, mask):
    if a.shape[0] != mask.shape[0] or a.shape[1] != mask.shape[1]:
        raise IndexError("boolean index did not match indexed array: its shape is another")


def put_where(a, mask, values):
    """`a[mask] = values`."""
    if mask.ndim == 1:
        if mask.shape[0] != a.shape[0]:
            raise IndexError(
                "boolean index did not match indexed array along axis 0; size of axis is "
                f"{a.shape[0]} but size of corresponding boolean axis is {mask.shape[0]}"
            )
        put_taken(a, flatnonzero(mask), values)
    elif mask.ndim == 2 and a.ndim == 2:
        _fits(a, mask)
        if np.ndim(values) == 0:
            for i in range(a.shape[0]):
                for j in range(a.shape[1]):
                    if mask[i, j]:
                        a[i, j] = values
        else:
            if values.shape[0] != np.count_nonzero(mask):
                raise ValueError("NumPy boolean array indexing assignment: as many values as the mask is true, or one")
            kept = values.copy()
            k = 0
            for i in range(a.shape[0]):
                for j in range(a.shape[1]):
                    if mask[i, j]:
                        a[i, j] = kept[k]
                        k += 1
    else:
        raise NotImplementedError("masks of more than two dimensions are not compiled")


def taken(a, indices):
    """`a[indices]`: elements, or rows, by their numbers; an index without dimensions is a number."""
    if a.ndim == 1 and indices.ndim == 0:
        return a[indices.item()]
    elif a.ndim == 2 and indices.ndim == 0:
        return a[indices.item()].copy()
    elif a.ndim == 1 and indices.ndim == 1:
        out = np.empty(indices.shape[0], dtype=a.dtype)
        for i in range(indices.shape[0]):
            out[i] = a[indices[i]]
        return out
    elif a.ndim == 1 and indices.ndim == 2:
        out = np.empty(indices.shape, dtype=a.dtype)
        for i in range(indices.shape[0]):
            for j in range(indices.shape[1]):
                out[i, j] = a[indices[i, j]]
        return out
    elif a.ndim == 2 and indices.ndim == 1:
        out = np.empty((indices.shape[0], a.shape[1]), dtype=a.dtype)
        for i in range(indices.shape[0]):
            out[i] = a[indices[i]]
        return out
    else:
        raise NotImplementedError("an index that is an array is compiled for vectors, and for rows of matrices")


def put_taken(a, indices, values):
    """`a[indices] = values`, one after the other."""
    if indices.ndim != 1:
        raise NotImplementedError("an index that is stored to is a vector in compiled code")
    if np.ndim(values) == 0:
        for i in range(indices.shape[0]):
            a[indices[i]] = values
    elif a.ndim == 1:
        if values.shape[0] != indices.shape[0] and values.shape[0] != 1:
            raise ValueError(
                "shape mismatch: value array could not be broadcast to indexing result: "
                f"{values.shape[0]} values for {indices.shape[0]} indices"
            )
        kept = values.copy()
        stretched = kept.shape[0] == 1
        for i in range(indices.shape[0]):
            a[indices[i]] = kept[0 if stretched else i]
    elif values.ndim == 1:
        kept = values.copy()
        for i in range(indices.shape[0]):
            a[indices[i]] = kept
    else:
        if values.shape[0] != indices.shape[0] and values.shape[0] != 1:
            raise ValueError(
                "shape mismatch: value array could not be broadcast to indexing result: "
                f"{values.shape[0]} rows for {indices.shape[0]} indices"
            )
        kept = values.copy()
        stretched = kept.shape[0] == 1
        for i in range(indices.shape[0]):
            a[indices[i]] = kept[0 if stretched else i]
