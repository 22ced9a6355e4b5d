"""Runs the Python blocks of one page as one program: `python page_program.py PAGE`.

The blocks share a `__main__` and run in order, each line under its number in the page. A block with `>>>` is compared
with what it prints, as by doctest; any other is run as it stands and fails by raising. One marked "```python no-run" is
for reading only. Exit status 1, with the reason, where a block does not do what it says.
"""

import doctest
import linecache
import re
import sys
import types
from pathlib import Path


def blocks(text):
    """(number of the first line, source) of each block that is to be run."""
    for found in re.finditer(r"^```python\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL):
        yield text.count("\n", 0, found.start(1)), found[1]


def main(page):
    """Run the page; the number of examples that failed."""
    program = sys.modules["__main__"] = types.ModuleType("__main__")
    failures = 0
    for line, source in blocks(Path(page).read_text(encoding="utf-8")):
        if not re.search(r"^>>>", source, flags=re.MULTILINE):
            name, padded = f"{page}#{line}", "\n" * line + source
            linecache.cache[name] = (
                len(padded),
                None,
                padded.splitlines(keepends=True),
                name,
            )  # for who asks for sources
            exec(compile(padded, name, "exec"), vars(program))
            continue
        test = doctest.DocTestParser().get_doctest(source, {}, Path(page).name, page, line)
        test.globs = vars(program)
        runner = doctest.DocTestRunner(optionflags=doctest.REPORT_NDIFF)
        failures += runner.run(test, clear_globs=False).failed
    return failures


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1]) else 0)
