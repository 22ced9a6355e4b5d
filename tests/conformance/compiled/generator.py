"""Random programs of the compiled language, and random arguments for them.

A program is a function `kernel` with up to two helpers. Each variable keeps one type: `int`, `float` and `bool` are Python's, other
names are NumPy's scalar types, `int64[]` and `float64[,]` are arrays. So a program means the same to the interpreter and to a
compiler that infers types; what it does with its values is left to chance, and may raise.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import numpy as np

INTS = (
    0,
    1,
    2,
    3,
    -1,
    -2,
    5,
    7,
    10,
    -13,
    100,
    255,
    256,
    2**31 - 1,
    2**31,
    -(2**31),
    3037000500,
    2**53 + 1,
    2**62,
    2**63 - 1,
    -(2**63),
)
SMALL = (0, 1, 2, 3, 4, -1, -2, 5)
FLOATS = (
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    2.5,
    -3.25,
    0.1,
    1e16,
    1e308,
    -1e308,
    5e-324,
    float("inf"),
    float("-inf"),
    float("nan"),
)

ELEMENTS = ("float64", "float64", "float64", "int64", "int64", "int32", "uint8", "float32", "int8", "uint64")
LAYOUTS = ("C", "C", "C", "reversed", "strided", "readonly", "F")


def is_int(kind: str) -> bool:
    return kind in ("int", "int64", "int32", "uint8", "int8", "uint64")


def is_float(kind: str) -> bool:
    return kind in ("float", "float64", "float32")


def promoted(left: str, right: str) -> str | None:
    """The type of `left + right`; None where it is none that programs here have."""
    if left in ("int", "float", "bool") and right in ("int", "float", "bool"):
        return "float" if "float" in (left, right) else "int"
    weak = {"int": 0, "float": 0.0, "bool": False}
    try:
        kind = np.result_type(*(weak[side] if side in weak else np.dtype(side) for side in (left, right)))
    except TypeError:
        return None
    return kind.name if kind.name in ELEMENTS else None


@dataclass
class Array:
    """An array variable."""

    name: str
    element: str
    rank: int
    writable: bool = True


@dataclass
class Program:
    source: str
    parameters: list[tuple[str, str]]
    """Names, and types: `int`, `float`, `bool`, or `int64[]` and so on."""

    layouts: dict[str, str]


@dataclass
class Scope:
    scalars: dict[str, str]
    arrays: list[Array]
    fixed: set[str] = field(default_factory=set)
    """Scalars that are not assigned: loop variables, and in a parallel loop what comes from outside."""

    shielded: dict[str, str] = field(default_factory=dict)
    """Arrays that a parallel loop writes, with the one subscript that may be used."""

    def inner(self) -> Scope:
        return Scope(dict(self.scalars), list(self.arrays), set(self.fixed), dict(self.shielded))


class Generator:
    """Makes one program from a seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.lines: list[str] = []
        self.count = 0
        self.helpers: list[tuple[str, list[str], str]] = []
        self.budget = 0
        self.loops = 0
        self.parallel = False

    # -------------------------------------------------------------------------------------------------- programs

    def program(self) -> Program:
        for _ in range(self.random.choice((0, 0, 1, 1, 2))):
            self._helper()
        parameters: list[tuple[str, str]] = [("n", "int")]
        for name, kind in (("k", "int"), ("x", "float"), ("y", "float"), ("flag", "bool")):
            if self.random.random() < 0.6:
                parameters.append((name, kind))
        layouts = {}
        arrays = []
        for number in range(self.random.choice((0, 1, 1, 2, 2, 3))):
            name, element = "abc"[number], self.random.choice(ELEMENTS)
            rank = 2 if self.random.random() < 0.25 else 1
            layouts[name] = self.random.choice(LAYOUTS)
            arrays.append(Array(name, element, rank, layouts[name] != "readonly"))
            parameters.append((name, element + ("[,]" if rank == 2 else "[]")))
        scope = Scope({name: kind for name, kind in parameters if "[" not in kind}, arrays)
        self.lines.append(f"def kernel({', '.join(name for name, _ in parameters)}):")
        self.budget = self.random.choice((4, 8, 12, 18))
        self._block(scope, 1, top=True)
        given = [*scope.scalars][-5:]
        made = [array.name for array in scope.arrays if array.name.startswith("v")][-2:]
        self._line(1, f"return {', '.join([*given, *made])}{',' if len(given) + len(made) == 1 else ''}")
        return Program(
            "\n".join(
                ["import math", "", "import numpy as np", "", "from manyhands import prange", "", "", *self.lines, ""]
            ),
            parameters,
            layouts,
        )

    def _helper(self) -> None:
        name = f"helper{len(self.helpers)}"
        kinds = [self.random.choice(("int", "float")) for _ in range(self.random.choice((1, 2)))]
        scope = Scope({f"p{number}": kind for number, kind in enumerate(kinds)}, [])
        result = self.random.choice(("int", "float"))
        self.lines.append(f"def {name}({', '.join(scope.scalars)}):")
        if self.random.random() < 0.5:
            self._line(1, f"if {self._condition(scope, 1)}:")
            self._line(2, f"return {self._of(result, scope, 1)}")
        self.budget = 2
        self._block(scope, 1)
        self._line(1, f"return {self._of(result, scope, 2)}")
        self.lines += ["", ""]
        self.helpers.append((name, kinds, result))

    # ------------------------------------------------------------------------------------------------ statements

    def _line(self, depth: int, text: str) -> None:
        self.lines.append("    " * depth + text)

    def _new(self, letter: str) -> str:
        self.count += 1
        return f"{letter}{self.count}"

    def _block(self, scope: Scope, depth: int, top: bool = False) -> None:
        """Some statements; at least one."""
        number = self.random.choice((2, 3, 4)) if depth > 1 else max(self.budget, 1)
        start = len(self.lines)
        for _ in range(number):
            if self.budget <= 0 and len(self.lines) > start:
                break
            self.budget -= 1
            self._statement(scope, depth, top)
        if len(self.lines) == start:
            self._line(depth, "pass")

    def _statement(self, scope: Scope, depth: int, top: bool) -> None:
        ways = [self._assign, self._assign, self._augment, self._augment, self._store, self._store, self._tuple]
        if depth < 4:
            ways += [self._if, self._if]
            if self.loops < 3:
                ways += [self._for, self._for, self._while]
        if top:
            ways += [self._make, self._view]
        if depth == 1 and not self.parallel:
            ways += [self._prange, self._prange]
        if self.random.random() < 0.03:
            ways = [self._raise]
        self.random.choice(ways)(scope, depth)

    def _targets(self, scope: Scope) -> list[str]:
        return [name for name in scope.scalars if name not in scope.fixed and name not in ("n",)]

    def _assign(self, scope: Scope, depth: int) -> None:
        targets = self._targets(scope)
        if targets and self.random.random() < 0.5:
            name = self.random.choice(targets)
            self._line(depth, f"{name} = {self._of(scope.scalars[name], scope, 2)}")
        else:
            text, kind = self._expression(scope, 3)
            name = self._new("s")
            self._line(depth, f"{name} = {text}")
            scope.scalars[name] = kind

    def _augment(self, scope: Scope, depth: int) -> None:
        targets = [name for name in self._targets(scope) if scope.scalars[name] != "bool"]
        if not targets:
            return self._assign(scope, depth)
        name = self.random.choice(targets)
        kind = scope.scalars[name]
        text = self._of(kind, scope, 1)
        op = self.random.choice(("+", "-", "*") if not is_int(kind) else ("+", "-", "*", "&", "|", "^", "+"))
        self._line(depth, f"{name} {op}= {text}")
        return None

    def _tuple(self, scope: Scope, depth: int) -> None:
        targets = self._targets(scope)
        if len(targets) < 2:
            return self._assign(scope, depth)
        one, two = self.random.sample(targets, 2)
        self._line(
            depth, f"{one}, {two} = {self._of(scope.scalars[one], scope, 1)}, {self._of(scope.scalars[two], scope, 1)}"
        )
        return None

    def _store(self, scope: Scope, depth: int) -> None:
        arrays = [
            array for array in scope.arrays if array.writable and (not self.parallel or array.name in scope.shielded)
        ]
        if not arrays:
            return self._assign(scope, depth)
        array = self.random.choice(arrays)
        op = self.random.choice(("", "", "+", "*", "-"))
        self._line(
            depth, f"{array.name}[{self._subscript(array, scope)}] {op}= {self._storable(array, scope, bool(op))}"
        )
        return None

    def _storable(self, array: Array, scope: Scope, update: bool) -> str:
        """A value that the array takes without a rule of NumPy's that this is not about."""
        if is_float(array.element):
            text, kind = self._expression(scope, 2)
            return f"float({text})" if kind == "bool" else text
        if update or array.element != "int64":
            text, kind = self._expression(scope, 1, want=is_int)
            return text if kind == array.element else f"(int({text}) & 63)"
        return self._expression(scope, 2, want=lambda kind: kind in ("int", "int64", "int32", "uint8", "int8"))[0]

    def _if(self, scope: Scope, depth: int) -> None:
        self._line(depth, f"if {self._condition(scope, 2)}:")
        self._block(scope.inner(), depth + 1)
        if self.random.random() < 0.3:
            self._line(depth, f"elif {self._condition(scope, 2)}:")
            self._block(scope.inner(), depth + 1)
        if self.random.random() < 0.5:
            self._line(depth, "else:")
            self._block(scope.inner(), depth + 1)

    def _bound(self, scope: Scope) -> str:
        choices = [str(self.random.choice(SMALL)), *(f"min({name}, 9)" for name in ("n", "k") if name in scope.scalars)]
        choices += [f"min({array.name}.shape[0], 12)" for array in scope.arrays]
        return self.random.choice(choices)

    def _for(self, scope: Scope, depth: int) -> None:
        inner = scope.inner()
        name = self._new("i")
        way = self.random.random()
        flat = [array for array in scope.arrays if array.rank == 1 and not self.parallel]
        if way < 0.15 and flat:
            array = self.random.choice(flat)
            value = self._new("e")
            self._line(depth, f"for {name}, {value} in enumerate({array.name}[:12]):")
            inner.scalars[value] = array.element
            inner.fixed.add(value)
        elif way < 0.5:
            self._line(depth, f"for {name} in range({self._bound(scope)}):")
        elif way < 0.8:
            self._line(depth, f"for {name} in range({self._bound(scope)}, {self._bound(scope)}):")
        else:
            self._line(
                depth,
                f"for {name} in range({self._bound(scope)}, {self._bound(scope)}, {self.random.choice((1, 2, 3, -1, -2))}):",
            )
        inner.scalars[name] = "int"
        inner.fixed.add(name)
        self.loops += 1
        self._block(inner, depth + 1)
        if self.random.random() < 0.2:
            self._line(depth + 1, f"if {self._condition(inner, 1)}:")
            self._line(depth + 2, self.random.choice(("break", "continue")))
            self._block(inner, depth + 1)
        self.loops -= 1

    def _while(self, scope: Scope, depth: int) -> None:
        inner = scope.inner()
        name = self._new("w")
        self._line(depth, f"{name} = 0")
        scope.scalars[name] = inner.scalars[name] = "int"
        scope.fixed.add(name)
        inner.fixed.add(name)
        self._line(depth, f"while {name} < {self.random.choice((1, 3, 7))} and {self._condition(scope, 1)}:")
        self._line(depth + 1, f"{name} += 1")
        self.loops += 1
        self._block(inner, depth + 1)
        self.loops -= 1

    def _make(self, scope: Scope, depth: int) -> None:
        name, element = self._new("v"), self.random.choice(("float64", "int64"))
        lengths = ["3", "5", *(f"min(abs({name}), 20)" for name in ("n", "k") if name in scope.scalars)]
        length = self.random.choice([*lengths, *(f"{array.name}.shape[0]" for array in scope.arrays)])
        way = self.random.choice((f"np.zeros({length}", f"np.ones({length}", f"np.full({length}, 2"))
        self._line(depth, f"{name} = {way}, dtype=np.{element})")
        scope.arrays.append(Array(name, element, 1))

    def _view(self, scope: Scope, depth: int) -> None:
        if not scope.arrays:
            return self._make(scope, depth)
        array = self.random.choice(scope.arrays)
        part = self.random.choice(
            ("1:", ":-1", "::-1", "::2", "1:4", f"{self.random.choice(SMALL)}:{self.random.choice(SMALL)}", "3::-1")
        )
        name = self._new("u")
        rank = array.rank
        if rank == 2:
            part, rank = self.random.choice(((part, 2), (f":, {part}", 2), (f":, {part}", 2)))
        self._line(depth, f"{name} = {array.name}[{part}]")
        scope.arrays.append(Array(name, array.element, rank, array.writable))
        return None

    def _raise(self, scope: Scope, depth: int) -> None:
        way = self.random.choice(("raise ValueError('no such value')", "raise KeyError('nothing')", "raise IndexError"))
        if self.random.random() < 0.5:
            self._line(depth, f"if {self._condition(scope, 2)}:")
            self._line(depth + 1, way)
        else:
            self._line(depth, f"assert {self._condition(scope, 1)}, 'as it should be'")

    def _prange(self, scope: Scope, depth: int) -> None:
        """A parallel loop of a clean form: elements by their own subscript, sums of ints, extremes, counts."""
        inner = scope.inner()
        inner.fixed |= set(scope.scalars)
        name = self._new("i")
        # Views of what is written may overlap it: only whole arrays of the program's own take part.
        whole = [array for array in scope.arrays if array.name[0] in "abcv" and array.writable and array.rank == 1]
        if not whole or any(array.name.startswith("u") for array in scope.arrays):
            whole = []
        out = self.random.choice(whole) if whole and self.random.random() < 0.75 else None
        forms = self.random.sample(
            ("sum", "extreme", "count", "any"), self.random.choice((0, 1, 1, 2) if out else (1, 2))
        )
        number = self.random.choice([name for name in ("n", "k", "p0") if scope.scalars.get(name) == "int"] or ["7"])
        start = self.random.choice(("", "", "1, ", f"{number} % 3, "))
        stop = (
            f"{out.name}.shape[0]"
            if out
            else self.random.choice((f"min({number}, 5000)", f"min({number}, 50)", f"abs({number}) % 3000"))
        )
        inner.scalars[name] = "int"
        inner.fixed.add(name)
        sums = {}
        for form in forms:
            target = self._new("t")
            sums[target] = form
            first = {"sum": "0", "extreme": "1e300", "count": "np.zeros(4, dtype=np.int64)", "any": "False"}[form]
            self._line(depth, f"{target} = {first}")
        self._line(depth, f"for {name} in prange({start}{stop}):")
        self.parallel = True
        self.loops += 1
        if out:
            inner.arrays = [array for array in scope.arrays if array is not out and array.name[0] in "abcv"] + [out]
            inner.shielded[out.name] = name
        else:
            inner.arrays = list(scope.arrays)
        self.budget = max(self.budget, 3)
        self._block(inner, depth + 1)
        if out:
            self._line(depth + 1, f"{out.name}[{name}] = {self._storable(out, inner, False)}")
        for target, form in sums.items():
            if form == "sum":
                self._line(depth + 1, f"{target} += {self._of('int', inner, 1)}")
                scope.scalars[target] = "int"
            elif form == "extreme":
                self._line(depth + 1, f"{target} = min({target}, {self._of('float', inner, 1)})")
                scope.scalars[target] = "float"
            elif form == "count":
                self._line(depth + 1, f"{target}[{name} % 4] += {self.random.choice(('1', name, '-2'))}")
            else:
                self._line(depth + 1, f"if {self._condition(inner, 1)}:")
                self._line(depth + 2, f"{target} = True")
                scope.scalars[target] = "bool"
        self.parallel = False
        self.loops -= 1

    # ----------------------------------------------------------------------------------------------- expressions

    def _subscript(self, array: Array, scope: Scope) -> str:
        if array.name in scope.shielded:
            return scope.shielded[array.name]
        return ", ".join(self._index(array, axis, scope) for axis in range(array.rank))

    def _index(self, array: Array, axis: int, scope: Scope) -> str:
        names = [name for name, kind in scope.scalars.items() if kind == "int" and name[0] in "iw"]
        way = self.random.random()
        if names and way < 0.6:
            name = self.random.choice(names)
            return self.random.choice(
                (name, name, name, f"{name} - 1", f"{name} + 1", f"{name} % {array.name}.shape[{axis}]", f"-{name}")
            )
        if way < 0.66:
            return str(self.random.choice(SMALL))
        return f"({self._of('int', scope, 1)}) % max({array.name}.shape[{axis}], 1)"

    def _of(self, kind: str, scope: Scope, depth: int) -> str:
        """An expression of exactly this type."""
        for _ in range(4):
            text, found = self._expression(scope, depth, want=lambda other: other == kind)
            if found == kind:
                return text
        text, found = self._expression(scope, depth)
        return {
            "int": f"int({text})",
            "float": f"float({text})",
            "bool": f"bool({text})",
            "uint64": f"np.uint64(int({text}) & 1023)",
            "uint8": f"np.uint8(int({text}) & 255)",
            "int8": f"np.int8(int({text}) & 127)",
            "int32": f"np.int32(int({text}) & 65535)",
        }.get(kind) or f"np.{kind}({'int' if is_int(kind) else 'float'}({text}))"

    def _leaf(self, scope: Scope, want) -> tuple[str, str]:
        choices = [(name, kind) for name, kind in scope.scalars.items() if want(kind)]
        if choices and self.random.random() < 0.6:
            return self.random.choice(choices)
        arrays = [array for array in scope.arrays if want(array.element)]
        if arrays and self.random.random() < 0.6:
            array = self.random.choice(arrays)
            if not any(part == array.name for part in scope.shielded) or self.random.random() < 0.8:
                return f"{array.name}[{self._subscript(array, scope)}]", array.element
        if want("float") and self.random.random() < 0.4:
            value = self.random.choice(FLOATS[:10])
            return (f"({value!r})" if value < 0 else repr(value)), "float"
        value = self.random.choice(SMALL if self.random.random() < 0.8 else INTS)
        if value == -(2**63):  # a minus and a number that is too large
            return f"({value + 1} - 1)", "int"
        return (f"({value})" if value < 0 else str(value)), "int"

    def _expression(self, scope: Scope, depth: int, want=lambda kind: True) -> tuple[str, str]:
        """An expression and its type, which `want` likes where that is easy."""
        if depth <= 0 or self.random.random() < 0.2:
            return self._leaf(scope, want)
        way = self.random.random()
        if way < 0.6:
            return self._binary(scope, depth, want)
        if way < 0.68:
            text, kind = self._expression(scope, depth - 1, lambda kind: want(kind) and kind != "bool")
            if kind == "bool":
                return text, kind
            op = self.random.choice(("-", "abs(", "+" if not is_int(kind) else "~"))
            return (f"abs({text})" if op == "abs(" else f"({op}{text})"), "int" if kind == "bool" else kind
        if way < 0.76:
            return self._call(scope, depth)
        if way < 0.82 and self.helpers:
            name, kinds, result = self.random.choice(self.helpers)
            return f"{name}({', '.join(self._of(kind, scope, depth - 1) for kind in kinds)})", result
        if way < 0.9:
            text, kind = self._expression(scope, depth - 1, want)
            return f"({text} if {self._condition(scope, depth - 1)} else {self._of(kind, scope, depth - 1)})", kind
        text, kind = self._expression(scope, depth - 1, want)
        return f"{self.random.choice(('min', 'max'))}({text}, {self._of(kind, scope, depth - 1)})", kind

    def _binary(self, scope: Scope, depth: int, want) -> tuple[str, str]:
        left, one = self._expression(scope, depth - 1, want)
        right, two = self._expression(scope, depth - 1, want)
        kind = promoted(one, two)
        if kind is None or (one == two == "bool"):
            return left, one
        op = self.random.choice(("+", "+", "-", "-", "*", "*", "//", "%", "/"))
        if is_int(one) and is_int(two) and is_int(kind):
            op = self.random.choice((op, op, op, "&", "|", "^", "<<", ">>", "**"))
        if op in ("/", "//", "%") and two in ("int", "float") and self.random.random() < 0.6:
            right = {
                "int": self.random.choice(("3", "7", "(-2)", "10")),
                "float": self.random.choice(("2.5", "(-0.5)", "3.0")),
            }[two]
        if op == "/":
            if is_float(kind):
                return f"({left} / {right})", kind
            return f"({left} / {right})", "float" if kind == "int" else "float64"
        if op in ("<<", ">>", "**") and one != "int":
            op = "+"
        if op in ("<<", ">>"):
            amount = self.random.choice(("% 8", "% 8", "& 63", "% 66 - 1"))
            return f"({left} {op} (({self._of('int', scope, 0)}) {amount}))", one
        if op == "**":
            return f"({left}) ** {self.random.choice((2, 2, 3))}", one
        return f"({left} {op} {right})", kind

    def _call(self, scope: Scope, depth: int) -> tuple[str, str]:
        way = self.random.choice(
            ("int", "float", "round", "sqrt", "floor", "ceil", "len", "np", "fabs", "isnan", "copysign")
        )
        number, _ = self._expression(scope, depth - 1, is_float)
        if way == "len" and scope.arrays:
            array = self.random.choice(scope.arrays)
            return self.random.choice(
                (f"len({array.name})", f"{array.name}.shape[{array.rank - 1}]", f"{array.name}.size")
            ), "int"
        if way in ("int", "round"):
            return f"{way}({number})", "int"
        if way in ("floor", "ceil"):
            return f"math.{way}(float({number}))", "int"
        if way == "isnan":
            return f"math.isnan(float({number}))", "bool"
        if way == "np":
            return self.random.choice(
                (f"np.sqrt(float({number}))", f"np.floor(float({number}))", f"np.float64({number})")
            ), "float64"
        if way == "sqrt":
            return f"math.sqrt(float({number}))", "float"
        if way == "copysign":
            return f"math.copysign(float({number}), {self._of('float', scope, 0)})", "float"
        return f"float({number})", "float"

    def _condition(self, scope: Scope, depth: int) -> str:
        way = self.random.random()
        if depth > 0 and way < 0.25:
            return f"({self._condition(scope, depth - 1)} {self.random.choice(('and', 'or'))} {self._condition(scope, depth - 1)})"
        if depth > 0 and way < 0.32:
            return f"not {self._condition(scope, depth - 1)}"
        flags = [name for name, kind in scope.scalars.items() if kind == "bool"]
        if flags and way < 0.4:
            return self.random.choice(flags)
        left, _ = self._expression(scope, depth)
        right, _ = self._expression(scope, max(depth - 1, 0))
        if way < 0.5:
            return f"{left} {self.random.choice(('<', '<='))} {right} {self.random.choice(('<', '<=', '!='))} {self._leaf(scope, is_int)[0]}"
        return f"{left} {self.random.choice(('<', '<=', '>', '>=', '==', '!='))} {right}"


def arguments(program: Program, seed: int) -> list:
    """Fresh arguments; the same for the same seed."""
    chance = random.Random(seed)
    wild = chance.random() < 0.35
    size = chance.choice((0, 1, 2, 3, 5, 8, 17))
    if "prange" in program.source and chance.random() < 0.25:
        size = 4500
    given: list = []
    for name, kind in program.parameters:
        if name == "n":
            given.append(size if chance.random() < 0.7 else chance.choice(INTS))
        elif kind == "int":
            given.append(chance.choice(INTS if wild else SMALL))
        elif kind == "float":
            given.append(chance.choice(FLOATS) if wild else chance.uniform(-5, 5))
        elif kind == "bool":
            given.append(chance.random() < 0.5)
        else:
            element, _, axes = kind.partition("[")
            shape = (size,) if axes == "]" else (min(size, 9), chance.choice((0, 1, 3, 4)))
            given.append(_array(chance, element, shape, program.layouts[name], wild))
    return given


def _array(chance: random.Random, element: str, shape: tuple[int, ...], layout: str, wild: bool) -> np.ndarray:
    count = int(np.prod(shape))
    if element.startswith("float"):
        values = [
            chance.choice(FLOATS) if wild and chance.random() < 0.3 else chance.uniform(-9, 9) for _ in range(count)
        ]
    else:
        low, high = (int(np.iinfo(element).min), int(np.iinfo(element).max))
        edges = [value for value in (*INTS, low, high) if low <= value <= high]
        values = [
            chance.choice(edges) if wild and chance.random() < 0.3 else chance.randint(max(low, -9), 9)
            for _ in range(count)
        ]
    with np.errstate(over="ignore"):
        array = np.array(values).astype(element) if element.startswith("float") else np.array(values, dtype=element)
    array = array.reshape(shape)
    if layout == "reversed":
        array = array[::-1].copy()[::-1]
    elif layout == "strided":
        wide = np.zeros(tuple(2 * length for length in shape), dtype=element)
        part = wide[tuple(slice(0, 2 * length, 2) for length in shape)]
        part[...] = array
        array = part
    elif layout == "F":
        array = np.asfortranarray(array)
    elif layout == "readonly":
        array.setflags(write=False)
    return array


def generate(seed: int) -> Program:
    return Generator(seed).program()
