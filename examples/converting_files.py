"""Converts many small files, as they come: futures, and what each of them is for."""

import tempfile
from pathlib import Path

from manyhands.futures import ThreadPoolExecutor, as_completed


def convert(path):
    """Upper-case the file beside it; how many characters."""
    text = path.read_text()
    path.with_suffix(".upper").write_text(text.upper())
    return len(text)


with tempfile.TemporaryDirectory() as folder:
    paths = [Path(folder) / f"{number}.txt" for number in range(50)]
    for number, path in enumerate(paths):
        path.write_text("some words " * number)
    (Path(folder) / "missing").mkdir()

    with ThreadPoolExecutor(4) as executor:
        futures = {executor.submit(convert, path): path for path in [*paths, Path(folder) / "missing" / "no.txt"]}
        total = 0
        for future in as_completed(futures):
            if future.exception() is None:
                total += future.result()
            else:
                print(f"{futures[future].name}: {type(future.exception()).__name__}")

    print(f"{total:,} characters in {len(list(Path(folder).glob('*.upper')))} files")
