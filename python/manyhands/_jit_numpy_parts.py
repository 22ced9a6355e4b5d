"""Arrays made of parts of others, and masks of whole arrays, for compiled code (see `_jit_numpy`)."""

import numpy as np


def concatenate(arrays, axis=0):
    """`np.concatenate` of a tuple; of more than eight arrays, all are of one type."""
    first = arrays[0]
    if axis < -first.ndim or axis >= first.ndim:
        raise ValueError(f"axis {axis} is out of bounds for array of dimension {first.ndim}")
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
    if arrays[0].ndim == 1:
        return concatenate(arrays)
    else:
        return concatenate(arrays, 1)


def vstack(arrays):
    """`np.vstack` of a tuple."""
    if arrays[0].ndim == 1:
        return stack(arrays)
    else:
        return concatenate(arrays)


def stack(arrays, axis=0):
    """`np.stack` of a tuple, along a new last axis or one of the first four; more than eight arrays have one type."""
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


def column_stack(arrays):
    """`np.column_stack` of a tuple of vectors."""
    return stack(arrays, 1)


def append(a, values):
    """`np.append` of vectors and numbers."""
    if np.ndim(values) == 0:
        out = np.empty(a.shape[0] + 1, dtype=np.result_type(a, values))
        out[:-1] = a
        out[-1] = values
        return out
    else:
        return concatenate((a, values))


def diff(a, n=1, axis=-1):
    """`np.diff`: differences of neighbours."""
    if n != 1:
        raise NotImplementedError("np.diff is compiled for n=1: call it again")
    if axis == -1 or axis == a.ndim - 1:
        return a[..., 1:] - a[..., :-1]
    elif axis == 0:
        return a[1:] - a[:-1]
    else:
        raise NotImplementedError("np.diff is compiled along the first or the last axis")


def flip(a, axis=None):
    """`np.flip`: a view from the end."""
    if a.ndim == 1 or axis == 0:
        return a[::-1]
    elif axis is None and a.ndim == 2:
        return a[::-1, ::-1]
    elif axis == 1 or axis == -1:
        return a[:, ::-1]
    else:
        raise NotImplementedError("np.flip is compiled for vectors and matrices")


def roll(a, shift, axis=None):
    """`np.roll`: along an axis, or of all elements row by row."""
    if axis is None and a.ndim > 1:
        return roll(a.ravel(), shift).reshape(a.shape)
    elif axis is None or axis == 0 or axis == -a.ndim:
        out = np.empty(a.shape, dtype=a.dtype)
        n = a.shape[0]
        if n > 0:
            k = shift % n
            out[k:] = a[: n - k]
            out[:k] = a[n - k :]
        return out
    elif axis == 1 or axis + a.ndim == 1:
        out = np.empty(a.shape, dtype=a.dtype)
        n = a.shape[1]
        if n > 0:
            k = shift % n
            out[:, k:] = a[:, : n - k]
            out[:, :k] = a[:, n - k :]
        return out
    elif axis == a.ndim - 1 or axis == -1:
        out = np.empty(a.shape, dtype=a.dtype)
        n = a.shape[a.ndim - 1]
        if n > 0:
            k = shift % n
            out[..., k:] = a[..., : n - k]
            out[..., :k] = a[..., n - k :]
        return out
    else:
        raise NotImplementedError("np.roll is compiled along the first two axes and the last")


def repeat(a, repeats):
    """`np.repeat` of a vector."""
    if a.ndim != 1:
        raise NotImplementedError("np.repeat is compiled for vectors")
    if np.ndim(repeats) == 0:
        out = np.empty(a.shape[0] * repeats, dtype=a.dtype)
        for i in range(a.shape[0]):
            out[i * repeats : (i + 1) * repeats] = a[i]
        return out
    else:
        if repeats.shape[0] != a.shape[0]:
            raise ValueError("operands could not be broadcast together: an array, and how often each is repeated")
        out = np.empty(np.sum(repeats), dtype=a.dtype)
        k = 0
        for i in range(a.shape[0]):
            count = int(repeats[i])
            if count < 0:
                raise ValueError("repeats may not contain negative values.")
            out[k : k + count] = a[i]
            k += count
        return out


def array_equal(a, b):
    """`np.array_equal`."""
    if a.shape != b.shape:
        return False
    return bool(np.all(a == b))


def flatnonzero(a):
    """Where a vector is not zero."""
    if a.ndim != 1:
        raise NotImplementedError("np.flatnonzero is compiled for vectors")
    found = np.empty(np.count_nonzero(a), dtype=np.int64)
    k = 0
    for i in range(a.shape[0]):
        if a[i]:
            found[k] = i
            k += 1
    return found


def nonzero(a):
    """Where an array is not zero: indices for each axis."""
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


def nansum(a):
    """The sum of what is a number."""
    return np.sum(np.where(np.isnan(a), 0, a))


def nanmean(a):
    """The mean of what is a number."""
    return nansum(a) / np.count_nonzero(~np.isnan(a))


def nanmin(a):
    """The least of what is a number."""
    if np.count_nonzero(~np.isnan(a)) == 0:
        return a.min()
    return np.min(np.where(np.isnan(a), np.inf, a))


def nanmax(a):
    """The greatest of what is a number."""
    if np.count_nonzero(~np.isnan(a)) == 0:
        return a.max()
    return np.max(np.where(np.isnan(a), -np.inf, a))


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
