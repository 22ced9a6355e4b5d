"""What is not used is not imported: neither by `import manyhands`, nor by a map, nor in a worker."""

import importlib

import pytest

HEAVY = (
    "numpy cloudpickle tqdm multiprocessing concurrent.futures threading pickle logging socket asyncio tempfile".split()
)


def imported_after(python, source):
    """Those of the heavy modules that a program has imported when `source` is done."""
    return python(f"import sys\n{source}\nprint(*[name for name in {HEAVY} if name in sys.modules])").split()


def test_the_import_itself(python):
    assert imported_after(python, "import manyhands") == []


@pytest.mark.parametrize(
    "call",
    [
        "mh.map(abs, range(5), workers=2)",
        "mh.map(lambda x: x + 1, range(5), workers=2)",
        "list(mh.imap(abs, range(5), workers=2))",
        "mh.map(abs, range(5), backend='serial')",
        "mh.map(lambda x: x + 1, range(5), backend='threads')",
        "mh.map(abs, range(5), backend='threads', timeout=5)",
        "mh.cpu_count()",
        "dir(mh)",
    ],
)
def test_a_map_of_a_plain_function(python, call):
    assert imported_after(python, f"import manyhands as mh; {call}") == []


def test_a_pool(python):
    assert imported_after(python, "import manyhands as mh\nwith mh.Pool(2) as pool: pool.map(abs, [1])") == []
    assert imported_after(python, "import manyhands as mh\nwith mh.ThreadPool(2) as pool: pool.map(abs, [1])") == []


def test_a_worker(python):
    # In a worker nothing stands between: the look itself is the item.
    printed = python(
        f"import manyhands as mh; look = lambda name: name in __import__('sys').modules\n"
        f"print(mh.map(look, {HEAVY}, workers=1))"
    )
    assert printed == f"{[False] * len(HEAVY)}\n"


def test_every_name_is_there_and_no_other():
    import manyhands as mh

    for name in mh.__all__:
        assert getattr(mh, name) is getattr(mh, name)
    assert set(mh.__all__) <= set(dir(mh))
    with pytest.raises(AttributeError, match="no attribute 'maps_'"):
        mh.maps_  # noqa: B018 (the look is the test)


def test_every_name_of_multiprocessing_is_there():
    import multiprocessing

    import manyhands as mh

    assert set(multiprocessing.__all__) - {"reducer"} <= set(mh.__all__)
    for name in (
        "connection context dummy managers pool process queues reduction shared_memory sharedctypes synchronize util"
    ).split():
        theirs, ours = importlib.import_module(f"multiprocessing.{name}"), importlib.import_module(f"manyhands.{name}")
        assert ours is getattr(mh, name) and ours.__name__.endswith(name)
        assert [other for other in dir(theirs) if not hasattr(ours, other)] == []
        with pytest.raises(AttributeError, match="nonsense"):
            ours.nonsense  # noqa: B018


def test_classes_under_multiprocessings_names():
    import manyhands as mh
    from manyhands.queues import Empty

    with pytest.raises(Empty):
        mh.Queue().get_nowait()
    assert isinstance(mh.JoinableQueue(), mh.queues.Queue) and isinstance(mh.Lock(), mh.synchronize.Lock)
    assert isinstance(mh.get_context("spawn"), mh.context.SpawnContext)
    assert issubclass(mh.context.SpawnProcess, mh.process.BaseProcess)
    assert mh.context.TimeoutError is mh.TimeoutError is mh.pool.TimeoutError
    with mh.Pool(1) as pool:
        result = pool.map_async(abs, [-1])
        assert isinstance(result, mh.pool.MapResult) and isinstance(result, mh.pool.AsyncResult)
        assert isinstance(pool.apply_async(abs, (1,)), mh.pool.ApplyResult)
        assert isinstance(pool.imap(abs, [1]), mh.pool.IMapIterator)
    with mh.Manager() as manager:
        assert isinstance(manager.dict(), mh.managers.DictProxy) and isinstance(manager.list(), mh.managers.ListProxy)
        assert isinstance(manager.Lock(), mh.managers.AcquirerProxy)
    assert issubclass(mh.managers.RemoteError, Exception)
