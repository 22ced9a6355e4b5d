"""Finds the syntax tree of a function: in the text of its file, and only where that text still is the function.

The text is compiled again as a whole, and the function's own code object looked for in what comes out. So a file that
was changed since it was imported is an error, and never another function.
"""

import linecache
import sys
from types import CodeType

#: [(lines, flags, tree, codes)] of the last files: functions of one file come one after the other.
_COMPILED_LATELY: list = []
_KEPT = 4


class NoSource(Exception):
    """The source cannot be had: the sentence says why, and what to do."""


def find(function, source=None):
    """(JSON of the tree, file's name, function's name, number of the first line, text) of a plain function.

    `source`: its text, where it cannot be found.
    """
    import ast

    code = function.__code__
    if source is not None:
        lines, node = _given(function, source)
    else:
        lines, node = _found(function)
    if isinstance(node, ast.AsyncFunctionDef):
        raise NoSource(f"{function.__qualname__} is a coroutine: compiled functions are plain ones")
    from ._tree import flatten

    first, last = node.lineno, node.end_lineno
    text = "".join(lines[first - 1 : last])
    return flatten(node), code.co_filename, function.__qualname__, first, text


def _found(function):
    """(lines, node) of the function in its file, or where else its text can be."""
    code = function.__code__
    try:
        lines = _lines(function)
    except NoSource:
        for text in _other_texts(code.co_filename):
            try:
                return _given(function, text)
            except NoSource:
                continue
        raise
    node = _node(*_compiled(lines, code), code)
    if node is None:
        raise NoSource(_changed(function, lines))
    return lines, node


def _other_texts(name):
    """Texts that may be what was executed under a name that is no file's."""
    if name == "<string>" and "-c" in sys.orig_argv:  # python -c
        yield from sys.orig_argv[sys.orig_argv.index("-c") + 1 :][:1]
    if name == "<stdin>":  # python - < file
        import os
        import stat

        status = os.fstat(0)
        if stat.S_ISREG(status.st_mode):
            yield os.pread(0, status.st_size, 0).decode(errors="replace")
    if "IPython" in sys.modules:  # cells with %%time and its like, whose body is executed under another name
        shell = sys.modules["IPython"].get_ipython()
        for cell in reversed(shell.history_manager.input_hist_raw if shell is not None else ()):
            head, _, body = cell.lstrip().partition("\n")
            if head.startswith("%%"):
                yield shell.transform_cell(body)


def _lines(function):
    """The lines of the function's file, as the interpreter would show them in a traceback."""
    code = function.__code__
    name = code.co_filename
    of_code = getattr(linecache, "_getlines_from_code", None)  # the prompt's lines, in later versions of Python 3.13
    if of_code is not None and name.startswith("<") and (lines := of_code(code)):
        return lines
    if not name.startswith("<"):
        linecache.checkcache(name)
    lines = linecache.getlines(name, function.__globals__)
    if lines:
        return lines
    shown = function.__qualname__
    if name.startswith("<"):
        raise NoSource(
            f"the source of {shown} cannot be had: its code came from {name}, of which Python keeps no text. Give it: "
            "mh.jit(source=text)(function), with the text that was executed"
        )
    raise NoSource(
        f"the source of {shown} cannot be had: {name} cannot be read. Give it by mh.jit(source=text)(function)"
    )


def _compiled(lines, code):
    """(tree, all code objects) of a file's lines, compiled as the function's own file was."""
    import ast

    flags = code.co_flags & _future_flags()
    for kept in _COMPILED_LATELY:
        if kept[0] is lines and kept[1] == flags:
            return kept[2:]
    text = "".join(lines)
    try:
        # 0x2000 is PyCF_ALLOW_TOP_LEVEL_AWAIT: notebooks have it, and nothing else is changed by it.
        tree = compile(text, code.co_filename, "exec", ast.PyCF_ONLY_AST | 0x2000 | flags, dont_inherit=True)
        codes = _codes(compile(tree, code.co_filename, "exec", 0x2000 | flags, dont_inherit=True))
    except (SyntaxError, ValueError):
        # A script's mistake in a line below would have been met when it was run, so the file has changed.
        tree, codes = None, []
    _COMPILED_LATELY.insert(0, (lines, flags, tree, codes))
    del _COMPILED_LATELY[_KEPT:]
    return tree, codes


def _future_flags():
    import __future__

    every = 0
    for name in __future__.all_feature_names:
        every |= getattr(__future__, name).compiler_flag
    return every & ~0x10  # `nested_scopes` has the bit of CO_NESTED, which functions have for another reason


def _codes(code):
    found = [code]
    for outer in found:
        found.extend(constant for constant in outer.co_consts if type(constant) is CodeType)
    return found


def _node(tree, codes, code):
    """The node of which `code` was made; None where there is none any more."""
    import ast

    if tree is None or not _is_among(code, codes):
        return None
    name, line = code.co_name, code.co_firstlineno
    kinds = (ast.Lambda,) if name == "<lambda>" else (ast.FunctionDef, ast.AsyncFunctionDef)
    candidates = [
        node
        for node in ast.walk(tree)
        if isinstance(node, kinds) and _first_line(node) == line and getattr(node, "name", name) == name
    ]
    if len(candidates) > 1:
        candidates = _by_columns(candidates, code) or [
            node for node in candidates if _alone(tree, node, candidates, code)
        ]
    return candidates[0] if candidates else None


def _first_line(node):
    return min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", ()))])


def _by_columns(candidates, code):
    """Those of several lambdas in one line that hold all the places of `code`; before Python 3.11 it has no columns."""
    if sys.version_info < (3, 11):
        return []
    places = [
        place for place in code.co_positions() if None not in place and place[3] > 0 and place[:2] != (place[0], 0)
    ]
    return [
        node
        for node in candidates
        if all(
            (node.body.lineno, node.body.col_offset) <= (line, column)
            and (end_line, end_column) <= (node.end_lineno, node.end_col_offset)
            for line, end_line, column, end_column in places
        )
    ][-1:]  # of lambdas within each other the inner one comes last


def _alone(tree, node, candidates, code):
    """Is `code` still there when all the other lambdas of its line give None?"""
    import ast

    others = [(other, other.body) for other in candidates if other is not node]
    if any(node in ast.walk(other) for other, _ in others):
        others = [(other, body) for other, body in others if node not in ast.walk(other)]
    try:
        for other, body in others:
            other.body = ast.copy_location(ast.Constant(None), body)
        return _is_among(
            code, _codes(compile(tree, code.co_filename, "exec", 0x2000 | code.co_flags & _future_flags(), True))
        )
    finally:
        for other, body in others:
            other.body = body


def _is_among(code, codes):
    return any(code == other or _as_pytest_writes(code, other) for other in codes if other.co_name == code.co_name)


def _as_pytest_writes(code, other):
    """pytest writes the asserts of test modules anew: such a function is known by its place, names and lines."""
    if not any(name.startswith("@py") for name in (*code.co_names, *code.co_varnames)):
        return False
    own = tuple(name for name in code.co_varnames if not name.startswith("@py"))
    return (
        code.co_firstlineno == other.co_firstlineno
        and own == other.co_varnames
        and code.co_freevars == other.co_freevars
        and code.co_flags == other.co_flags
        and {line for *_, line in other.co_lines()} <= {line for *_, line in code.co_lines()}
    )


def _given(function, source):
    """(lines, node) of a text that the user has given: it may begin at any line, and be indented."""
    import ast
    from textwrap import dedent

    code = function.__code__
    try:
        tree = compile(dedent(source), code.co_filename, "exec", ast.PyCF_ONLY_AST)
    except SyntaxError as error:
        raise NoSource(f"the source that was given for {function.__qualname__} is no Python: {error}") from None
    kinds = (ast.Lambda,) if code.co_name == "<lambda>" else (ast.FunctionDef,)
    for node in ast.walk(tree):
        if isinstance(node, kinds) and getattr(node, "name", "<lambda>") == code.co_name:
            shift = code.co_firstlineno - _first_line(node)
            ast.increment_lineno(tree, shift)
            if any(
                _same_but_places(code, other)
                for other in _codes(compile(_within(tree, code), code.co_filename, "exec"))
            ):
                return [*["\n"] * shift, *dedent(source).splitlines(keepends=True)][max(-shift, 0) :], node
            ast.increment_lineno(tree, -shift)
    raise NoSource(
        f"the source that was given for {function.__qualname__} is not the source of this function: it must be the "
        "text that was executed"
    )


def _within(tree, code):
    """The tree in a function that has the names which the code takes from around it."""
    import ast

    if not code.co_freevars:
        return tree
    around = ast.parse("def around(): pass").body[0]
    free = [ast.Assign([ast.Name(name, ast.Store())], ast.Constant(None)) for name in code.co_freevars]
    around.body = [*free, *tree.body]
    return ast.fix_missing_locations(ast.Module([around], []))


def _same_but_places(code, other):
    """Do two code objects do the same? Their columns may differ: the text may have been indented."""
    if code == other:
        return True
    alike = all(
        getattr(code, part) == getattr(other, part)
        for part in ("co_name", "co_code", "co_names", "co_varnames", "co_freevars", "co_cellvars", "co_argcount")
    )
    if not alike or len(code.co_consts) != len(other.co_consts):
        return False
    return all(
        _same_but_places(one, two)
        if type(one) is CodeType and type(two) is CodeType
        else type(one) is type(two) and repr(one) == repr(two)
        for one, two in zip(code.co_consts, other.co_consts)
    )


def _changed(function, lines):
    code = function.__code__
    where = f"{code.co_filename}:{code.co_firstlineno}"
    return (
        f"the source of {function.__qualname__} is not in {where} any more: the file has changed since it was loaded, "
        "or the function was made in another way. Load it again, or give the text by mh.jit(source=text)(function)"
    )
