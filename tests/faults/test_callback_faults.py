"""Callbacks that raise, submit, end the pool, or run at the end of the program: none of them stops the others."""

import pytest
from scenario import run


def test_a_callback_that_raises_is_told_and_changes_nothing():
    ended = run(
        """
        def wrong(value):
            raise KeyError("wrong callback")

        with mh.Pool(2) as pool:
            assert pool.apply_async(abs, (-1,), callback=wrong).get(30) == 1
            assert pool.map_async(abs, [-1, -2], callback=wrong).get(30) == [1, 2]
            try:
                pool.apply_async(abs, ("x",), error_callback=wrong).get(30)
            except TypeError:
                print("TypeError")
            seen = []
            assert pool.apply_async(abs, (-3,), callback=seen.append).get(30) == 3
            assert seen == [3]
        """
    )
    assert ended.out == "TypeError\n" and ended.err.count("KeyError: 'wrong callback'") == 3, ended.err


@pytest.mark.parametrize("raised", ["SystemExit(3)", "KeyboardInterrupt()", "GeneratorExit()"])
def test_a_callback_that_raises_what_is_no_exception(raised):
    run(
        f"""
        def leave(value):
            raise {raised}

        with mh.Pool(2) as pool:
            first = pool.apply_async(abs, (-1,), callback=leave)
            assert first.get(30) == 1
            assert pool.apply_async(abs, (-2,), callback=print).get(30) == 2
            assert pool.map_async(abs, [-2], callback=print).get(30) == [2]
        """
    )


def test_callbacks_that_submit_more():
    run(
        """
        done = threading.Event()

        def more(value):
            if value < 50:
                pool.apply_async(lambda x: x + 1, (value,), callback=more)
                pool.map_async(abs, [value], callback=lambda _: None)
            else:
                done.set()

        with mh.Pool(2) as pool:
            pool.apply_async(abs, (0,), callback=more)
            assert done.wait(30)
        """
    )


def test_callbacks_that_wait_for_other_calls():
    # They may wait for what needs no callback; the answer itself is there before anybody hears of it.
    run(
        """
        found = []

        def more(value):
            found.append(pool.apply(abs, (-value,)))
            found.append(pool.map(abs, [-value]))
            found.append(pool.apply_async(abs, (-value,)).get(30))
            found.append(mh.map(abs, [-value], workers=2))

        with mh.Pool(2) as pool:
            assert pool.apply_async(abs, (-5,), callback=more).get(30) == 5
            assert found == [5, [5], 5, [5]], found
        """
    )


@pytest.mark.parametrize("call", ["pool.terminate()", "pool.close()", "pool.__exit__(None, None, None)"])
def test_callbacks_that_end_the_pool(call):
    run(
        f"""
        ended = threading.Event()

        def end(value):
            {call}
            ended.set()

        pool = mh.Pool(2)
        others = [pool.apply_async(time.sleep, (0.01,)) for _ in range(20)]
        first = pool.apply_async(abs, (-1,), callback=end)
        assert ended.wait(30) and first.get(30) == 1
        for other in others:
            try:
                other.get(30)
            except RuntimeError as error:
                assert "terminated" in str(error)
        pool.terminate()
        assert inside.workers(pool) == []
        """
    )


def test_a_callback_that_closes_and_joins():
    # It can never be joined from its own thread; what matters is that the program ends.
    run(
        """
        def end(value):
            pool.close()
            Flag("closed").set()

        pool = mh.Pool(2)
        pool.apply_async(abs, (-1,), callback=end)
        Flag("closed").wait()
        pool.join()
        """
    )


def test_join_waits_for_the_callbacks():
    ended = run(
        """
        pool = mh.Pool(2)
        for x in range(30):
            pool.apply_async(abs, (-x,), callback=lambda value: print(value))
        pool.map_async(abs, range(3), callback=print)
        pool.close()
        pool.join()
        print("joined")
        """
    )
    lines = ended.out.splitlines()
    assert lines[-1] == "joined" and sorted(lines[:-1]) == sorted([*map(str, range(30)), "[0, 1, 2]"])


@pytest.mark.parametrize(
    "callback",
    [
        "lambda value: time.sleep(0.05)",
        "lambda value: pool.apply_async(abs, (-1,), callback=again)",
        "lambda value: pool.apply(abs, (-1,))",
        "lambda value: (time.sleep(0.05), mh.map(abs, [-1], workers=2))",
        "lambda value: pool.terminate()",
        "lambda value: 1 / 0",
        "lambda value: sys.exit(9)",
        "lambda value: threading.Thread(target=print).start()",
    ],
)
def test_callbacks_that_run_at_the_end_of_the_program(callback):
    run(
        f"""
        again = {callback}
        pool = mh.Pool(2)
        results = [pool.apply_async(abs, (-x,), callback=again, error_callback=again) for x in range(50)]
        results.append(pool.map_async(abs, range(100), callback=again))
        """
    )


def test_a_callback_waits_for_what_only_another_callback_would_bring():
    # The one deadlock that a program can make; a timeout ends it, and the pool goes on.
    run(
        """
        found = []

        def wait(value):
            try:
                pool.apply_async(abs, (-7,), callback=lambda _: None).get(0.5)
            except TimeoutError as error:
                found.append(error)

        with mh.Pool(2) as pool:
            assert pool.apply_async(abs, (-5,), callback=wait).get(30) == 5
            assert pool.apply_async(abs, (-6,), callback=print).get(30) == 6
            assert len(found) == 1
        """
    )
