"""A worker killed every few milliseconds: every item is answered exactly once, with the right value."""

import pytest
from scenario import run

pytestmark = pytest.mark.slow

#: What each storm asks of the pool, as a program that fills `found` with (item, value) pairs.
STORMS = {
    "map": """
        found = list(enumerate(pool.map(item, range(20_000), retries=10_000)))
        count = 20_000
    """,
    "imap": """
        found = list(enumerate(pool.imap(item, range(20_000), retries=10_000)))
        count = 20_000
    """,
    "imap_unordered": """
        found = list(pool.imap_unordered(lambda x: (x, item(x)), range(20_000), retries=10_000))
        count = 20_000
    """,
    "small arrays": """
        import numpy
        values = pool.map(lambda a: a * 2 + item(a[0]) // item(a[0]), [numpy.full(50, x) for x in range(5_000)], retries=10_000)
        assert all((value == value[0]).all() and len(value) == 50 for value in values)
        found = [(x, (int(value[0]) - 1) // 2 * 3 + 1) for x, value in enumerate(values)]
        count = 5_000
    """,
    "arrays in shared memory": """
        import numpy
        def grow(array):
            assert (array == array[0]).all()
            item(0)
            array += 1  # its own: neither the caller's nor the next item's
            return array
        arrays = [numpy.full(40_000, x) for x in range(60)]
        values = list(pool.imap(grow, [arrays[x % 60] for x in range(2_000)], retries=10_000))
        assert all((value == value[0]).all() and len(value) == 40_000 for value in values)
        assert [int(value[0]) for value in values] == [x % 60 + 1 for x in range(2_000)]
        assert all((array == x).all() for x, array in enumerate(arrays))
        found = [(x, 3 * x + 1) for x in range(2_000)]
        count = 2_000
    """,
    "a big array in the function": """
        import numpy
        big = numpy.arange(200_000)
        def look(x):
            big[x] += 1
            return int(big[x]) - 1 - x + item(x)
        found = list(enumerate(pool.map(look, range(5_000), retries=10_000)))
        count = 5_000
    """,
}


def storm(asked, pause):
    """A program that asks while a thread kills one ready worker after the other."""
    return f"""
        def item(x):
            for _ in range(4_000):
                pass
            return 3 * x + 1

        def kill_now_and_then(pool, end, chance=random.Random(7)):
            killed = 0
            while not end.is_set():
                time.sleep(chance.uniform(0, {pause}))
                ready = inside.ready_workers(pool)
                # Never the last one: no pool can work when its workers die faster than a process starts.
                if len(ready) > 1:
                    killed += inside.kill(chance.choice(ready))
            return killed

        # A worker is ready when it has what the items need: importing NumPy takes long on a busy machine.
        def prepare():
            if {"numpy" in asked}:
                import numpy

        with mh.Pool(4, prepare) as pool:
            end, result = threading.Event(), []
            killer = threading.Thread(target=lambda: result.append(kill_now_and_then(pool, end)), daemon=True)
            killer.start()
            since = time.monotonic()
            try:
{_indented(asked, 16)}
            finally:
                end.set()
            killer.join(30)
            print(f"{{count}} items, {{result[0]}} workers killed, {{time.monotonic() - since:.1f}} s")
            assert sorted(found) == [(x, 3 * x + 1) for x in range(count)]
            assert pool.map(abs, range(10)) == list(range(10))
        """


@pytest.mark.parametrize("name", STORMS)
def test_every_item_is_answered_once(name):
    print(run(storm(STORMS[name], 0.010), limit=240).out)


def test_calls_one_by_one():
    # `apply_async` has no retries: each call ends once, with its value or with the death that it met.
    program = storm(
        """
        results = [pool.apply_async(item, (x,)) for x in range(5_000)]
        died = 0
        found = []
        for x, single in enumerate(results):
            try:
                found.append((x, single.get(120)))
            except mh.WorkerDied as error:
                assert error.signal == 9
                found.append((x, 3 * x + 1))
                died += 1
        assert died < 1_000
        count = 5_000
        """,
        0.010,
    )
    print(run(program, limit=240).out)


def test_deaths_without_retries_are_told_and_the_others_are_right():
    program = storm(
        """
        outcomes = pool.map(item, range(20_000), on_error="return")
        died = [x for x, value in enumerate(outcomes) if isinstance(value, mh.WorkerDied)]
        assert all(outcomes[x].index == x and outcomes[x].signal == 9 for x in died)
        found = [(x, 3 * x + 1 if x in set(died) else value) for x, value in enumerate(outcomes)]
        count = 20_000
        """,
        0.010,
    )
    print(run(program, limit=240).out)


def test_several_callers_in_one_storm():
    program = storm(
        """
        found = []
        def ask(first):
            part = range(first, first + 2_000)
            return list(zip(part, pool.map(item, part, retries=10_000)))
        for part in inside.run_threads(*[lambda first=first: ask(first) for first in range(0, 8_000, 2_000)], patience=200):
            found += part
        count = 8_000
        """,
        0.010,
    )
    print(run(program, limit=240).out)


def test_workers_that_are_stopped_and_go_on():
    # Not deaths but pauses: nothing may be lost, doubled or reordered by them.
    run(
        """
        with mh.Pool(3) as pool:
            end = threading.Event()
            def disturb(chance=random.Random(3)):
                while not end.is_set():
                    pids = inside.ready_workers(pool)
                    if pids:
                        pid = chance.choice(pids)
                        inside.kill(pid, signal.SIGSTOP)
                        end.wait(chance.uniform(0, 0.02))
                        inside.kill(pid, signal.SIGCONT)
            thread = threading.Thread(target=disturb, daemon=True)
            thread.start()
            for _ in range(20):
                assert pool.map(lambda x: 3 * x, range(3_000)) == [3 * x for x in range(3_000)]
            end.set()
            thread.join(30)
        """,
        limit=120,
    )


def _indented(text, width):
    import textwrap

    return textwrap.indent(textwrap.dedent(text).strip("\n"), " " * width)
