"""The arguments that NumPy's functions take, for the loop compiler's messages about those that it does not compile."""

import inspect
import re
import sys


def names(name):
    """Names of a function's arguments, in order, those by keyword only with `*` before them: of `numpy.sort`, say.

    Empty where neither its signature nor the first line of its documentation tells.
    """
    found = sys.modules.get("numpy")
    for part in name.split(".")[1:]:
        found = getattr(found, part, None)
    if found is None:
        return []
    try:
        parameters = inspect.signature(found).parameters.values()
    except (TypeError, ValueError):
        return _documented(found, name.rpartition(".")[2])
    shown = [("*" if one.kind is one.KEYWORD_ONLY else "") + one.name for one in parameters]
    return shown[1:] if shown[:1] == ["self"] else shown


def _documented(function, name):
    """`concatenate((a1, a2, ...), axis=0, out=None)` begins the documentation of what has no signature."""
    line = re.search(rf"\b{name}\((.*)\)", function.__doc__ or "")
    text = re.sub(r"\([^()]*\)", "arrays", line[1]) if line else ""
    found, star = [], ""
    for part in text.replace("[", "").replace("]", "").split(","):
        word = part.split("=")[0].strip()
        if word == "*":
            star = "*"
        elif word.isidentifier():
            found.append(star + word)
    return found
