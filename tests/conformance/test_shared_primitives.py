"""multiprocessing's own locks, queues, pipes, shared values and Manager proxies, in `initargs` and in arguments."""

import ctypes
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


def test_structures_of_ctypes(parallel):
    class Pair(ctypes.Structure):
        _fields_ = (("x", ctypes.c_double), ("y", ctypes.c_double))

        def total(self):
            return self.x + self.y

    class Node(Pair):
        _pack_ = 1

    Node._fields_ = [("tag", ctypes.c_char), ("both", Pair * 2), ("next", ctypes.POINTER(Node))]

    class Either(ctypes.Union):
        _anonymous_ = ("pair",)
        _fields_ = (("pair", Pair), ("bits", ctypes.c_int, 3))

    class Swapped(ctypes.BigEndianStructure):
        _fields_ = (("short", ctypes.c_uint16),)

    class Whole(ctypes.c_int):
        pass

    call = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)
    assert parallel.map(lambda pair: (pair.x, pair.total()), [Pair(3, 4)]) == [(3, 7)]
    (made,) = parallel.map(lambda x: Pair(x), [5])
    assert type(made) is Pair and made.x == 5

    def chain(y):
        node = Node(1, 2, b"t", (Pair * 2)(Pair(), Pair(3, y)))
        node.next = ctypes.pointer(Node(y))
        return ctypes.sizeof(Node), node.next.contents.x, node.both[1].total()

    assert parallel.map(chain, [4]) == [(ctypes.sizeof(Node), 4, 7)]
    assert parallel.map(lambda either: (either.y, type(either)), [Either(Pair(1, 2))]) == [(2, Either)]
    assert parallel.map(bytes, [Swapped(1)]) == [b"\x00\x01"]
    assert parallel.map(lambda x: call(lambda y: y + Whole(1).value)(x), [3]) == [4]
    value, array = spawn.Value(Pair, 1, 2), spawn.Array(Pair, [(1,), (2, 5)])

    def change(value, array):
        value.x += 10
        array[1].x = 7

    parallel.starmap(change, [(value, array)])
    assert (value.x, value.y, array[1].x, array[1].y) == (11, 2, 7, 5)
    assert parallel.map(lambda pair: pair.total(), [Pair(3, 4)]) == [7]  # still a copy where it is not shared


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
