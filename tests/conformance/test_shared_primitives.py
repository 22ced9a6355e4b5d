"""multiprocessing's own locks, queues, pipes, shared values and Manager proxies, in `initargs` and in arguments."""

import multiprocessing

import pytest

import manyhands as mh

pytestmark = pytest.mark.ours("multiprocessing's primitives need a socket of ours")

spawn = multiprocessing.get_context("spawn")

PRIMITIVES = ["Lock", "RLock", "Semaphore", "BoundedSemaphore", "Condition"]


@pytest.mark.parametrize("name", PRIMITIVES)
def test_locks_in_arguments_closures_and_initargs(parallel, name):
    lock = getattr(spawn, name)()
    counter = spawn.Value("i", 0, lock=False)

    def up(shared, value):
        for _ in range(50):
            with shared:
                value.value += 1

    assert parallel.starmap(up, [(lock, counter)] * 8) == [None] * 8
    assert counter.value == 400
    parallel.map(lambda _: up(lock, counter), range(8))
    assert counter.value == 800


def test_a_lock_in_initargs():
    lock, counter = spawn.Lock(), spawn.Value("i", 0)

    def prepare(given):
        global shared
        shared = given

    def up(_):
        with shared[0]:
            shared[1].value += 1

    with mh.Pool(2, prepare, ((lock, counter),)) as pool:
        pool.map(up, range(100))
    assert counter.value == 100


def test_queues(parallel):
    queue = spawn.Queue()
    parallel.map(lambda x: queue.put(x * x), range(10))
    assert sorted(queue.get(timeout=60) for _ in range(10)) == [x * x for x in range(10)]
    queue.put("there")
    assert parallel.map(lambda _: queue.get(timeout=60), [0]) == ["there"]
    simple = spawn.SimpleQueue()
    parallel.map(simple.put, range(5))
    assert sorted(simple.get() for _ in range(5)) == list(range(5))


def test_a_joinable_queue(parallel):
    queue = spawn.JoinableQueue()
    for number in range(4):
        queue.put(number)

    def take(_):
        number = queue.get(timeout=60)
        queue.task_done()
        return number

    assert sorted(parallel.map(take, range(4))) == [0, 1, 2, 3]
    queue.join()


def test_events_and_barriers(parallel):
    event = spawn.Event()
    # One worker each, so that neither waits for the other behind it.
    parallel.map(lambda x: event.set() if x else event.wait(60), [0, 1])
    assert event.is_set()
    barrier = spawn.Barrier(2)
    assert sorted(parallel.map(lambda _: barrier.wait(60), range(2))) == [0, 1]


def test_shared_arrays(parallel):
    array = spawn.Array("d", 8)

    def fill(x):
        array[x] = x * 1.5

    parallel.map(fill, range(8))
    assert list(array) == [x * 1.5 for x in range(8)]


def test_pipes(parallel):
    ours, theirs = spawn.Pipe()
    parallel.map(lambda x: theirs.send(x), ["sent"])
    assert ours.poll(60)
    assert ours.recv() == "sent"
    ours.send("answer")
    assert parallel.map(lambda connection: connection.recv(), [theirs]) == ["answer"]


def test_sockets(parallel):
    import socket

    ours, theirs = socket.socketpair()
    with ours, theirs:
        parallel.map(lambda s: s.sendall(b"sent"), [theirs])
        assert ours.recv(10) == b"sent"


def test_manager_proxies(parallel):
    with spawn.Manager() as manager:
        table, listed, lock, queue = manager.dict(), manager.list(), manager.Lock(), manager.Queue()

        def note(x):
            with lock:
                table[x] = x * x
                listed.append(x)
                queue.put(x)

        parallel.map(note, range(6))
        assert dict(table) == {x: x * x for x in range(6)}
        assert sorted(listed) == list(range(6))
        assert sorted(queue.get() for _ in range(6)) == list(range(6))
        parallel.starmap(lambda held, x: held.update({x: None}), [(table, 7)])
        assert 7 in table


@pytest.mark.parametrize("name", ["Lock", "Semaphore", "Event", "Queue"])
def test_those_of_the_fork_context_say_what_to_use(parallel, name):
    primitive = getattr(multiprocessing.get_context("fork"), name)()
    with pytest.raises(RuntimeError, match='get_context\\("spawn"\\)'):
        parallel.map(lambda x: x, [primitive])
    with pytest.raises(RuntimeError, match='get_context\\("spawn"\\)'):
        parallel.map(lambda _: primitive, [1])
    with pytest.raises(RuntimeError, match='get_context\\("spawn"\\)'):
        mh.Pool(1, print, (primitive,))
    assert parallel.map(abs, [-1]) == [1]


def test_a_concurrent_futures_pool_cannot_be_sent(parallel):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as executor:
        with pytest.raises(TypeError):
            parallel.map(lambda e: e, [executor])
        assert parallel.map(abs, [-1]) == [1]
