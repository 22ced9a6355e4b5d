"""The programs of the teaching documents, taken from their text: blocks, notebook cells, and what is put right in them.

The documents lie beside the project where it is developed; nothing of them is copied here. Programs are found by the words
that they contain.
"""

import ast
import json
import re
import textwrap
from pathlib import Path

SHARED = Path(__file__).resolve().parents[3] / "shared"
SEEDS = SHARED / "seeds"


def text_of(document):
    """A document's text."""
    return (SEEDS / f"{document}.txt").read_text(encoding="utf-8", errors="replace")


def fenced(document, *words):
    """The first block between fences that has all these words."""
    return _first(re.findall(r"^```\w*\n(.*?)^```", text_of(document), re.M | re.S), words)


def directive(document, *words):
    """The first `code-block` directive that has all these words."""
    found = re.findall(
        r"^( *)\.\. code-block:: python\n(?:\1 +:.*\n)*\n((?:\1 +\S.*\n| *\n)+)", text_of(document), re.M
    )
    return _first([textwrap.dedent(block) for _, block in found], words)


def escaped_cells(document):
    """Code cells of a notebook whose JSON went through a converter: each line a string, everything escaped."""
    text = re.sub(r"\\([_\[\]\"#<>.])", r"\1", text_of(document).replace("\n", " "))
    cells = []
    for found in re.finditer(r'"cell_type": "code".*?"source": \[ (.*?) ?\] \}', text):
        try:
            cells.append("".join(json.loads(f"[{found[1]}]")))
        except ValueError:
            continue  # prose about code, or the cell in which the document breaks off
    return cells


def cells(document):
    """Code cells of a notebook that was printed: the text after `In [n]:` up to what the cell put out."""
    return [_source(cell) for cell in re.split(r"^In \[(?:None|[ \d]*)\]:\n", text_of(document), flags=re.M)[1:]]


def as_script(cell):
    """A cell as a part of a script: magics done by hand, the last expression printed."""
    name = re.match(r"%%writefile (\S+)\n", cell)
    if name:
        return f"open({name[1]!r}, 'w').write({cell[name.end() :]!r})\n"
    cell = re.sub(r"^(%%?\w.*|global .*)\n", "", cell, flags=re.M)
    body = ast.parse(cell).body
    if body and isinstance(body[-1], ast.Expr):
        lines = cell.splitlines()
        start = body[-1].lineno - 1
        return "\n".join([*lines[:start], f"print({' '.join(lines[start:]).strip()})", ""])
    return cell


#: What becomes of an import line.
IMPORTS = {
    r"import multiprocessing as (\w+)": r"import manyhands as \1",
    r"import multiprocessing": r"import manyhands as multiprocessing",
    r"from multiprocessing(\S*) import (.*)": r"from manyhands\1 import \2",
    r"import concurrent\.futures": r"import manyhands as concurrent",
    r"from concurrent\.futures import (.*)": r"from manyhands.futures import \1",
    r"from joblib import (.*)": r"from manyhands import \1",
    r"import numba as (\w+)": r"import manyhands as \1",
    r"import numba": r"import manyhands as numba",
    r"from numba import (.*)": r"from manyhands import \1",
}


def with_ours(program):
    """The program with its import lines changed and its guards gone, and nothing else."""
    lines = []
    for line in program.splitlines():
        for theirs, ours in IMPORTS.items():
            if re.fullmatch(theirs, line.strip()):
                line = re.sub(theirs, ours, line)
                break
        lines.append(re.sub(r"^if __name__ *== *(['\"])__main__\1:", "if True:", line))
    return "\n".join([*lines, ""])


def _first(blocks, words):
    for block in blocks:
        if all(word in block for word in words):
            return block
    raise LookupError(f"no block has all of {words}")


def _source(cell):
    """Paragraphs from the beginning on, as long as they are code."""
    paragraphs = re.split(r"\n\s*\n", cell.rstrip())
    best = 1
    for count in range(2, len(paragraphs) + 1):
        if re.match(r"\[|array\(|\d|True|Writing|Overwriting|##|- ", paragraphs[count - 1]):
            break
        try:
            ast.parse(re.sub(r"^%.*", "", "\n\n".join(paragraphs[:count]), flags=re.M))
        except SyntaxError:
            continue
        best = count
    return "\n\n".join(paragraphs[:best]) + "\n"
