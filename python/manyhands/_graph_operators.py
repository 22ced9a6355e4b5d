"""The operators of a graph's nodes: each gives a node."""

import operator

#: With the signs that pictures show.
_SIGNS = {
    "add": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//", "mod": "%", "pow": "**", "matmul": "@",
    "and_": "&", "or_": "|", "xor": "^", "lshift": "<<", "rshift": ">>",
    "lt": "<", "le": "<=", "eq": "==", "ne": "!=", "gt": ">", "ge": ">=",
    "neg": "-", "pos": "+", "invert": "~", "abs": "abs",
}  # fmt: skip
_COMPARISONS = ("lt", "le", "eq", "ne", "gt", "ge")
_UNARY = ("neg", "pos", "invert", "abs")


def give(node, task):
    """Give the class `node` its operators, each made of its function by `task`; the tasks, always in one order."""
    made = []
    for name, sign in _SIGNS.items():
        known = task(getattr(operator, name), name=sign)
        made.append(known)
        setattr(node, f"__{name.rstrip('_')}__", _unary(known) if name in _UNARY else _binary(known))
        if name not in _UNARY and name not in _COMPARISONS:
            setattr(node, f"__r{name.rstrip('_')}__", _reflected(known))
    made.append(task(operator.getitem))
    node.__getitem__ = _binary(made[-1])
    return made


def _unary(known):
    return lambda self: known(self)


def _binary(known):
    return lambda self, other: known(self, other)


def _reflected(known):
    return lambda self, other: known(other, self)
