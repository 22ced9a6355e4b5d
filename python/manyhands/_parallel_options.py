"""What a caller may say to `Parallel`, checked, with joblib's errors."""

from ._native import cpu_count

#: joblib's names of backends, and ours.
_BACKENDS = {
    None: "processes",
    "loky": "processes",
    "multiprocessing": "processes",
    "processes": "processes",
    "manyhands": "processes",
    "threading": "threads",
    "threads": "threads",
    "sequential": "serial",
    "serial": "serial",
}
#: joblib's, which leaves it to us how far ahead the input is taken.
PRE_DISPATCH = "2 * n_jobs"


def backend(given, prefer, require):
    """The name of our backend."""
    if prefer not in ("processes", "threads", None):
        raise ValueError(f"prefer={prefer} is not a valid backend hint, expected 'processes', 'threads' or None")
    if require not in ("sharedmem", None):
        raise ValueError(f"require={require} is not a valid backend constraint, expected 'sharedmem' or None")
    if prefer == "processes" and require == "sharedmem":
        raise ValueError("prefer == 'processes' and require == 'sharedmem' are inconsistent settings")
    if given is None and (prefer == "threads" or require == "sharedmem"):
        return "threads"
    if hasattr(given, "Pool") and hasattr(given, "Lock"):
        return "processes"  # a context of multiprocessing: ours are all started clean
    try:
        chosen = _BACKENDS[given]
    except (KeyError, TypeError):
        names = sorted(name for name in _BACKENDS if name)
        raise ValueError(f"Invalid backend: {given!r}, expected one of {names}") from None
    if require == "sharedmem" and chosen == "processes":
        raise ValueError(f"Backend {given} does not support shared memory: leave backend= away, or say 'threading'")
    return chosen


def number_of_jobs(n_jobs):
    """How many workers; negative numbers count from the cores."""
    if n_jobs is None:
        return 1
    try:
        number = int(n_jobs)
    except (TypeError, ValueError):
        raise ValueError(f"n_jobs could not be converted to int: {n_jobs!r}") from None
    if number == 0:
        raise ValueError("n_jobs == 0 in Parallel has no meaning")
    return number if number > 0 else max(cpu_count() + 1 + number, 1)


def seconds(timeout):
    """The timeout as a number, or None."""
    if timeout is None:
        return None
    try:
        seconds = float(timeout)
    except (TypeError, ValueError):
        raise TypeError(f"timeout must be a number of seconds or None, not {type(timeout).__name__}") from None
    if not seconds > 0:
        raise ValueError(f"timeout must be more than 0 seconds, not {timeout}")
    return seconds


def batch_size(given):
    """A whole number from 1 on, or "auto"."""
    if given == "auto":
        return given
    whole = hasattr(type(given), "__index__") and not isinstance(given, bool)
    if not whole or given < 1:
        raise ValueError(f"batch_size must be 'auto' or a positive integer, got: {given!r}")
    return type(given).__index__(given)


def window(pre_dispatch, n_jobs, batch_size):
    """How many tasks may be under way; None where that is left to us."""
    if pre_dispatch == "all" or (pre_dispatch == PRE_DISPATCH and batch_size == "auto"):
        return None
    if isinstance(pre_dispatch, str):
        pre_dispatch = _value_of(pre_dispatch, n_jobs)
    try:
        return max(1, int(pre_dispatch)) * (1 if batch_size == "auto" else batch_size)
    except (TypeError, ValueError):
        raise ValueError(
            f"pre_dispatch must be 'all', a number or arithmetic with n_jobs, not {pre_dispatch!r}"
        ) from None


def _value_of(text, n_jobs):
    """Arithmetic with `n_jobs`, and nothing else."""
    import ast
    import operator

    operators = {
        ast.Add: operator.add,
        ast.Sub: operator.sub,
        ast.Mult: operator.mul,
        ast.Div: operator.truediv,
        ast.FloorDiv: operator.floordiv,
        ast.Mod: operator.mod,
        ast.Pow: operator.pow,
        ast.USub: operator.neg,
        ast.UAdd: operator.pos,
    }

    def value(node):
        if isinstance(node, ast.Expression):
            return value(node.body)
        if isinstance(node, ast.Constant) and type(node.value) in (int, float):
            return node.value
        if isinstance(node, ast.Name) and node.id == "n_jobs":
            return n_jobs
        if isinstance(node, ast.BinOp):
            return operators[type(node.op)](value(node.left), value(node.right))
        if isinstance(node, ast.UnaryOp):
            return operators[type(node.op)](value(node.operand))
        raise KeyError(node)

    try:
        return value(ast.parse(text, mode="eval"))
    except (SyntaxError, KeyError, ArithmeticError):
        raise ValueError(f"pre_dispatch must be 'all', a number or arithmetic with n_jobs, not {text!r}") from None
