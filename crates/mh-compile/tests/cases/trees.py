"""Write the syntax trees of the cases beside them: `NAME.trees` for each `NAME.txt` that holds Python.

    python crates/mh-compile/tests/cases/trees.py [--check] [FILE ...]

The cases' format is described in the crate's README. `--check` writes nothing and fails where a file is not up to date.
"""

import ast
import importlib.util
import json
import pathlib
import sys

CASES = pathlib.Path(__file__).resolve().parent
FLATTENER = CASES.parents[3] / "python" / "manyhands" / "_tree.py"


def flattener():
    """The package's own module, without the package."""
    spec = importlib.util.spec_from_file_location("_tree", FLATTENER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def cases(text):
    """The names and inputs of a file's cases."""
    for part in ("\n" + text).split("\n=== ")[1:]:
        name, _, rest = part.partition("\n")
        yield name, rest.partition("\n--- ")[0].strip("\n") + "\n"


def value(node):
    """What a global or a default is, as `["type", text or members]`."""
    if isinstance(node, ast.Constant) and type(node.value) is str and "[" in node.value:
        return ["array", node.value]
    if isinstance(node, ast.Constant):
        return list(flatten.constant(node.value))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return list(flatten.constant(-ast.literal_eval(node.operand)))
    if isinstance(node, ast.Tuple):
        return ["tuple", [value(member) for member in node.elts]]
    if isinstance(node, ast.Call):  # np.float32(0.1)
        return ["numpy", node.func.attr, value(node.args[0])]
    if isinstance(node, ast.Name) and node.id == "Exception":
        return ["exception", ""]
    raise SystemExit(f"a global or a default that cases cannot have: {ast.unparse(node)}")


def lines(source):
    """What the tests are told of the source, a line for each thing in it."""
    types = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef):
            arguments = node.args
            parameters = [*arguments.posonlyargs, *arguments.args]
            first = len(parameters) - len(arguments.defaults)
            defaults = {one.arg: value(default) for one, default in zip(parameters[first:], arguments.defaults)}
            keyword = zip(arguments.kwonlyargs, arguments.kw_defaults)
            defaults.update({one.arg: value(default) for one, default in keyword if default is not None})
            types = [one.annotation.value for one in parameters if one.annotation is not None]
            yield f"def {node.name} {dumped(defaults)} {flatten.flatten(node)}"
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
            yield f"def {node.targets[0].id} {{}} {flatten.flatten(node.value)}"
        elif isinstance(node, ast.Assign):
            yield f"let {node.targets[0].id} {dumped(value(node.value))}"
        elif isinstance(node, ast.ClassDef):
            yield f"let {node.name} {dumped(['exception', ''])}"
        else:
            raise SystemExit(f"line {node.lineno}: cases hold functions, classes of exceptions and values")
    yield f"types {dumped(types)}"


def dumped(thing):
    return json.dumps(thing, separators=(",", ":"))


def trees(text):
    """The text of the file beside: each case's name, source and lines. Empty where the cases are no Python."""
    out = []
    for name, source in cases(text):
        if not any(line.startswith(("def ", "f = lambda")) for line in source.splitlines()):
            continue
        out += [f"case {dumped(name)} {dumped(source)}", *lines(source)]
    return "".join(line + "\n" for line in out)


def main(arguments):
    check = "--check" in arguments
    files = [pathlib.Path(name) for name in arguments if name != "--check"] or sorted(CASES.rglob("*.txt"))
    stale = []
    for file in files:
        beside = file.with_suffix(".trees")
        new = trees(file.read_text(encoding="utf-8"))
        old = beside.read_text(encoding="utf-8") if beside.exists() else ""
        if new != old:
            stale.append(str(file))
            if not check:
                beside.write_text(new, encoding="utf-8")
    if check and stale:
        raise SystemExit(f"not up to date (run {pathlib.Path(__file__).name}): {', '.join(stale)}")


flatten = flattener()

if __name__ == "__main__":
    main(sys.argv[1:])
