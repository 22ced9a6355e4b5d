"""The backend that `import manyhands.joblib` registers, beside joblib's own."""

import os
import pickle
import re
import signal
import time
import warnings

import pytest

import manyhands as mh

joblib = pytest.importorskip("joblib")

import manyhands.joblib  # noqa: E402

delayed = joblib.delayed


@pytest.fixture
def backend():
    """joblib's default is ours, with two workers."""
    with joblib.parallel_config("manyhands", n_jobs=2):
        yield


def test_the_example_in_its_docstring_holds():
    import doctest

    examples = doctest.testmod(manyhands.joblib)
    assert examples.attempted and not examples.failed


def square(x):
    return x * x


def fail_at(x, bad):
    if x == bad:
        raise LookupError(f"no {x}")
    return x


def test_it_is_registered_by_the_import(python):
    program = """
        import joblib
        import manyhands.joblib
        offset = 10
        print(joblib.Parallel(n_jobs=2, backend="manyhands")(joblib.delayed(lambda x: x + offset)(i) for i in range(4)))
    """
    for how in ("file", "-c", "stdin"):
        assert python(program, how) == "[10, 11, 12, 13]\n"


def test_results_and_where_they_come_from(backend):
    assert joblib.Parallel()(delayed(square)(i) for i in range(2000)) == [i * i for i in range(2000)]
    pids = set(joblib.Parallel()(delayed(os.getpid)() for _ in range(200)))
    assert os.getpid() not in pids
    # The workers are those of `mh.map`, and there in the next call too.
    assert pids | set(joblib.Parallel()(delayed(os.getpid)() for _ in range(200))) == pids | set(
        mh.map(lambda _: os.getpid(), range(200), workers=2)
    )
    assert len(pids) <= 2


def test_arguments_that_plain_pickle_refuses(backend):
    class Local:
        def __init__(self, x):
            self.x = x

        def doubled(self):
            return 2 * self.x

    assert joblib.Parallel()(delayed(Local(i).doubled)() for i in range(5)) == [0, 2, 4, 6, 8]
    assert [made.x for made in joblib.Parallel()(delayed(Local)(x=i) for i in range(5))] == list(range(5))


@pytest.mark.parametrize("return_as", ["list", "generator", "generator_unordered"])
def test_ways_to_return(backend, return_as):
    results = joblib.Parallel(return_as=return_as)(delayed(square)(i) for i in range(300))
    assert sorted(results) == [i * i for i in range(300)]


@pytest.mark.parametrize(
    "options", [{}, {"batch_size": 7}, {"pre_dispatch": "all"}, {"pre_dispatch": 3, "batch_size": 1}]
)
def test_batches(backend, options):
    assert joblib.Parallel(**options)(delayed(square)(i) for i in range(100)) == [i * i for i in range(100)]


def test_a_failure_ends_the_call_and_the_next_works(backend):
    with joblib.Parallel() as parallel:
        for bad in (0, 50):
            with pytest.raises(LookupError, match=f"no {bad}"):
                parallel(delayed(fail_at)(i, bad) for i in range(100))
            assert parallel(delayed(square)(i) for i in range(5)) == [0, 1, 4, 9, 16]


def test_a_worker_that_dies(backend):
    def die_at(x):
        if x == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return x

    with pytest.raises(mh.WorkerDied, match="SIGKILL"):
        joblib.Parallel()(delayed(die_at)(i) for i in range(4))
    assert joblib.Parallel()(delayed(square)(i) for i in range(3)) == [0, 1, 4]


def test_a_timeout(backend):
    from multiprocessing import TimeoutError

    with pytest.raises(TimeoutError):
        joblib.Parallel(timeout=0.2)(delayed(time.sleep)(1000) for _ in range(2))
    assert joblib.Parallel()(delayed(square)(i) for i in range(3)) == [0, 1, 4]


def test_what_a_task_raises_that_is_no_exception(backend):
    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        joblib.Parallel()([delayed(interrupted)()] * 2)


@pytest.mark.parametrize("at", [0, 30])
def test_what_cannot_be_sent(backend, at):
    from pickle import PicklingError

    class Unsendable:
        def __reduce__(self):
            raise ValueError("never")

    with pytest.raises(PicklingError, match="the task to send to the workers: ValueError: never"):
        joblib.Parallel(batch_size=1)(delayed(id)(Unsendable() if i == at else i) for i in range(40))
    assert joblib.Parallel()(delayed(square)(i) for i in range(3)) == [0, 1, 4]


def test_a_dropped_generator_leaves_the_workers_free(backend):
    results = joblib.Parallel(return_as="generator")(delayed(time.sleep)(1000) for _ in range(10))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results.close()
    assert joblib.Parallel()(delayed(square)(i) for i in range(3)) == [0, 1, 4]


def test_calls_inside_of_tasks(backend):
    def inner(name):
        pids = joblib.Parallel(n_jobs=2, backend=name)(delayed(os.getpid)() for _ in range(4))
        return len(set(pids)) == 1 and pids[0] == os.getpid()

    # By default threads, and a loop where this backend is named: the same process in both cases.
    assert joblib.Parallel()(delayed(inner)(name) for name in [None, "manyhands", "threading"] * 3) == [True] * 9


def test_shared_memory_is_asked_of_threads(backend):
    seen = []
    joblib.Parallel(n_jobs=2, require="sharedmem")(delayed(seen.append)(i) for i in range(5))
    assert sorted(seen) == list(range(5))


def test_numbers_of_jobs():
    with joblib.parallel_config("manyhands"):
        assert joblib.effective_n_jobs(-1) == mh.cpu_count()
        assert joblib.effective_n_jobs(-1000) == 1
        assert joblib.Parallel(n_jobs=1)([delayed(os.getpid)()]) == [os.getpid()]
        with pytest.raises(ValueError, match="n_jobs == 0"):
            joblib.Parallel(n_jobs=0)([delayed(square)(1)])


def test_threads_of_libraries_and_initializers():
    def begin(value):
        os.environ["BEGUN"] = value

    def look():
        return os.environ.get("BEGUN"), os.environ["OMP_NUM_THREADS"]

    with joblib.parallel_config("manyhands", n_jobs=2, inner_max_num_threads=3, initializer=begin, initargs=("yes",)):
        assert joblib.Parallel()(delayed(look)() for _ in range(4)) == [("yes", "3")] * 4
    with joblib.parallel_config("manyhands", n_jobs=2):
        begun, threads = joblib.Parallel()([delayed(look)()] * 2)[0]
        assert begun is None and threads == os.environ.get("OMP_NUM_THREADS", str(max(1, mh.cpu_count() // 2)))


def test_an_array_travels_once_for_all_tasks_of_a_call(backend):
    numpy = pytest.importorskip("numpy")
    data = numpy.arange(1_000_000.0)

    def place(array, number):
        # Where the file lies behind the memory that the array is in.
        address = array.__array_interface__["data"][0]
        with open("/proc/self/maps") as maps:
            for line in maps:
                span, _, offset, _, inode, *_ = line.split()
                start, end = (int(part, 16) for part in span.split("-"))
                if start <= address < end:
                    return inode, address - start + int(offset, 16)
        return None

    places = joblib.Parallel(batch_size=1)(delayed(place)(data, i) for i in range(20))
    assert len(set(places)) == 1 and places[0][0] != "0"


def test_a_batch_runs_again_whose_worker_died(tmp_path):
    def once(path):
        try:
            open(path, "x").close()
        except FileExistsError:
            return "again"
        os._exit(1)

    with joblib.parallel_config("manyhands", n_jobs=2, retries=1):
        assert joblib.Parallel()([delayed(once)(tmp_path / "mark"), delayed(abs)(-1)]) == ["again", 1]


def test_results_in_a_memory_map(backend, tmp_path):
    numpy = pytest.importorskip("numpy")
    results = numpy.memmap(tmp_path / "results", mode="w+", shape=(8,))

    def write(array, number):
        array[number] = number

    joblib.Parallel()(delayed(write)(results, i) for i in range(8))
    assert results.tolist() == list(range(8))


class Input:
    """What the choice of batches looks at in a `joblib.Parallel` that runs."""

    verbose = 0

    def __init__(self, *lengths):
        from queue import Queue

        self._ready_batches = Queue()
        for length in lengths:
            self._ready_batches.put(batch_of([(abs, (i,), {}) for i in range(length)]))


def batch_of(tasks):
    from joblib.parallel import BatchedCalls

    return BatchedCalls(tasks, (None, None))


def batching_for(parallel, count=2):
    from manyhands._joblib_batches import Batching

    batching = Batching()
    batching.parallel, batching.count, batching.backlog = parallel, count, backlog_for(count)
    return batching


def test_what_is_left_at_the_end_becomes_one_batch():
    parallel = Input(*[3] * 10)
    batching = batching_for(parallel)
    assert batching.compute_batch_size() == 1
    assert batching.backlog.ending
    joined = parallel._ready_batches.get()
    assert len(joined) == len(joined.items) == 30 and parallel._ready_batches.empty()


def test_one_batch_for_each_worker_is_not_the_end():
    parallel = Input(8, 8)
    batching = batching_for(parallel)
    batching.compute_batch_size()
    assert not batching.backlog.ending and parallel._ready_batches.qsize() == 2


def test_short_tasks_come_to_long_batches_in_few_steps():
    batching = batching_for(Input())
    sizes = [1]
    for _ in range(6):
        batching.batch_completed(sizes[-1], 1e-4 * sizes[-1])
        sizes.append(batching.compute_batch_size())
    # By four where a batch is far too short, then by two, to 0.2 s or more.
    assert sizes == [1, 4, 16, 64, 256, 1024, 2048]
    for _ in range(30):
        batching.batch_completed(2048, 20.0)
    assert batching.compute_batch_size() == 40


def chunks_of(backlog, pace):
    """The lengths of all chunks that are still to come, each done before the next is cut off, and what they hold."""
    lengths, held = [], []
    while chunk := backlog.cut():
        length = sum(end - begin for _, begin, end in chunk)
        lengths.append(length)
        held += [batch.function.items[place] for batch, begin, end in chunk for place in range(begin, end)]
        backlog.took(chunk, pace * length, held[-length:])
    return lengths, held


def backlog_for(count=2, whole=False):
    from manyhands._joblib_batches import Backlog

    return Backlog(count, whole)


def handed_over(backlog, *lengths):
    from manyhands._joblib_batches import Batch

    batches = [Batch(batch_of([(abs, (place,), {}) for place in range(length)]), None) for length in lengths]
    for batch in batches:
        backlog.put(batch)
    return batches


def test_chunks_are_shares_of_what_is_left():
    backlog = backlog_for()
    batches = handed_over(backlog, 1, 40, 60, 3)
    backlog.ending = True
    lengths, held = chunks_of(backlog, 2e-3)
    # The first is to tell how long a task takes; then a quarter for each of two workers, of what is left then a quarter
    # for each, down to 3 ms.
    assert lengths == [1, 25, 25, 13, 13, 6, 6, 3, 3, 2, 2, 1, 1, 1, 1, 1]
    assert held == [task for batch in batches for task in batch.function.items]
    assert [batch.value for batch in batches] == [batch.function.items for batch in batches]


def test_chunks_are_not_short_while_more_is_to_come():
    backlog = backlog_for()
    handed_over(backlog, 1, 30, 30, 3)
    assert chunks_of(backlog, 2e-3)[0] == [1, 20, 20, 20, 3]  # 40 ms
    handed_over(backlog, 10_000)
    lengths = chunks_of(backlog, 2e-3)[0]
    assert set(lengths[:90]) == {100} and min(lengths[:-1]) == 20  # 0.2 s at most


def test_the_rest_may_go_ahead_where_it_is_short():
    backlog = backlog_for()
    handed_over(backlog, 1, 300)
    backlog.ending = True
    assert not backlog.is_short  # nobody knows how long a task takes
    backlog.took(backlog.cut(), 2e-3, [None])
    assert not backlog.is_short  # 0.6 s for two workers
    backlog.took(backlog.cut(), 2e-3 * 75, [None] * 75)
    backlog.took(backlog.cut(), 2e-3 * 75, [None] * 75)
    assert backlog.is_short and not backlog.is_over
    backlog.ending = False
    assert not backlog.is_short
    backlog.ending = True
    while backlog.cut():
        assert backlog.is_short != backlog.is_over
    assert backlog.is_over


def test_batches_of_a_length_that_was_asked_for_are_not_cut():
    backlog = backlog_for(whole=True)
    handed_over(backlog, 7, 7, 7, 2)
    assert chunks_of(backlog, 1.0)[0] == [7, 7, 7, 2]


def test_nothing_more_is_cut_off_a_batch_that_failed():
    backlog = backlog_for()
    _, long, last = handed_over(backlog, 1, 200, 4)
    backlog.took(backlog.cut(), 2e-3, [None])
    assert [batch for batch, _, _ in backlog.cut()] == [long]
    backlog.drop(long)
    backlog.drop(long)
    assert [batch for batch, _, _ in backlog.cut()] == [last]
    assert backlog.cut() == []


def test_a_function_that_is_no_batch_is_a_chunk_by_itself():
    from manyhands._joblib_batches import Batch

    backlog = backlog_for()
    handed_over(backlog, 1, 2)
    single = Batch(lambda: [1, 2], None)
    backlog.put(single)
    handed_over(backlog, 2)
    backlog.took(backlog.cut(), 1e-3, [None])
    assert [len(chunk) for chunk in (backlog.cut(), backlog.cut(), backlog.cut())] == [1, 1, 1]
    assert backlog.took([(single, 0, 1)], 1e-3, [[1, 2]]) == [single]
    assert single.value == [1, 2]


def test_chunks_of_many_lengths_give_the_results_in_order(backend):
    def wait(i):
        time.sleep(0.0005 * (i % 7))  # the work: chunks are cut by how long tasks take
        return i

    for options in ({}, {"pre_dispatch": "all"}, {"pre_dispatch": 5}, {"return_as": "generator"}):
        assert list(joblib.Parallel(**options)(delayed(wait)(i) for i in range(400))) == list(range(400))
        # Tasks so short that a chunk holds hundreds of batches.
        for count in (10, 1000, 3000):
            assert list(joblib.Parallel(**options)(delayed(abs)(i) for i in range(count))) == list(range(count))


@pytest.fixture
def steady(monkeypatch):
    """Tasks count as if each took 2 ms, however busy the machine is."""
    from manyhands._joblib_batches import Backlog

    took = Backlog.took
    monkeypatch.setattr(
        Backlog, "took", lambda self, chunk, _, results: took(self, chunk, 2e-3 * len(results), results)
    )


@pytest.fixture
def told(monkeypatch, steady):
    """Gets, for each call, the number under which the workers were told the tasks that were left, or None."""
    calls = manyhands.joblib._Calls
    tell, numbers = calls._tell_rest, []

    def noting(self):
        rest = tell(self)
        numbers.append(rest[0])
        return rest

    monkeypatch.setattr(calls, "_tell_rest", noting)
    return numbers


@pytest.mark.parametrize("options", [{}, {"timeout": 60}, {"return_as": "generator"}])
def test_answers_come_one_by_one_where_somebody_waits_for_each(backend, options, monkeypatch, steady):
    calls = manyhands.joblib._Calls
    wanted, least = [], calls._least

    def noting(self):
        wanted.append((least(self), len(self._sent)))
        return wanted[-1][0]

    monkeypatch.setattr(calls, "_least", noting)
    tasks = (delayed(time.sleep)(0.002) for _ in range(200))
    assert list(joblib.Parallel(pre_dispatch="all", **options)(tasks)) == [None] * 200
    if options:
        assert {count for count, _ in wanted} == {1}
    else:  # more than one at once, but for those that two workers end with
        several = [(count, sent) for count, sent in wanted if count > 1]
        assert several and all(count == sent - 2 for count, sent in several)


def nap(i, *others):
    time.sleep(0.002)
    return i, *others


def test_tasks_that_are_left_are_told_once(backend, told):
    shared = [1, "two"]
    for _ in range(2):
        tasks = (delayed(nap)(i, shared) for i in range(200))
        assert joblib.Parallel(pre_dispatch="all")(tasks) == [(i, shared) for i in range(200)]
    assert len(told) == 2 and None not in told


def test_tasks_that_are_left_are_sent_one_by_one_where_they_are_large(backend, told):
    numpy = pytest.importorskip("numpy")
    large = [numpy.full(20_000, i) for i in range(200)]
    results = joblib.Parallel(pre_dispatch="all")(delayed(nap)(i, array) for i, array in enumerate(large))
    assert all(i == j and (array == i).all() for j, (i, array) in enumerate(results))
    assert told == [None]


def test_batches_of_a_length_that_was_asked_for_share_nothing(backend):
    def add(i, seen):
        time.sleep(0.002)
        seen.append(i)
        return len(seen)

    seen = []
    assert joblib.Parallel(batch_size=2)(delayed(add)(i, seen) for i in range(60)) == [1, 2] * 30


@pytest.mark.parametrize("bad", [60, 97, 99])
def test_what_fails_among_the_tasks_that_are_left(backend, bad):
    def fail_or_nap(i):
        nap(i)
        return fail_at(i, bad)

    with pytest.raises(LookupError, match=f"no {bad}"):
        joblib.Parallel()(delayed(fail_or_nap)(i) for i in range(100))
    with pytest.raises(pickle.PicklingError, match="generator"):
        joblib.Parallel()(delayed(nap)(i, (j for j in ()) if i == bad else None) for i in range(100))
    assert joblib.Parallel()(delayed(nap)(i) for i in range(100)) == [(i,) for i in range(100)]


def test_a_worker_that_dies_in_the_midst_of_the_tasks_that_are_left(backend, tmp_path):
    died = tmp_path / "died"

    def die_or_nap(i):
        nap(i)
        if i == 90 and not died.exists():
            died.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return i

    with pytest.raises(mh.WorkerDied) as caught:
        joblib.Parallel()(delayed(die_or_nap)(i) for i in range(100))
    note = "".join(caught.value.__notes__)
    assert "is a batch of tasks of joblib.Parallel here" in note
    told = re.search(r"item \d+ \(\(\d+, \d+\)\)", str(caught.value))
    assert ("shown by its place" in note) == bool(told)
    died.unlink()
    with joblib.parallel_config("manyhands", n_jobs=2, retries=1):
        assert joblib.Parallel()(delayed(die_or_nap)(i) for i in range(100)) == list(range(100))
    assert died.exists()


before = []  # in a worker: a reference to what the task before brought along


class Brought:
    pass


def is_the_last_one_left(brought):
    import weakref

    left = bool(before) and before[0]() is not None
    before[:] = [weakref.ref(brought)]
    return left


def test_what_a_task_brought_along_is_let_go_of_after_it(backend):
    assert not any(joblib.Parallel(batch_size=20)(delayed(is_the_last_one_left)(Brought()) for _ in range(100)))


def test_results_are_not_kept(backend):
    import gc
    import weakref

    class Result:
        pass

    def make(_):
        return Result()

    gc.collect()
    gc.disable()
    try:
        results = joblib.Parallel()(delayed(make)(i) for i in range(20))
        left = [weakref.ref(result) for result in results]
        del results
        # The thread that took the last answer may still be ending.
        deadline = time.monotonic() + 60
        while any(result() is not None for result in left) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not [result for result in left if result() is not None]
    finally:
        gc.enable()
