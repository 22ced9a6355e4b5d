"""NumPy's functions that the loop compiler compiles from Python: what they are called, and where they are written.

Each is a plain function over what is compiled (loops, array expressions), compiled through where it is called, so its
bounds, types and errors are the compiler's own. `ndarray.` are an array's methods and subscripts.
"""

from manyhands import (
    _jit_numpy_builtins as builtins,
    _jit_numpy_linear as linear,
    _jit_numpy_parts as parts,
    _jit_numpy_sets as sets,
    _jit_numpy_shapes as shapes,
    _jit_numpy_sorting as sorting,
    _jit_numpy_statistics as statistics,
)

FUNCTIONS = {
    "builtins.all": builtins.every,
    "builtins.any": builtins.some,
    "builtins.max": builtins.greatest,
    "builtins.min": builtins.least,
    "builtins.sum": builtins.total,
    "numpy.append": parts.append,
    "numpy.argsort": sorting.argsort,
    "numpy.array_equal": parts.array_equal,
    "numpy.bincount": sorting.bincount,
    "numpy.column_stack": parts.column_stack,
    "numpy.concatenate": parts.concatenate,
    "numpy.diag": linear.diag,
    "numpy.diagonal": linear.diagonal,
    "numpy.diff": parts.diff,
    "numpy.dot": linear.dot,
    "numpy.flatnonzero": parts.flatnonzero,
    "numpy.flip": parts.flip,
    "numpy.histogram": sorting.histogram,
    "numpy.hstack": parts.hstack,
    "numpy.inner": linear.inner,
    "numpy.interp": sorting.interp,
    "numpy.isin": sets.isin,
    "numpy.linalg.norm": linear.norm,
    "numpy.matmul": linear.matmul,
    "numpy.median": sorting.median,
    "numpy.nanmax": parts.nanmax,
    "numpy.nanmean": parts.nanmean,
    "numpy.nanmin": parts.nanmin,
    "numpy.nansum": parts.nansum,
    "numpy.nonzero": parts.nonzero,
    "numpy.outer": linear.outer,
    "numpy.repeat": parts.repeat,
    "numpy.roll": parts.roll,
    "numpy.searchsorted": sorting.searchsorted,
    "numpy.sort": sorting.sort,
    "numpy.stack": parts.stack,
    "numpy.take": parts.taken,
    "numpy.trace": linear.trace,
    "numpy.unique": sets.unique,
    "numpy.vdot": linear.vdot,
    "numpy.vstack": parts.vstack,
    "numpy.where": parts.nonzero,
    **{
        f"numpy.{name}": getattr(shapes, name)
        for name in ("digitize", "ediff1d", "fliplr", "flipud", "partition", "tile", "tril", "triu")
    },
    **{
        f"numpy.{name}": getattr(statistics, name)
        for name in ("average", "convolve", "percentile", "ptp", "quantile", "trapezoid")
    },
    "ndarray.columns": parts.columns,
    "ndarray.pairs": parts.pairs,
    "ndarray.put_columns": parts.put_columns,
    "ndarray.put_pairs": parts.put_pairs,
    "ndarray.put_taken": parts.put_taken,
    "ndarray.put_where": parts.put_where,
    "ndarray.sort": sorting.sort_in_place,
    "ndarray.taken": parts.taken,
    "ndarray.where": parts.where,
}
