"""What cannot be sent there or back: a clear error for each, and the pool goes on."""

import functools
import itertools
import os
import sys
import threading

import pytest

import manyhands as mh


class Refusing:
    """Cannot be pickled, and says why."""

    def __reduce__(self):
        raise RuntimeError("I stay here")


class Unloadable:
    """Can be pickled, and not be made again."""

    def __reduce__(self):
        return _refuse_to_load, ()


def _refuse_to_load():
    raise LookupError("nothing to load")


def text_of(error):
    return f"{type(error).__name__}: {error} {' '.join(getattr(error, '__notes__', ()))} {error.__cause__}"


def works(parallel):
    """The pool goes on as if nothing had been."""
    return parallel.map(abs, range(-3, 0)) == [3, 2, 1]


@pytest.mark.parametrize("item", [threading.Lock(), Refusing(), (x for x in "ab"), sys._getframe()])
def test_an_argument_that_cannot_be_pickled(parallel, item):
    for call in (parallel.map, parallel.imap, parallel.imap_unordered):
        with pytest.raises((TypeError, RuntimeError)) as caught:
            list(call(id, [0, 1, item, 3]))
        assert "item 2" in text_of(caught.value)
    assert works(parallel)


LOCK = threading.Lock()


class Holding:
    def __init__(self, held):
        self.held = held

    def method(self, x):
        return x


def with_lock_around_it():
    guard = threading.Lock()

    def function(x):
        with guard:
            return x

    return function


@pytest.mark.parametrize(
    "function, way",
    [
        (with_lock_around_it(), "the variable 'guard' of the function around it"),
        (functools.partial(divmod, threading.Lock()), "the partial's argument 0"),
        (lambda x, guard=LOCK: x, "the default of its argument 'guard'"),
        (Holding([1, {"a": threading.Lock()}]).method, "its attribute 'held', element 1, the value of key 'a'"),
    ],
)
def test_the_part_of_a_function_that_cannot_be_pickled_is_named(parallel, function, way):
    with pytest.raises(TypeError) as caught:
        parallel.map(function, [1, 2])
    assert way in text_of(caught.value) and "_thread.lock object" in text_of(caught.value)
    assert works(parallel)


def test_an_argument_that_cannot_be_pickled_is_an_error_of_the_caller_whatever_on_error_says(parallel):
    with pytest.raises(RuntimeError, match="I stay here"):
        parallel.map(id, [1, Refusing()], on_error="return")
    assert works(parallel)


def test_an_unpicklable_argument_deep_in_an_endless_input(parallel):
    source = itertools.chain(range(10), [Refusing()], itertools.count())
    with pytest.raises(RuntimeError) as caught:
        parallel.map(abs, source)
    assert "item 10" in text_of(caught.value)
    assert works(parallel)


def test_unpicklable_arguments_of_single_calls():
    with mh.Pool(1) as pool:
        with pytest.raises(RuntimeError, match="I stay here"):
            pool.apply(id, [Refusing()])
        with pytest.raises(RuntimeError, match="I stay here"):
            pool.apply(id, kwds={"x": Refusing()})
        with pytest.raises(RuntimeError, match="I stay here"):
            pool.apply_async(id, [Refusing()]).get(60)
        with pytest.raises(RuntimeError, match="I stay here"):
            pool.map_async(id, [1, Refusing()]).get(60)
        assert pool.apply(abs, [-1]) == 1


def test_an_argument_that_cannot_be_loaded(parallel):
    results = parallel.map(lambda x: type(x).__name__, [1, Unloadable(), 3], on_error="return")
    assert results[::2] == ["int", "int"]
    assert isinstance(results[1], LookupError)
    assert "nothing to load" in str(results[1])
    assert works(parallel)


def test_a_function_that_cannot_be_pickled(parallel):
    lock = threading.Lock()
    with pytest.raises(TypeError, match="lock") as caught:
        parallel.map(lambda x: lock.locked(), [1, 2])
    assert "function" in text_of(caught.value)
    assert works(parallel)


def test_a_function_that_cannot_be_loaded(parallel):
    unloadable = Unloadable()
    results = parallel.map(lambda x: unloadable, [1, 2], on_error="return")
    assert all("nothing to load" in str(error) for error in results)
    assert works(parallel)


def test_a_result_that_cannot_be_pickled(parallel):
    results = parallel.map(lambda x: threading.Lock() if x == 1 else x, range(3), on_error="return")
    assert results[::2] == [0, 2]
    assert isinstance(results[1], mh.MaybeEncodingError)
    message = str(results[1])
    assert "item 1" in message
    assert "lock" in message
    assert works(parallel)


def test_a_result_that_refuses(parallel):
    with pytest.raises(mh.MaybeEncodingError, match="I stay here"):
        parallel.map(lambda x: Refusing(), [1])
    assert works(parallel)


def test_a_generator_as_result(parallel):
    with pytest.raises(mh.MaybeEncodingError, match="generator"):
        parallel.map(lambda x: (y for y in range(x)), [3])
    assert works(parallel)


def test_maybe_encoding_error_is_multiprocessings_own(parallel):
    from multiprocessing.pool import MaybeEncodingError

    with pytest.raises(MaybeEncodingError):
        parallel.map(lambda x: threading.Lock(), [1])


def test_a_result_that_cannot_be_loaded_here(parallel):
    results = parallel.map(lambda x: Unloadable() if x == 1 else x, range(3), on_error="return")
    assert results[::2] == [0, 2]
    assert isinstance(results[1], Exception)
    assert "nothing to load" in text_of(results[1])
    assert works(parallel)


def test_an_exception_that_holds_an_unloadable(parallel):
    def fail(x):
        raise ValueError("bad", Unloadable())

    with pytest.raises(ValueError, match="bad"):
        parallel.map(fail, [1])
    assert works(parallel)


def test_an_endlessly_deep_item(parallel):
    deep = []
    for _ in range(200_000):
        deep = [deep]
    with pytest.raises(RecursionError) as caught:
        parallel.map(id, [1, deep])
    assert "item 1" in text_of(caught.value)
    assert works(parallel)
    while deep:
        deep = deep.pop()  # one level at a time, lest its end goes as deep


def test_endless_recursion_in_an_item(backend):
    def forever(x):
        return forever(x + 1)

    with pytest.raises(RecursionError):
        backend.map(forever, [1])
    assert backend.map(abs, [-1]) == [1]


def test_a_module_that_the_worker_cannot_import(parallel, tmp_path, monkeypatch):
    name = f"only_here_{parallel.name}"
    (tmp_path / f"{name}.py").write_text(
        f"import os\nif os.getpid() != {os.getpid()}:\n    raise ImportError('only in process {os.getpid()}')\n"
        "def task(x): return x\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    module = __import__(name)
    with pytest.raises(ImportError, match="only in process"):
        parallel.map(module.task, range(4))
    assert works(parallel)


def test_a_module_whose_file_is_gone_goes_by_value_or_says_so(parallel, tmp_path, monkeypatch):
    name = f"gone_{parallel.name}"
    file = tmp_path / f"{name}.py"
    file.write_text("def task(x): return helper(x)\ndef helper(x): return -x\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    module = __import__(name)
    file.unlink()
    assert parallel.map(module.task, [1, 2]) == [-1, -2]


def test_a_module_made_by_hand(parallel):
    import types

    module = types.ModuleType("made_by_hand")
    exec("step = 5\ndef task(x): return x + step", vars(module))
    sys.modules["made_by_hand"] = module
    try:
        assert parallel.map(module.task, [1, 2]) == [6, 7]
        module.step = 6
        assert parallel.map(module.task, [1, 2]) == [7, 8]
    finally:
        del sys.modules["made_by_hand"]


def test_items_that_close_what_the_worker_needs(parallel):
    def close_streams(x):
        sys.stdout.close()
        sys.stdin = None
        return x

    assert parallel.map(close_streams, range(6)) == list(range(6))
    assert works(parallel)


def test_an_item_that_leaves_a_thread_running(parallel):
    def leave(x):
        threading.Thread(target=threading.Event().wait).start()
        return x

    with mh.Pool(1) as pool:
        assert pool.map(leave, range(3)) == [0, 1, 2]


def test_an_item_that_forks(parallel):
    def fork(x):
        child = os.fork()
        if child == 0:
            os._exit(x)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    assert parallel.map(fork, range(4)) == [0, 1, 2, 3]
    assert works(parallel)
