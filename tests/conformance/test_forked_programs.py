"""`os.fork()` beside pools: the child gets its own workers or a clear word, and the parent's stay as they were."""

import pytest

FORK = """
import manyhands as mh, os, sys, warnings
warnings.simplefilter("ignore")
{before}
child = os.fork()
if child == 0:
    try:
        print({inside}, flush=True)
    except Exception as error:
        print(type(error).__name__, error, flush=True)
    os._exit(0)
_, status = os.waitpid(child, 0)
print(os.waitstatus_to_exitcode(status), {after})
"""


def test_a_map_in_a_forked_child(python):
    printed = python(
        FORK.format(
            before="print(mh.map(lambda x: x + 1, range(3), workers=2))",
            inside="mh.map(lambda x: x * 2, range(3), workers=2)",
            after="mh.map(lambda x: x + 3, range(3), workers=2)",
        )
    )
    assert printed.splitlines() == ["[1, 2, 3]", "[0, 2, 4]", "0 [3, 4, 5]"]


@pytest.mark.parametrize(
    "touch",
    [
        "pool.map(abs, [-1])",
        "pool.apply(abs, (-1,))",
        "pool.apply_async(abs, (-1,)).get(30)",
        "pool.map_async(abs, [-1]).get(30)",
        "list(pool.imap(abs, [-1]))",
        "list(pool.imap_unordered(abs, [-1]))",
    ],
)
def test_a_pool_touched_in_a_forked_child_says_so_or_works(python, touch):
    printed = python(
        FORK.format(
            before="pool = mh.Pool(2); print(pool.map(abs, [-1]))",
            inside=touch,
            after="pool.map(abs, [-2]); pool.terminate()".replace("; ", " , "),
        )
    ).splitlines()
    assert printed[0] == "[1]"
    assert "fork" in printed[1] or printed[1] in ("1", "[1]")
    assert printed[2] == "0 [2] None"


@pytest.mark.parametrize("touch", ["pool.close()", "pool.terminate()", "pool.__exit__(None, None, None)", "repr(pool)"])
def test_ending_a_pool_in_a_forked_child_leaves_the_parents_alone(python, touch):
    printed = python(
        FORK.format(before="pool = mh.Pool(2); print(pool.map(abs, [-1]))", inside=touch, after="pool.map(abs, [-2])")
        + "pool.terminate()\n"
    ).splitlines()
    assert printed[0] == "[1]"
    assert printed[-1] == "0 [2]"


def test_a_multiprocessing_child_makes_its_own(python):
    printed = python(
        """
        import manyhands as mh, multiprocessing, warnings
        warnings.simplefilter("ignore")
        def child(queue):
            queue.put(mh.map(lambda x: x + 1, range(3), workers=2))
        mh.map(abs, [1], workers=2)
        context = multiprocessing.get_context("fork")
        queue = context.Queue()
        process = context.Process(target=child, args=(queue,))
        process.start()
        print(queue.get(timeout=60))
        process.join(60)
        print(process.exitcode, mh.map(abs, [-1], workers=2))
        """
    )
    assert printed == "[1, 2, 3]\n0 [1]\n"
