"""`mh.evaluate`: an expression of arrays, given as text, computed in one compiled loop."""

import ast
import sys
from collections import OrderedDict

from ._elementwise import Elementwise, Unlike
from ._jit_calls import make

__all__ = ["evaluate"]

#: Characters of the longest text, levels of the deepest, terms of a row on one level, how many texts are kept.
_LONGEST, _DEEPEST, _TERMS, _KEPT = 20_000, 100, 50, 256

#: What may be called: numexpr's functions and others of NumPy's, by NumPy's names.
_FUNCTIONS = {
    name: (name, count)
    for count, names in (
        (
            1,
            "sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh arccosh arctanh exp exp2 expm1 log log2 log10 "
            "log1p sqrt cbrt square floor ceil trunc rint sign isnan isinf isfinite signbit deg2rad rad2deg real imag",
        ),
        (2, "arctan2 hypot fmod copysign minimum maximum power"),
    )
    for name in names.split()
}
_FUNCTIONS["conj"] = ("conjugate", 1)
_FUNCTIONS["pow"] = ("power", 2)
_FUNCTIONS["round"] = ("rint", 1)

_BINARY = (
    ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow,
    ast.LShift, ast.RShift, ast.BitAnd, ast.BitOr, ast.BitXor,
)  # fmt: skip
_UNARY = (ast.USub, ast.UAdd, ast.Invert)

_compiled: OrderedDict = OrderedDict()


def evaluate(
    ex,
    local_dict=None,
    global_dict=None,
    out=None,
    order="K",
    casting="safe",
    sanitize=None,
    optimization=None,
    truediv=None,
):
    """Compute an expression of arrays and numbers, element by element, in one loop on all cores, without temporaries.

    Parameters
    ----------
    ex:
        The expression: numbers, names, `+ - * / // % ** & | ^ ~ << >>`, comparisons, and functions by NumPy's names
        (`sin`, `exp`, `sqrt`, `where(condition, x, y)`, `minimum`, ...). Nothing else can be written in it: a text from
        outside computes, and does no more.
    local_dict, global_dict:
        Where names are looked up; by default among the caller's variables.
    out:
        An array for the result.
    order:
        Of a new result's axes: "C", "F", "A" or "K".
    casting:
        What may be lost when the result is put into `out`: "safe" (nothing), "same_kind", "unsafe", "no" or "equiv".
    sanitize, optimization, truediv:
        numexpr's; they have no effect: a text can do no more than compute, and `/` is Python's division.

    The types of results are NumPy's. Compiled once for each text and types.

    >>> import manyhands as mh
    >>> import numpy as np
    >>> a, b = np.arange(3.0), np.array([5.0, 7.0, 9.0])
    >>> mh.evaluate("2*a + where(b > 6, b, 0.0)")
    array([ 0.,  9., 13.])
    """
    if not isinstance(ex, str):
        raise TypeError(f"the expression must be text, not {type(ex).__name__}")
    found = _compiled.get(ex)
    if found is None:
        found = _compiled[ex] = _made(ex)
        if len(_compiled) > _KEPT:
            _compiled.popitem(last=False)
    names, elementwise = found
    near = sys._getframe(1).f_locals if local_dict is None else local_dict
    if out is None and order == "K":
        try:
            done = elementwise.again_of(names, near)
        except Unlike:
            done = NotImplemented
        if done is not NotImplemented:
            return done
    values = _found(names, near, sys._getframe(1).f_globals if global_dict is None else global_dict)
    return elementwise.apply_anew(values, out, None, casting, order)


def _found(names, near, far):
    """The values of the names, some of them globals."""
    values = []
    for name in names:
        if name in near:
            values.append(near[name])
        elif name in far:
            values.append(far[name])
        else:
            raise NameError(f"name {name!r} is not defined: evaluate looks among the caller's variables")
    return tuple(values)


def _made(text):
    if len(text) > _LONGEST:
        raise ValueError(f"the expression has {len(text):,} characters: at most {_LONGEST:,} are compiled")
    try:
        tree = ast.parse(text.strip(), "<expression>", "eval")
    except (SyntaxError, RecursionError, MemoryError, ValueError) as error:
        told = getattr(error, "msg", None) or "it is nested too deep"
        raise ValueError(f"{text!r:.200} is no expression: {told}") from None
    names: dict = {}
    written = _Written(text.strip(), names)
    result = written.visit(tree.body, 0)
    if not names:
        raise ValueError(f"the expression {text!r:.200} names no array")
    body = "".join(f"    {line}\n" for line in (*written.lines, f"return {result}"))
    source = f"def expression({', '.join(names.values())}):\n{body}"
    import numpy

    space = {"np": numpy, "__name__": __name__}
    exec(source, space)
    return tuple(names), Elementwise(make(space["expression"], True, True, source), True, True)


class _Written:
    """Writes the expression anew, of what is allowed: the only text that is compiled."""

    def __init__(self, text, names):
        self.text = text
        #: The expression's names, and those in what is compiled.
        self.names = names
        #: Statements that come before the expression.
        self.lines = []

    def visit(self, node, depth):
        if depth > _DEEPEST:
            raise ValueError(f"the expression is nested deeper than {_DEEPEST} levels")
        depth += 1
        if isinstance(node, ast.Constant) and type(node.value) in (int, float, complex, bool):
            shown = repr(node.value)
            return f"({shown.replace('inf', '1e400')})"
        if isinstance(node, ast.Name):
            return self.names.setdefault(node.id, f"v{len(self.names)}")
        if isinstance(node, ast.BinOp) and isinstance(node.op, _BINARY):
            return self._chain(node, depth)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, _UNARY):
            return f"({_sign(node.op)}{self.visit(node.operand, depth)})"
        if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], _COMPARES):
            return f"({self.visit(node.left, depth)} {_sign(node.ops[0])} {self.visit(node.comparators[0], depth)})"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
            return self._call(node, depth)
        if isinstance(node, ast.Attribute) and node.attr in ("real", "imag"):
            return f"np.{node.attr}({self.visit(node.value, depth)})"
        raise self._refused(node)

    def _chain(self, node, depth):
        """`a + b - c + ...`: one level, however many terms there are."""
        terms = []
        while isinstance(node, ast.BinOp) and isinstance(node.op, _BINARY):
            terms.append((_sign(node.op), node.right))
            node = node.left
        written = self.visit(node, depth)
        for number, (sign, term) in enumerate(reversed(terms), 1):
            written = f"({written} {sign} {self.visit(term, depth)})"
            if number % _TERMS == 0:  # a name for what there is so far: compilers count levels, too
                self.lines.append(f"part{len(self.lines)} = {written}")
                written = f"part{len(self.lines) - 1}"
        return written

    def _call(self, node, depth):
        name = node.func.id
        function, count = _FUNCTIONS.get(name, (None, {"where": 3, "abs": 1, "complex": 2}.get(name)))
        if count is None:
            raise ValueError(
                f"evaluate knows no function {name!r}: it knows where, abs, complex, {', '.join(sorted(_FUNCTIONS))}"
            )
        if len(node.args) != count or any(isinstance(argument, ast.Starred) for argument in node.args):
            raise ValueError(f"{name} takes {count} argument{'s' if count > 1 else ''}, in {self.text!r:.200}")
        given = [self.visit(argument, depth) for argument in node.args]
        if name == "where":
            return f"({given[1]} if {given[0]} else {given[2]})"
        return f"{'np.' + function if function else name}({', '.join(given)})"

    def _refused(self, node):
        shown = ast.get_source_segment(self.text, node) or self.text
        advice = ""
        if isinstance(node, (ast.BoolOp, ast.UnaryOp)):
            advice = ": write (a > 0) & (b > 0), | and ~ for and, or, not"
        elif isinstance(node, ast.Compare):
            advice = ": write (a < b) & (b < c)"
        return ValueError(f"{shown!r:.200} cannot be part of an expression{advice}")


_COMPARES = (ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE)
_SIGNS = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**",
    ast.LShift: "<<", ast.RShift: ">>", ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^", ast.USub: "-",
    ast.UAdd: "+", ast.Invert: "~", ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">",
    ast.GtE: ">=",
}  # fmt: skip


def _sign(op):
    return _SIGNS[type(op)]
