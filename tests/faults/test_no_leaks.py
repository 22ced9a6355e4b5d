"""What pools, calls and results took from the process is given back: descriptors, threads, mappings, memory."""

import pytest
from scenario import run

COUNTS = """
def counts():
    import gc
    gc.collect()
    return inside.descriptors(), inside.system_threads(), inside.mappings()[0]

def back_to(before, what):
    inside.until(lambda: counts() <= before and all(a <= b for a, b in zip(counts(), before)),
                 f"the return to {before} after {what}")
"""

USES = {
    "nothing": "pass",
    "map": "pool.map(abs, range(1000))",
    "imap half consumed": "next(pool.imap(abs, range(1000)))",
    "apply_async": "[r.get() for r in [pool.apply_async(abs, (x,), callback=print) for x in range(50)]]",
    "callbacks": "pool.map_async(abs, range(100), callback=len).get()",
    "failures": "pool.map(lambda x: 1 / x, range(5), on_error='return')",
    "deaths": "pool.map(lambda x: inside.die(), range(3), on_error='return')",
    "work under way": "pool.map_async(time.sleep, [3600, 3600]); pool.apply_async(time.sleep, (3600,))",
    "big arrays": "import numpy; found = pool.map(lambda a: a + 1, [numpy.zeros(200_000)] * 8); del found",
    "printing": "pool.map(print, range(3)); pool.apply_async(print, (1,)).get()",
}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("end", ["with", "close and join", "collected"])
def test_a_pool_gives_everything_back(use, end):
    ends = {"with": "pool.terminate()", "close and join": "pool.close(); pool.join()", "collected": "del pool"}
    if use == "work under way" and end != "with":
        pytest.skip("calls that are not answered keep their pool, as it should be: this would last for an hour")
    run(
        COUNTS
        + f"""
import warnings, numpy
warnings.simplefilter("ignore", ResourceWarning)

def use():
    pool = mh.Pool(2)
    {USES[use]}
    {ends[end]}

use()  # what is imported and made once stays
before = counts()
for _ in range(3):
    use()
back_to(before, "three pools")
"""
    )


@pytest.mark.slow
def test_a_thousand_pools():
    ended = run(
        COUNTS
        + """
def use(number):
    with mh.Pool(1) as pool:
        if number % 10 == 0:
            assert pool.apply(abs, (-number,)) == number

for number in range(100):
    use(number)
before, memory, since = counts(), inside.memory(), time.monotonic()
for number in range(1000):
    use(number)
seconds = time.monotonic() - since
back_to(before, "1,000 pools")
grown = inside.memory() - memory
print(f"1,000 pools in {seconds:.1f} s, {seconds:.2f} ms each, resident memory grown by {grown / 1e6:.2f} MB")
assert grown < 8e6, grown
""",
        limit=240,
    )
    print(ended.out)


def test_many_calls_on_one_pool_keep_nothing():
    ended = run(
        COUNTS
        + """
import numpy

def use(pool, x):
    big = numpy.full(50_000, x)
    assert pool.map(lambda a: int(a[0]) + int(big[1]), [big, big]) == [2 * x, 2 * x]
    assert pool.apply_async(lambda y: y + x, (1,)).get() == 1 + x
    assert next(pool.imap(lambda y: y + x, range(100))) == x
    pool.map(lambda y: 1 / y, [0], on_error="return")

def workers_memory(pool):
    return sum(map(inside.memory, inside.ready_workers(pool)))

with mh.Pool(2) as pool:
    for x in range(150):
        use(pool, x)
    before, memory, theirs = counts(), inside.memory(), workers_memory(pool)
    for x in range(600):
        use(pool, x)
    back_to(before, "600 rounds")
    grown, theirs = inside.memory() - memory, workers_memory(pool) - theirs
    print(f"grown by {grown / 1e6:.2f} MB here, {theirs / 1e6:.2f} MB in the workers")
    assert grown < 8e6 and theirs < 16e6, (grown, theirs)
""",
        limit=120,
    )
    print(ended.out)


def test_deaths_keep_nothing():
    ended = run(
        COUNTS
        + """
def use(pool):
    found = pool.map(lambda x: inside.die() if x == 3 else bytes(200_000), range(6), on_error="return")
    assert type(found[3]) is mh.WorkerDied

with mh.Pool(2) as pool:
    for _ in range(10):
        use(pool)
    inside.until(lambda: len(inside.ready_workers(pool)) == 2, "two workers")
    before, memory = counts(), inside.memory()
    for _ in range(60):
        use(pool)
    inside.until(lambda: len(inside.ready_workers(pool)) == 2, "two workers")
    back_to(before, "60 deaths")
    grown = inside.memory() - memory
    print(f"grown by {grown / 1e6:.2f} MB")
    assert grown < 8e6
""",
        limit=120,
    )
    print(ended.out)


KEPT = """
import numpy, resource
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
make = lambda x: numpy.full({size} // 8, x)
before = inside.mappings()[1]
with mh.Pool(2) as pool:
    kept = list({call})
    mapped = inside.mappings()[1] - before
    print(f"{{len(kept)}} results of {size} bytes kept: {{mapped}} mappings, {{inside.descriptors()}} descriptors")
    assert mapped < {mappings} and inside.descriptors() < 64
assert len(kept) == {count}
# They outlive the pool, each is whole, and each belongs to its holder.
for x, array in enumerate(kept):
    assert array[0] == array[-1] == x and len(array) == {size} // 8
kept[3][:] = -1
assert kept[2][0] == 2 and kept[4][0] == 4
"""


@pytest.mark.parametrize(
    "call, count, size",
    [
        ("pool.map(make, range(2_000))", 2_000, 200_000),
        ("pool.imap(make, range(2_000))", 2_000, 200_000),
        ("pool.map(make, range(20_000))", 20_000, 8_192),
        ("[r.get() for r in [pool.apply_async(make, (x,)) for x in range(1_000)]]", 1_000, 200_000),
        ("[pool.apply(make, (x,)) for x in range(500)]", 500, 200_000),
    ],
)
def test_many_results_that_are_all_kept_meet_no_limit(call, count, size):
    # Far fewer descriptors than results; of mappings the kernel allows 65,530.
    print(run(KEPT.format(call=call, count=count, size=size, mappings=count // 2), limit=120).out)


def test_many_big_arguments_meet_no_limit():
    run(
        """
        import numpy, resource
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
        with mh.Pool(2) as pool:
            arrays = [numpy.full(25_000, x) for x in range(2_000)]
            assert pool.map(lambda a: int(a.sum()), arrays) == [25_000 * x for x in range(2_000)]
            assert list(pool.imap(lambda a: int(a[-1]), arrays)) == list(range(2_000))
            singles = [pool.apply_async(lambda a: int(a[0]), (array,)) for array in arrays[:500]]
            assert [single.get() for single in singles] == list(range(500))
        """,
        limit=120,
    )


def test_too_few_descriptors_for_a_pool_is_an_error_and_no_hang():
    run(
        """
        import resource
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        opened = inside.descriptors()
        for spare in range(0, 30, 2):
            resource.setrlimit(resource.RLIMIT_NOFILE, (opened + spare + 1, hard))
            try:
                with mh.Pool(2) as pool:
                    assert pool.map(abs, [-1, -2]) == [1, 2]
                    print("worked with", spare)
            except Exception as error:
                assert not isinstance(error, AssertionError), error
                print(spare, type(error).__name__, error)
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        with mh.Pool(2) as pool:
            assert pool.map(abs, [-1, -2]) == [1, 2]
        """
    )
