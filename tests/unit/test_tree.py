"""The flattened syntax tree that the loop compiler reads."""

import ast
import json
import pathlib
import subprocess
import sys
import textwrap

import pytest

from manyhands import _tree


def flat(source):
    """The first statement of `source`, flattened and read back, without places."""
    return bare(json.loads(_tree.flatten(ast.parse(textwrap.dedent(source)).body[0])))


def bare(part):
    if not isinstance(part, list):
        return part
    if len(part) > 4 and isinstance(part[0], str) and all(type(number) is int for number in part[1:5]):
        part = [part[0], *part[5:]]
    return [bare(member) for member in part]


def value(source):
    """The expression `source`."""
    [returned] = flat(f"def f():\n    return ({source})")[3]
    return returned[1]


def test_a_function():
    source = "def f(x, n=2):\n    for i in range(n):\n        x += é\n    return x\n"
    assert _tree.flatten(ast.parse(source).body[0]) == (
        '["FunctionDef",1,0,4,12,"f",'
        '[["arg",1,6,1,7,"x","normal",null],["arg",1,9,1,10,"n","normal",null]],'
        '[["For",2,4,3,15,["Name",2,8,2,9,"i"],["Call",2,13,2,21,["Name",2,13,2,18,"range"],[["Name",2,19,2,20,"n"]],[]],'
        '[["AugAssign",3,8,3,15,["Name",3,8,3,9,"x"],"Add",["Name",3,13,3,15,"\\u00e9"]]],[]],'
        '["Return",4,4,4,12,["Name",4,11,4,12,"x"]]]]'
    )


def test_lines_are_those_of_the_file():
    tree = ast.parse("\n" * 40 + "f = lambda x: x")
    assert _tree.flatten(tree.body[0].value).startswith('["Lambda",41,4,41,15,[["arg",41,11,41,12,"x",')


@pytest.mark.parametrize(
    ("source", "kind", "text"),
    [
        ("7", "int", "7"),
        (str(2**64), "int", str(2**64)),
        (hex(16**5000), "int", hex(16**5000)),
        ("0.1", "float", "0x1.999999999999ap-4"),
        ("0.0", "float", "0x0.0p+0"),
        ("5e-324", "float", "0x0.0000000000001p-1022"),
        ("1e999", "float", "inf"),
        ("2.5j", "complex", "0x0.0p+0 0x1.4000000000000p+1"),
        ("True", "bool", "True"),
        ("None", "None", "None"),
        ("...", "Ellipsis", "..."),
        ("'a\"\\n\\\\'", "str", 'a"\n\\'),
        ("'\\ud800'", "str with lone surrogates", ""),
        ("b'x'", "bytes", ""),
    ],
    ids=lambda text: text[:12],
)
def test_constants(source, kind, text):
    assert value(source) == ["Constant", kind, text]


def name(text):
    return ["Name", text]


@pytest.mark.parametrize(
    ("source", "node"),
    [
        ("a < b is not c", ["Compare", name("a"), ["Lt", "IsNot"], [name("b"), name("c")]]),
        ("a and b and c", ["BoolOp", "And", [name("a"), name("b"), name("c")]]),
        ("not a", ["UnaryOp", "Not", name("a")]),
        ("a if b else c", ["IfExp", name("b"), name("a"), name("c")]),
        (
            "a[b:, ::c]",
            ["Subscript", name("a"), ["Tuple", [["Slice", name("b"), None, None], ["Slice", None, None, name("c")]]]],
        ),
        (
            "f(*a, k=b, **c)",
            ["Call", name("f"), [["Starred", name("a")]], [["keyword", "k", name("b")], ["keyword", None, name("c")]]],
        ),
        ("a.b", ["Attribute", name("a"), "b"]),
        ("(a := b)", ["NamedExpr", name("a"), name("b")]),
        ("[a]", ["List", [name("a")]]),
        ("{a: b}", ["Dict"]),
        ("[a for a in b]", ["ListComp"]),
        ("lambda: a", ["Lambda", [], name("a")]),
    ],
)
def test_expressions(source, node):
    assert value(source) == node


def test_statements():
    source = """
    def f():
        a = b = c
        d: int
        e: int = a
        while a:
            break
        else:
            continue
        if a: pass
        elif b: raise a from b
        assert a, b
        nonlocal x, y
        global z
        try: pass
        finally: pass
        import os
        a
        return
    """
    a, b, c, d, e = map(name, "abcde")
    assert flat(source)[3] == [
        ["Assign", [a, b], c],
        ["AnnAssign", d, None],
        ["AnnAssign", e, a],
        ["While", a, [["Break"]], [["Continue"]]],
        ["If", a, [["Pass"]], [["If", b, [["Raise", a, b]], []]]],
        ["Assert", a, b],
        ["Nonlocal", ["x", "y"]],
        ["Global", ["z"]],
        ["Try"],
        ["Import"],
        ["Expr", a],
        ["Return", None],
    ]


def test_parameters_of_every_kind():
    source = """
    def f(a, /, b=1, *c, d=2, **e):
        def g(a, b=c, /, d=e, *, h, i=j): pass
        @g
        def k(): pass
    """
    tree = flat(source)
    assert tree[2] == [
        ["arg", "a", "positional", None],
        ["arg", "b", "normal", None],
        ["arg", "c", "varargs", None],
        ["arg", "d", "keyword", None],
        ["arg", "e", "varkeywords", None],
    ]
    assert tree[3][0][2] == [
        ["arg", "a", "positional", None],
        ["arg", "b", "positional", name("c")],
        ["arg", "d", "normal", name("e")],
        ["arg", "h", "keyword", None],
        ["arg", "i", "keyword", name("j")],
    ]
    assert tree[3][1] == ["FunctionDef with a decorator"]


def test_what_is_in_an_f_string_has_a_true_place():
    source = "def f(x):\n    raise ValueError(\n        f'{x:>{x}}, {x!r}')\n"
    tree = json.loads(_tree.flatten(ast.parse(source).body[0]))
    joined = tree[7][0][5][6][0]
    assert joined[0] == "JoinedStr" and joined[1:3] == [3, 8]
    places = []

    def visit(part):
        if isinstance(part, list):
            if part and part[0] == "Name":
                places.append(part[1:3])
            for member in part:
                visit(member)

    visit(joined)
    assert len(places) == 3 and all(line == 3 and 8 <= column < 28 for line, column in places)
    assert bare(joined)[1] == [
        [
            "FormattedValue",
            name("x"),
            -1,
            ["JoinedStr", [["Constant", "str", ">"], ["FormattedValue", name("x"), -1, None]]],
        ],
        ["Constant", "str", ", "],
        ["FormattedValue", name("x"), 114, None],
    ]


def test_deeper_than_the_stack():
    tree = ast.Name("x", ast.Load(), lineno=1, col_offset=0, end_lineno=1, end_col_offset=1)
    for _ in range(5000):
        tree = ast.UnaryOp(ast.USub(), tree, lineno=1, col_offset=0, end_lineno=1, end_col_offset=1)
    parameters = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])
    written = _tree.flatten(ast.Lambda(parameters, tree, lineno=1, col_offset=0, end_lineno=1, end_col_offset=1))
    assert written.count('"USub"') == 5000 and written.endswith("]" * 5002)


def test_needs_nothing_but_ast():
    code = (
        "import sys, importlib.util as util\n"
        f"spec = util.spec_from_file_location('tree', {_tree.__file__!r})\n"
        "tree = util.module_from_spec(spec)\n"
        "before = set(sys.modules)\n"
        "spec.loader.exec_module(tree)\n"
        "assert set(sys.modules) <= before | {'__future__'}, set(sys.modules) - before\n"
        "import ast\n"
        "tree.flatten(ast.parse('def f(x): return x + 1').body[0])\n"
        "assert 'json' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-S", "-c", code], check=True, timeout=60)


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="from 3.12 on the parts of f-strings have places of their own")
def test_trees_of_the_compiler_cases_are_up_to_date():
    script = pathlib.Path(__file__).parents[2] / "crates" / "mh-compile" / "tests" / "cases" / "trees.py"
    subprocess.run([sys.executable, "-S", str(script), "--check"], check=True, timeout=60)
