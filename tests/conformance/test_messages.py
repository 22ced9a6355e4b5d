"""What goes through queues, pipes and managers: anything, the script's own functions and classes too, by value."""

import multiprocessing
import threading

import pytest

import manyhands as mh

pytestmark = pytest.mark.ours("queues and pipes of ours")

PROGRAM = """
    import enum
    import manyhands as mp

    offset = 10

    def double(x, cache=[]):
        return 2 * x

    class Result:
        def __init__(self, value):
            self.value = value

    class Task:
        def __init__(self, number):
            self.number = number
        def run(self):
            return Result(shifted(self.number))

    class Colour(enum.Enum):
        RED = 1

    def shifted(x):
        return x + offset

    def calls(tasks, results):
        for function, argument in iter(tasks.get, None):
            results.put(function(argument))

    def echo(tasks, results):
        for task in iter(tasks.get, None):
            results.put(task)

    class Running(mp.Process):
        def __init__(self, tasks, results):
            super().__init__()
            self.tasks, self.results = tasks, results
        def run(self):
            for task in iter(self.tasks.get, None):
                self.results.put(task.run())

    def begin(given):
        global queue
        queue = given

    def take(_):
        return queue.get(timeout=60).run()

    def give(number):
        queue.put(Task(number))

"""


@pytest.mark.parametrize("kind", ["Queue", "JoinableQueue", "SimpleQueue"])
def test_a_script_s_own_through_queues(python, kind):
    printed = python(
        PROGRAM
        + f"""
    tasks, results = mp.{kind}(), mp.{kind}()
    for process in mp.Process(target=calls, args=(tasks, results)), Running(tasks, results):
        process.start()
        if type(process) is Running:
            tasks.put(Task(1))
            result = results.get()
            print(type(result) is Result, result.value)
        else:
            tasks.put((double, 21))
            tasks.put((lambda x: shifted(x), 1))
            print(results.get(), results.get())
        tasks.put(None)
        process.join()
    process = mp.Process(target=echo, args=(tasks, results))
    process.start()
    for own in double, Task, Colour.RED:
        tasks.put(own)
        print(results.get() is own)
    tasks.put(Task(2).run)
    print(results.get()().value)
    tasks.put(None)
    process.join()
    """
    )
    assert printed == "42 11\nTrue 11\n" + 3 * "True\n" + "12\n"


@pytest.mark.parametrize("how", ["-c", "stdin"])
def test_a_script_s_own_elsewhere(python, how):
    printed = python(
        PROGRAM
        + """
    ours, theirs = mp.Pipe()
    process = mp.Process(target=lambda: theirs.send(theirs.recv().run()))
    process.start()
    ours.send(Task(1))
    print(type(ours.recv()) is Result)
    process.join()
    with mp.Manager() as manager:
        shared, table, place = manager.list([Task(0)]), manager.dict(), manager.Namespace()
        shared.append(Task(1))
        table["colour"], place.function = Colour.RED, double
        process = mp.Process(target=lambda: shared.append(shared[1].run()))
        process.start()
        process.join()
        print([type(one).__name__ for one in shared], type(shared[2]) is Result, shared[2].value)
        print(table["colour"] is Colour.RED, place.function is double)
        with manager.Pool(1) as pool:
            print(pool.map(double, range(3)), [type(one) is Result for one in pool.map(Task.run, [Task(1)])])
    queue = mp.Queue()
    with mp.Pool(1, begin, (queue,)) as pool:
        queue.put(Task(1))
        print([type(one) is Result for one in pool.map(take, range(1))])
        pool.map(give, range(2))
        print([type(queue.get()) is Task for _ in range(2)])
    """,
        how,
    )
    assert printed.splitlines() == [
        "True",
        "['Task', 'Task', 'Result'] True 11",
        "True True",
        "[0, 2, 4] [True]",
        "[True]",
        "[True, True]",
    ]


def running(target, *queues):
    process = mh.Process(target=target, args=queues)
    process.start()
    return process


def echo(taken, given):
    for one in iter(taken.get, None):
        given.put(one)


@pytest.fixture
def queues():
    """Two queues that a process stands between."""
    there, back = mh.Queue(), mh.Queue()
    process = running(echo, there, back)
    yield there, back
    there.put(None)
    process.join()


def test_classes_by_several_ways_are_one():
    class Counted:
        count = 0

        def up(self):
            type(self).count += 1
            return type(self).count

    def work(taken, given):
        given.put([taken.get().up() for _ in range(3)])
        mine = taken.get()
        given.put(mh.map(lambda one: (one, type(one)), [mine], workers=1)[0])
        return taken.get()

    there, back = mh.Queue(), mh.Queue()
    process = running(work, there, back)
    for _ in range(5):
        there.put(Counted())
    assert back.get(timeout=60) == [1, 2, 3]  # a class lives on between messages
    one, kind = back.get(timeout=60)
    assert type(one) is kind is Counted
    assert type(process.result(60)) is Counted
    assert Counted.count == 0


def test_classes_made_there(queues):
    def work(given):
        class Local:
            name = "local"

        given.put(Local())
        given.put(Local)

    queue = mh.Queue()
    process = running(work, queue)
    one, kind = queue.get(timeout=60), queue.get(timeout=60)
    assert type(one) is kind and kind.name == "local"
    process.join()
    queues[0].put(one)
    assert type(queues[1].get(timeout=60)) is kind


def test_in_children_that_multiprocessing_forked(python):
    printed = python("""
        import multiprocessing
        import manyhands as mp

        class Task:
            pass

        def work(taken, given):
            task = taken.get()
            given.put((type(task) is Task, task))

        there, back = mp.Queue(), mp.Queue()
        process = multiprocessing.get_context("fork").Process(target=work, args=(there, back))
        process.start()
        there.put(Task())
        same, task = back.get()
        print(same, type(task) is Task)
        process.join()
    """)
    assert printed == "True True\n"


def test_globals_of_functions(python):
    printed = python("""
        import threading
        import manyhands as mp

        number, lock = 1, threading.Lock()

        def look():
            return number

        def locked():
            with lock:
                return 1

        def work(taken, given):
            for function in iter(taken.get, None):
                try:
                    given.put(function())
                except NameError as error:
                    given.put(str(error))

        there, back = mp.Queue(), mp.Queue()
        process = mp.Process(target=work, args=(there, back))
        process.start()
        for number in 1, 2:
            there.put(look)
            print(back.get())
        there.put(locked)
        print(back.get())
        there.put(None)
        process.join()
    """)
    first, second, refused = printed.splitlines()
    assert (first, second) == ("1", "2")
    assert refused.startswith("the global 'lock' could not be sent to another process")


def test_global_locks_and_queues_of_functions(python):
    printed = python("""
        import manyhands as mp

        lock, total, results, done = mp.Lock(), mp.Value("i"), mp.Queue(), mp.Event()

        def add(x):
            with lock:
                total.value += x
            results.put(total.value)
            done.set()

        def work(taken):
            for function, argument in iter(taken.get, None):
                function(argument)

        there = mp.Queue()
        process = mp.Process(target=lambda taken: mp.Process(target=work, args=(taken,)).start(), args=(there,))
        process.start()
        there.put((add, 5))
        print(results.get(), done.wait(60), total.value)
        there.put(None)
        process.join()
    """)
    assert printed == "5 True 5\n"


def test_what_has_changed_since_the_last_message(python):
    printed = python("""
        import dataclasses
        import manyhands as mp

        def helper():
            return number

        number = 1

        @dataclasses.dataclass
        class Task:
            of: object = None
            def run(self):
                return helper(), later() if "later" in globals() else None, self.kind()
            def kind(self):
                return "first"

        def runs(taken, given):
            given.put(taken.get().run())

        def told(task=Task):
            there, back = mp.Queue(), mp.Queue()
            process = mp.Process(target=runs, args=(there, back))
            process.start()
            there.put(task())
            print(*back.get())
            process.join()

        told()
        told()
        number = 2
        told()
        Task.kind = lambda self: "second"
        told()
        def later():
            return "later"
        told()
        def helper():
            return "another"
        told()
        helper.__code__ = (lambda: "one more").__code__
        told()
        told(lambda: Task(helper))
        class Task(Task):
            pass
        told()
        told()
    """)
    assert printed.splitlines() == [
        "1 None first",
        "1 None first",
        "2 None first",
        "2 None second",
        "2 later second",
        "another later second",
        "one more later second",
        "one more later second",
        "one more later second",
        "one more later second",
    ]


def test_what_cannot_be_sent():
    ours, theirs = mh.Pipe()
    with pytest.raises(TypeError, match="lock"):
        ours.send([1, threading.Lock()])
    with pytest.raises(RuntimeError, match="inheritance"):
        ours.send(mh.Lock())
    ours.send(theirs)  # an open end may be
    assert isinstance(theirs.recv(), mh.connection.Connection)
    ours.close()
    with pytest.raises(OSError, match="closed"):
        ours.send(1)


def test_plain_messages_are_plain_pickles():
    first, second = mh.Pipe()
    for message in 1, [b"x", {"a": (None, 1.5)}], multiprocessing.TimeoutError, range:
        first.send(message)
        assert b"manyhands" not in (sent := second.recv_bytes())
        assert multiprocessing.reduction.ForkingPickler.loads(sent) == message


def test_arrays(queues):
    numpy = pytest.importorskip("numpy")
    array = numpy.arange(100_000.0)
    queues[0].put({"array": array, "function": lambda: array})
    back = queues[1].get(timeout=60)
    assert (back["array"] == array).all() and (back["function"]() == array).all()
    back["array"][0] = 5
