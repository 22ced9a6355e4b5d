"""Which elements there are, and which are among others, for compiled code (see `_jit_numpy`)."""

import numpy as np

from ._jit_numpy_axes import flat
from ._jit_numpy_sorting import _before, _place, argsort, sort


def unique(a, return_index=False, return_inverse=False, return_counts=False):
    """`np.unique` of all elements: sorted, each once; nan once."""
    if not return_index and not return_inverse and not return_counts:
        ordered = sort(a, None)
        count = 0
        for i in range(ordered.shape[0]):
            if i == 0 or _before(ordered[i - 1], ordered[i]):
                ordered[count] = ordered[i]
                count += 1
        return ordered[:count].copy()
    else:
        values, index, places, counts = _told(a.ravel())
        inverse = places.reshape(a.shape)
        if return_index and return_inverse and return_counts:
            return values, index, inverse, counts
        elif return_index and return_inverse:
            return values, index, inverse
        elif return_index and return_counts:
            return values, index, counts
        elif return_inverse and return_counts:
            return values, inverse, counts
        elif return_index:
            return values, index
        elif return_inverse:
            return values, inverse
        else:
            return values, counts


def _told(a):
    """The elements, where each stands first, which one stands at each place, and how often each does."""
    n = a.shape[0]
    order = argsort(a)
    values = np.empty(n, dtype=a.dtype)
    index = np.empty(n, dtype=np.int64)
    inverse = np.empty(n, dtype=np.int64)
    counts = np.zeros(n, dtype=np.int64)
    found = 0
    for i in range(n):
        at = order[i]
        if i == 0 or _before(a[order[i - 1]], a[at]):
            values[found] = a[at]
            index[found] = at
            found += 1
        counts[found - 1] += 1
        inverse[at] = found - 1
    return values[:found].copy(), index[:found].copy(), inverse, counts[:found].copy()


def isin(element, test_elements, invert=False):
    """`np.isin`: looked up in the others, which are sorted."""
    ordered = sort(flat(test_elements))
    values = element.ravel()
    out = np.zeros(values.shape[0], dtype=np.bool_)
    for i in range(values.shape[0]):
        at = _place(ordered, values[i], False)
        if at < ordered.shape[0]:
            out[i] = ordered[at] == values[i]
    if invert:
        out = ~out
    return out.reshape(element.shape)
