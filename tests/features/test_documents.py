"""The documents' programs print what they print, with their import lines changed, no guard, and nothing else.

Each is run as a script in a fresh process, as it is in the document and then with ours. Where the document's program does
not run as it is printed, what is put right stands here, for both; sizes are made smaller where it takes minutes.
Programs of `threading.Thread` alone change in nothing and are not here.
"""

import re
import subprocess
import sys

import documents
import pytest

from programs import PATIENCE, environment

pytestmark = pytest.mark.skipif(
    not documents.SEEDS.is_dir(), reason="the teaching documents are not beside this project (../shared/seeds)"
)

HPDA, WORKSHOP, CODE = "parallel-computing-hpda", "parallel-python-workshop-day1", "parallelising-python-code"
SIMPSON, PERFORMANCE = "parallelism-in-python-simpson", "performance-with-parallel-computing"

#: Durations and counts of cores: numbers that differ from run to run, or by what is counted.
DIFFERENT = r"\d+\.\d+ seconds|time: \d.*|cores: \d+"

COUNTED = """
DELIMITERS = ". , ; : ? $ @ ^ < > # % ` ! * - = ( ) [ ] { } / \\" '".split()

def load_text(path):
    with open(path, encoding="utf-8") as text:
        return text.read().splitlines()[:LINES]

def load_word_counts(path):
    with open(path, encoding="utf-8") as counts:
        return [(word, int(count)) for word, count in map(str.split, counts)]
"""
"""The workshop's own helper module, which the document imports and does not show."""


@pytest.fixture
def check(tmp_path):
    """`check(program)` runs a document's program and the same with ours, and compares what they print."""

    def run(program, folder, arguments):
        script = folder / "program.py"
        script.write_text(program, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, script.name, *arguments],
            cwd=folder,
            env=environment(PYTHONUNBUFFERED="1"),  # else a pool of theirs that is left loses what it printed
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, f"{program}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def check(program, *arguments, files=(), order=True, made=""):
        """`files`: (name, text) that the program finds; `made`: a pattern of files that it makes, compared too."""
        ours = documents.with_ours(program)
        assert ours != program
        found = []
        for name, source in ("theirs", program), ("ours", ours):
            folder = tmp_path / name
            folder.mkdir()
            for path, text in files:
                (folder / path).parent.mkdir(exist_ok=True)
                (folder / path).write_text(text, encoding="utf-8")
            printed = re.sub(DIFFERENT, "", run(source, folder, arguments))
            assert printed
            results = {path.name: path.read_text(encoding="utf-8") for path in folder.glob(made)} if made else {}
            # Processes of theirs break into each other's lines: then only the characters are the same.
            found.append((printed if order else sorted("".join(printed.split())), results))
        assert found[0] == found[1]
        assert not made or found[0][1]

    return check


def put_right(program, *changes):
    """The program with each (text, better) changed; each must be there."""
    for text, better in changes:
        assert text in program, text
        program = program.replace(text, better)
    return program


def test_files_converted_by_a_thread_pool_executor(check):
    program = documents.directive(HPDA, "ThreadPoolExecutor")
    program = put_right(program, ("read_file", "csvify_file"))  # which it does not define
    files = [(f"processed_data/book{n}.dat", f"the {n * 7}\nof {n * 3}\n") for n in range(20)]
    check(program, files=files, made="processed_data/*.csv")


def test_a_pool_of_squares_and_of_powers(check):
    program = documents.directive(HPDA, "mp.cpu_count()") + documents.directive(HPDA, "power_n")
    check(program)


def test_word_autocorrelation(check):
    pytest.importorskip("numpy")
    book = documents.SHARED / "data" / "books" / "pg99.txt"
    if not book.is_file():
        pytest.skip("the books are not beside this project (../shared/data/books)")
    program = documents.directive(HPDA, "word_autocorr_average_pool")
    # The whole book takes minutes.
    files = [("wordcount.py", f"LINES = 120\n{COUNTED}"), ("pg99.dat", "".join(f"{word} 1\n" for word in TOP))]
    check(program, str(book), "pg99.dat", "acf.csv", files=files)


TOP = "the of and to in a that i for it".split()


@pytest.mark.parametrize(
    "name, change",
    [("mp_pool.py", ("range(2, 8)", "range(2, 5)")), ("mp_pool_vary_workers.py", ("1_000_000", "10_000"))],
)
def test_how_long_pi_takes(check, name, change):
    check(put_right(documents.fenced(WORKSHOP, f"#{name}"), change, ("number=5", "number=1")))


def test_two_processes(check):
    function = documents.fenced(WORKSHOP, "from threading import Thread", "def calc_pi")
    function = put_right(
        function.partition("%%time")[0], ("name=None)", "name=None):"), ("import Thread", "import Lock")
    )
    program = documents.fenced(WORKSHOP, "from multiprocessing import Process").partition(">>>")[0]
    program = put_right(program, ("%%timeit\n", ""), ("10**7", "10**5"), ("(n,)", '(n, "One")'))
    check(function + program, order=False)


def test_processes_of_a_context(check):
    function = documents.fenced(WORKSHOP, "def calc_pi(N):", "%timeit").partition("%timeit")[0]
    program = documents.fenced(WORKSHOP, "ctx.Process")
    # It stops at the making; and what spawns needs a guard there, which goes again with ours.
    program = re.sub("^", "    ", program, flags=re.M)
    program = f"import multiprocessing as mp\nif __name__ == '__main__':\n    n = 1000\n{program}"
    program += "\n    p1.start(); p2.start()\n    p1.join(); p2.join()\n    print(p1.exitcode, p2.exitcode)\n"
    check(function + program)


@pytest.mark.parametrize("number", range(1, 6))
def test_cells_about_joblib_and_multiprocessing(check, number):
    cells = documents.escaped_cells(CODE)
    if "Parallel" in cells[number]:
        pytest.importorskip("joblib")
        check("\n".join(dict.fromkeys((cells[1], cells[number]))))
    else:
        check(cells[number])


def test_there_are_as_many_cells():
    assert len(documents.escaped_cells(CODE)) == 6


def test_a_pool_that_tells_its_processes(check):
    pytest.importorskip("numpy")
    program = documents.fenced(SIMPSON, "nthread=8", "def square")
    program = put_right(
        program,
        ("square the input, print process ID", ""),  # remarks of the slide
        ("Start a pool of nthread processes", ""),
        ("Call our function on every entry,", ""),
        ("save output in a list.", ""),
        ("time.sleep(3)", "time.sleep(0.01)"),
        ("pid=os.getpid()", "pid='?'"),  # another in each run
    )
    check(program, order=False)


def test_simpsons_rule_in_a_pool(check):
    pytest.importorskip("numpy")
    imports = documents.fenced(SIMPSON, "def integrate(lims").partition("def integrate")[0]
    first = documents.fenced(SIMPSON, "def integrate(id") + documents.fenced(SIMPSON, "fun=np.exp, range=[0,1]")
    check(imports + first, order=False)


def test_simpsons_rule_with_limits(check):
    pytest.importorskip("numpy")
    program = documents.fenced(SIMPSON, "def integrate(lims") + documents.fenced(SIMPSON, "lims=[None]*nthread")
    check(program, order=False)


REQUESTS = """
class _Answer:
    text = "x" * 1256

def get(url):
    return _Answer
"""
"""Stands for the library that asks a web site."""


def notebook():
    """The notebook's cells from the beginning to its last comparison, as one script, with smaller numbers."""
    cells = documents.cells(PERFORMANCE)
    last = next(number for number, cell in enumerate(cells) if "np.allclose(Z, Z3)" in cell)
    program = "\n".join(documents.as_script(cell) for cell in cells[: last + 1] if cell.strip() != "cpu_count()")
    return put_right(
        program,
        ("from numba import njit\n", ""),  # used later in the notebook
        ("int(1e7)", "int(1e4)"),
        ("m = 1000\nn = 1000\np = 100", "m = 100\nn = 50\np = 10"),
    )


@pytest.mark.slow
def test_a_notebook_of_pools_threads_and_joblib(check):
    for library in ("numpy", "joblib", "tqdm"):
        pytest.importorskip(library)
    program = notebook()
    assert program.count("Pool(") > 5 and program.count("Parallel(") > 5
    check(program, files=[("requests.py", REQUESTS)], order=False)
