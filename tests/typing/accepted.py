"""What a type checker must accept, with the types that it must infer. Checked by mypy, never run."""

from typing import Any

from typing_extensions import assert_type

import manyhands as mh


def half(number: int) -> float:
    return number / 2


def middle(low: int, some: int, high: int) -> int:
    return min(max(low, some), high)


def both(text: str, number: int) -> bytes:
    return text.encode() * number


assert_type(mh.map(half, [1, 2, 3]), list[float])
assert_type(mh.map(both, ["a"], [1], workers=2, progress="texts"), list[bytes])
assert_type(mh.map(half, range(3), on_error="return"), list[float | Exception])
assert_type(mh.map(middle, [1], [2], [3], backend="serial"), list[int])
assert_type(mh.starmap(both, [("a", 1)], timeout=1, retries=2, seed=0), list[bytes])
for result in mh.imap(half, [1, 2], buffer=10):
    assert_type(result, float)
results = mh.imap_unordered(both, ["a"], [1])
assert_type(results.next(timeout=1.5), bytes)
results.close()

with mh.Pool(2, initializer=print, initargs=("ready",), maxtasksperchild=10) as pool:
    assert_type(pool.map(half, [1], 5), list[float])
    assert_type(pool.map(half, [1], on_error="return"), list[float | Exception])
    assert_type(pool.starmap(both, [("a", 1)]), list[bytes])
    assert_type(pool.apply(half, (1,)), float)
    assert_type(pool.apply_async(both, ("a", 1), callback=len).get(timeout=1), bytes)
    assert_type(pool.map_async(half, [1], callback=print).get(), list[float])
    assert_type(next(pool.imap(half, [1], chunksize=3)), float)
    pool.close()
    pool.join()

assert_type(mh.cpu_count(logical=False), int)
try:
    mh.map(half, [1], timeout=1)
except mh.WorkerDied as death:
    assert_type(death.signal, "int | None")
except mh.TimeoutError:
    pass

assert_type(mh.Parallel(n_jobs=2)(mh.delayed(half)(number) for number in range(3)), list[float])
assert_type(next(mh.Parallel(-1, return_as="generator")([mh.delayed(both)("a", number=1)])), bytes)
with mh.Parallel(n_jobs=2, prefer="threads", verbose=1) as parallel:
    assert_type(parallel([mh.delayed(half)(1)]), list[float])

process = mh.Process(target=half, args=(1,), name="half", daemon=True)
process.start()
process.result(timeout=1)
assert_type(process.exitcode, int | None)
context = mh.get_context("spawn")
assert_type(context.Process(target=print).is_alive(), bool)
with mh.Lock(), mh.Manager() as manager:
    shared = manager.dict({"a": 1})
mh.Queue().put(1)
assert_type(mh.Event().is_set(), bool)
assert_type(mh.task(half)(1).compute(workers=2, backend="threads"), float)
counted = mh.task(nout=2, cost=lambda text, number: 0.5 * number, retries=1)(both)("a", 1)
first, second = counted
assert_type((counted + counted)[0].upper().compute(), Any)
assert_type(counted.explain(workers=[1, 2]).reach, dict[int, float])
assert_type(mh.compute(counted, [first], second, on_error="return"), tuple[Any, ...])
assert_type(counted.svg(max_nodes=10) + counted.mermaid() + counted.dot(), str)
with mh.ThreadPool(2, initializer=print, initargs=("ready",)) as threads:
    assert_type(threads.map(half, [1, 2], timeout=1.5), list[float])
    assert_type(threads.apply_async(half, (1,)).get(1), float)
assert_type(mh.map(half, [1, 2], backend="threads", workers=20, seed=1), list[float])
assert_type(mh.Pool(2, backend="threads").apply(half, (1,)), float)
