"""A function's syntax tree as the loop compiler reads it: one line of JSON.

A node is `[class, line, column, end_line, end_column, field, ...]` with the class of Python's `ast`, its place, and
those of its fields that matter to the compiler; what the compiler does not know comes without fields.
`crates/mh-compile/src/ast.rs` lists them all.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ast
    from collections.abc import Iterator

    #: What is written yet to be: text, or a node with the place that it is to get (its own where there is none).
    Part = str | tuple[ast.AST, "str | None"]

#: The fields of each node that has any, in order. An operator is told by its class.
FIELDS = {
    "Assign": ("targets", "value"),
    "AugAssign": ("target", "op", "value"),
    "AnnAssign": ("target", "value"),
    "For": ("target", "iter", "body", "orelse"),
    "While": ("test", "body", "orelse"),
    "If": ("test", "body", "orelse"),
    "Return": ("value",),
    "Raise": ("exc", "cause"),
    "Assert": ("test", "msg"),
    "Expr": ("value",),
    "Nonlocal": ("names",),
    "Global": ("names",),
    "Name": ("id",),
    "Attribute": ("value", "attr"),
    "Subscript": ("value", "slice"),
    "Slice": ("lower", "upper", "step"),
    "Tuple": ("elts",),
    "List": ("elts",),
    "Starred": ("value",),
    "UnaryOp": ("op", "operand"),
    "BinOp": ("left", "op", "right"),
    "BoolOp": ("op", "values"),
    "Compare": ("left", "ops", "comparators"),
    "IfExp": ("test", "body", "orelse"),
    "Call": ("func", "args", "keywords"),
    "keyword": ("arg", "value"),
    "NamedExpr": ("target", "value"),
    "JoinedStr": ("values",),
    "FormattedValue": ("value", "conversion", "format_spec"),
}


def flatten(node: ast.FunctionDef | ast.Lambda) -> str:
    """Write `node` as JSON. Lines and columns are the node's own: parse with the lines of the file.

    The defaults of the function itself are left out, those of functions within it are not. No recursion: a tree may be
    deeper than Python's stack.
    """
    out: list[str] = []
    waiting: list[Part] = list(_node(node, None, outermost=True))[::-1]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            out.append(part)
        else:
            waiting.extend(list(_node(*part))[::-1])
    return "".join(out)


def _node(node: ast.AST, place: str | None, *, outermost: bool = False) -> Iterator[Part]:
    import ast

    name = type(node).__name__
    if place is None:
        place = _place(node.arg if isinstance(node, _Parameter) else node)
    inner = None
    if isinstance(node, ast.JoinedStr):
        # Before Python 3.12 what is inside an f-string has no true place; in some versions it ends with nothing.
        inner = place
        node = ast.JoinedStr(
            [part for part in node.values if not (isinstance(part, ast.Constant) and part.value == "")]
        )
    fields: list[object]
    if isinstance(node, ast.FunctionDef):
        if node.decorator_list and not outermost:
            name, fields = "FunctionDef with a decorator", []
        else:
            fields = [node.name, _parameters(node.args, outermost), node.body]
    elif isinstance(node, ast.Lambda):
        fields = [_parameters(node.args, outermost), node.body]
    elif isinstance(node, ast.Constant):
        fields = list(constant(node.value))
    elif isinstance(node, _Parameter):
        name, fields = "arg", [node.arg.arg, node.kind, node.default]
    else:
        fields = [getattr(node, field) for field in FIELDS.get(name, ())]
    yield f'["{name}",{place}'
    for field in fields:
        yield ","
        if isinstance(field, list):
            yield "["
            for number, member in enumerate(field):
                if number:
                    yield ","
                yield _field(member, inner)
            yield "]"
        else:
            yield _field(field, inner)
    yield "]"


def _field(field: object, place: str | None) -> Part:
    import ast

    if field is None:
        return "null"
    if isinstance(field, str):
        return _quoted(field)
    if isinstance(field, int):
        return str(field)
    if isinstance(field, (ast.operator, ast.unaryop, ast.boolop, ast.cmpop)):
        return f'"{type(field).__name__}"'
    return field, place  # type: ignore[return-value]


class _Parameter:
    """One parameter, with what `ast.arguments` keeps elsewhere."""

    __slots__ = ("arg", "default", "kind")

    def __init__(self, arg: ast.arg, kind: str, default: ast.expr | None = None) -> None:
        self.arg, self.kind, self.default = arg, kind, default


def _parameters(args: ast.arguments, outermost: bool) -> list[_Parameter]:
    positional = [_Parameter(arg, "positional") for arg in args.posonlyargs]
    positional += [_Parameter(arg, "normal") for arg in args.args]
    keyword = [_Parameter(arg, "keyword") for arg in args.kwonlyargs]
    if not outermost:
        for parameter, default in zip(reversed(positional), reversed(args.defaults)):
            parameter.default = default
        for parameter, chosen in zip(keyword, args.kw_defaults):
            parameter.default = chosen
    between = [_Parameter(args.vararg, "varargs")] if args.vararg else []
    last = [_Parameter(args.kwarg, "varkeywords")] if args.kwarg else []
    return [*positional, *between, *keyword, *last]


def _place(node: ast.AST) -> str:
    line, column = node.lineno, node.col_offset  # type: ignore[attr-defined]
    end_line, end_column = getattr(node, "end_lineno", None), getattr(node, "end_col_offset", None)
    if end_line is None or end_column is None:
        end_line, end_column = line, column
    return f"{max(line, 0)},{max(column, 0)},{max(end_line, 0)},{max(end_column, 0)}"


def constant(value: object) -> tuple[str, str]:
    """The type's name and the value's text."""
    kind = type(value)
    if kind is int:
        try:
            return "int", str(value)
        except ValueError:  # thousands of digits
            return "int", f"{value:#x}"
    if kind is float:
        return "float", value.hex()  # type: ignore[attr-defined]
    if kind is complex:
        return "complex", f"{value.real.hex()} {value.imag.hex()}"  # type: ignore[attr-defined]
    if kind is str:
        try:
            value.encode()  # type: ignore[attr-defined]
        except UnicodeEncodeError:
            return "str with lone surrogates", ""
        return "str", value  # type: ignore[return-value]
    if kind is bool or value is None:
        return ("bool" if kind is bool else "None"), str(value)
    if value is ...:
        return "Ellipsis", "..."
    return kind.__name__, ""


def _quoted(text: str) -> str:
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    import json

    return json.dumps(text)
