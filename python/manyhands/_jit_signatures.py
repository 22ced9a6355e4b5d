"""Signatures in numba's notation: `f8(f8[:], i8)`, as strings."""

#: numba's names, short and long, and NumPy's.
_NAMES = {
    "bool": "b1 bool bool_ boolean",
    "int8": "i1 int8 char",
    "int16": "i2 int16 short",
    "int32": "i4 int32 intc int_c",
    "int64": "i8 int64 intp int int_ long_ longlong ssize_t",
    "uint8": "u1 uint8 byte uchar",
    "uint16": "u2 uint16 ushort",
    "uint32": "u4 uint32 uintc",
    "uint64": "u8 uint64 uintp uint ulong ulonglong size_t",
    "float32": "f4 float32 float_ single",
    "float64": "f8 float64 float double",
    "complex64": "c8 complex64",
    "complex128": "c16 complex128 complex",
}
_KINDS = {name: kind for kind, names in _NAMES.items() for name in names.split()}
_NONE = {"void", "none", "None"}
#: For `compile`: a tree, and no code.
_ONLY_TREE = 0x400


def read(text):
    """(types of the parameters, type of the result or "unknown") of a signature.

    A type is None, `("float64",)`, `("float64", rank, "C", "F" or "any")`, or `("tuple", types)`.
    """
    try:
        tree = compile(text.strip(), "<signature>", "eval", _ONLY_TREE).body
    except (SyntaxError, ValueError):
        raise _wrong(text, "it cannot be read") from None
    if _is(tree, "Tuple"):
        return tuple(_type(member, text) for member in tree.elts), "unknown"
    if (
        _is(tree, "Call")
        and not tree.keywords
        and not (_is(tree.func, "Name") and tree.func.id in ("Tuple", "UniTuple"))
    ):
        return tuple(_type(member, text) for member in tree.args), _type(tree.func, text)
    # `(f8)` is one type in parentheses.
    if text.strip().startswith("("):
        return (_type(tree, text),), "unknown"
    raise _wrong(text, "the types of the parameters follow in parentheses")


def _is(node, name):
    return type(node).__name__ == name


def _type(node, text):
    if _is(node, "Constant") and node.value is None:
        return None
    if _is(node, "Name"):
        if node.id in _NONE:
            return None
        if node.id in _KINDS:
            return (_KINDS[node.id],)
        raise _wrong(text, f"{node.id} is no type of compiled functions")
    if _is(node, "Attribute"):  # numba.float64, types.f8
        return _type_of_name(node.attr, text)
    if _is(node, "Tuple"):
        return ("tuple", tuple(_type(member, text) for member in node.elts))
    if _is(node, "Call") and _is(node.func, "Name"):
        if node.func.id == "Tuple" and len(node.args) == 1 and type(node.args[0]).__name__ in ("Tuple", "List"):
            return ("tuple", tuple(_type(member, text) for member in node.args[0].elts))
        if node.func.id == "UniTuple" and len(node.args) == 2 and _is(node.args[1], "Constant"):
            count = node.args[1].value
            if isinstance(count, int) and 0 <= count <= 256:
                return ("tuple", (_type(node.args[0], text),) * count)
    if _is(node, "Subscript"):
        return _array(node, text)
    raise _wrong(text, "it holds what is no type")


def _type_of_name(name, text):
    if name not in _KINDS:
        raise _wrong(text, f"{name} is no type of compiled functions")
    return (_KINDS[name],)


def _array(node, text):
    element = _type(node.value, text)
    if element is None or len(element) != 1:
        raise _wrong(text, "elements of arrays are numbers")
    axes = node.slice.elts if _is(node.slice, "Tuple") else [node.slice]
    steps = []
    for axis in axes:
        if not _is(axis, "Slice") or axis.lower or axis.upper:
            raise _wrong(text, "axes of arrays are written [:], [:, :] or [:, ::1]")
        if axis.step is not None and getattr(axis.step, "value", None) != 1:
            raise _wrong(text, "the step of an axis is 1 or left out")
        steps.append(axis.step is not None)
    if sum(steps) > 1 or (any(steps) and not (steps[-1] or steps[0])):
        raise _wrong(text, "the first or the last axis is contiguous (::1), or none")
    layout = "C" if steps[-1] else "F" if steps[0] else "any"
    return (*element, len(axes), layout)


def _wrong(text, why):
    return TypeError(
        f"{text!r} is no signature: {why}. They are written as numba does: 'f8(f8[:], i8)', 'void(f4[:, ::1])', "
        "'(i8, i8)'"
    )


def fits(declared, made):
    """Is what a function returns (as `signatures` shows types) what its signature says?"""
    if declared == "unknown":
        return True
    if declared is None:
        return made == "None"
    if declared[0] == "tuple":
        return made.startswith("tuple(")
    if len(declared) > 1:
        return made.startswith(f"array({declared[0]}, {declared[1]}d, ")
    own = {"bool": "bool", "int64": "int", "float64": "float", "complex128": "complex"}
    return made in (own.get(declared[0]), f"np.{declared[0]}")
