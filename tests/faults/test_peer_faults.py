"""The faults on which other process pools hang, break or leave something behind (sixteen items, two workers).

Each row is what a user does, and what must come of it here: an answer or an error for the item concerned, from a program
in a file, on the command line and on standard input alike.
"""

import signal

import pytest
from scenario import Scenario, run

EXPECT = """
def expect(found, place, kind):
    error = found.pop(place)
    assert type(error).__name__ == kind, repr(error)
    assert found == [x * x for x in range(16) if x != place], found
"""

ROWS = {
    "a worker killed once": """
        def item(x):
            if x == 5 and Flag("killed").set():
                os.kill(os.getpid(), signal.SIGKILL)
            return x * x
        with mh.Pool(2) as pool:
            expect(pool.map(item, range(16), on_error="return"), 5, "WorkerDied")
            assert pool.map(item, range(16)) == [x * x for x in range(16)]
    """,
    "an item that always kills its worker": """
        def item(x):
            if x == 5:
                os.kill(os.getpid(), signal.SIGKILL)
            return x * x
        with mh.Pool(2) as pool:
            expect(pool.map(item, range(16), on_error="return", retries=3), 5, "WorkerDied")
            try:
                pool.map(item, range(16))
            except mh.WorkerDied as error:
                assert error.index == 5
    """,
    "lambda": """
        with mh.Pool(2) as pool:
            assert pool.map(lambda x: x * x, range(16)) == [x * x for x in range(16)]
    """,
    "closure": """
        def power(n):
            def item(x):
                return x ** n
            return item
        with mh.Pool(2) as pool:
            assert pool.map(power(2), range(16)) == [x * x for x in range(16)]
    """,
    "no __main__ guard": """
        Tally("runs of the program").add()
        def item(x):
            return x * x
        assert mh.map(item, range(16), workers=2) == [x * x for x in range(16)]
        assert int(Tally("runs of the program")) == 1
    """,
    "unpicklable result": """
        def item(x):
            return threading.Lock() if x == 5 else x * x
        with mh.Pool(2) as pool:
            expect(pool.map(item, range(16), on_error="return"), 5, "MaybeEncodingError")
    """,
    "unpicklable argument": """
        with mh.Pool(2) as pool:
            try:
                pool.map(lambda x: x, [0, 1, threading.Lock()])
            except TypeError as error:
                notes = getattr(error, "__notes__", None) or [str(error.__cause__)]
                assert "item 2" in " ".join(notes), notes
            assert pool.map(lambda x: x * x, range(16)) == [x * x for x in range(16)]
    """,
    "exception whose class needs two arguments": """
        class Difficult(Exception):
            def __init__(self, what, why):
                super().__init__(f"{what} because of {why}")
                self.why = why
        def item(x):
            if x == 5:
                raise Difficult("no", "reason")
            return x * x
        with mh.Pool(2) as pool:
            found = pool.map(item, range(16), on_error="return")
            assert str(found[5]) == "no because of reason" and found[5].why == "reason"
            expect(found, 5, "Difficult")
    """,
    "unpicklable exception": """
        class Holding(Exception):
            pass
        def item(x):
            if x == 5:
                raise Holding("held", threading.Lock())
            return x * x
        with mh.Pool(2) as pool:
            expect(pool.map(item, range(16), on_error="return"), 5, "Holding")
    """,
    "sys.exit in an item": """
        def item(x):
            if x == 5:
                sys.exit(3)
            return x * x
        with mh.Pool(2) as pool:
            found = pool.map(item, range(16), on_error="return")
            assert found[5].code == 3
            expect(found, 5, "TaskExited")
    """,
    "random numbers of forked workers": """
        import numpy
        numpy.random.seed(1)
        numpy.random.rand()
        with mh.Pool(2) as pool:
            values = pool.map(lambda x: (time.sleep(0.02), float(numpy.random.rand()))[1], range(16))
        assert len(set(values)) == 16, values
    """,
}


@pytest.mark.parametrize("how", ["file", "-c", "standard input"])
@pytest.mark.parametrize("row", ROWS)
def test_no_row_hangs(row, how):
    import textwrap

    run(EXPECT + textwrap.dedent(ROWS[row]), how=how)


@pytest.mark.parametrize("how", ["file", "-c", "standard input"])
@pytest.mark.parametrize("number, code", [(signal.SIGINT, -2), (signal.SIGKILL, -9)])
def test_the_end_of_the_parent_leaves_nothing(number, code, how):
    program = """
        def item(x):
            if x == 0:
                Flag("begun").set()
            time.sleep(3600)
        threading.Thread(target=lambda: (Flag("begun").wait(), print("begin")), daemon=True).start()
        with mh.Pool(2) as pool:
            pool.map(item, range(16))
    """
    with Scenario(program, how=how) as scenario:
        scenario.wait_for("begin")
        scenario.signal(number)
        ended = scenario.finish(code=code)
    print(f"gone {ended.gone_after:.3f} s after the program")
