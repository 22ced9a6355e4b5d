"""`mh.trace`: every item on its worker with its times, whatever ran it."""

import concurrent.futures
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from functools import partial

import pytest

import manyhands as mh
from programs import PATIENCE, environment

STEPS = ("queued", "sent", "turned", "arrived", "begun", "called", "returned", "ended", "received", "taken")


def busy(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass
    return seconds


def items(trace):
    """How often each index was run, by the name of its job."""
    return sorted((task["index"] + offset) for task in trace.tasks for offset in range(task["count"]))


@pytest.mark.parametrize("backend", ["processes", "threads", "serial"])
def test_each_item_is_there_once_with_its_times(backend):
    with mh.trace() as trace:
        assert mh.map(busy, [0.002] * 20, workers=2, backend=backend) == [0.002] * 20
    assert items(trace) == list(range(20))
    for task in trace.tasks:
        times = [task[step] for step in STEPS]
        assert times == sorted(times), task
        assert times[0] >= 0 and times[-1] <= trace.seconds
        assert task["returned"] - task["called"] >= 0.002
        assert task["cpu"] <= task["ended"] - task["begun"] + 0.001
        assert task["ending"] == "done"
        assert task["name"] == f"busy [{task['index']}]"
    assert 0 < trace.utilisation <= 1
    workers = {task["worker"] for task in trace.tasks}
    assert workers == {used["worker"] for used in trace.usage if used["tasks"]}
    assert {task["pid"] == os.getpid() for task in trace.tasks} == {backend != "processes"}


@pytest.mark.parametrize("kind", ["ProcessPoolExecutor", "ThreadPoolExecutor"])
def test_items_of_somebody_elses_engine(kind):
    with getattr(concurrent.futures, kind)(2) as executor, mh.trace() as trace:
        assert mh.map(busy, [0.002] * 20, on=executor) == [0.002] * 20
        assert mh.map(busy, [0.001, "no", 0.001], on=executor, on_error="return")[0] == 0.001
    assert items(trace) == sorted([*range(20), *range(3)])
    for task in trace.tasks:
        times = [task[step] for step in STEPS]
        assert times == sorted(times), task
        assert times[0] >= 0 and times[-1] <= trace.seconds
        assert task["name"] == f"busy [{task['index']}]"
        assert task["worker"] in ("elsewhere 1", "elsewhere 2")
        assert task["ending"] == "done" or task["index"] == 1
        assert (task["pid"] == os.getpid()) == (kind == "ThreadPoolExecutor")
    assert sum(task["ending"] == "failed" for task in trace.tasks) == 1
    assert sum(task["count"] for task in trace.tasks if task["returned"] - task["called"] >= 0.001) == 22
    assert sum(used["tasks"] for used in trace.usage) == 23


def test_calls_and_tiny_items_of_somebody_elses_engine():
    with concurrent.futures.ProcessPoolExecutor(2) as executor, mh.trace() as trace, mh.Pool(on=executor) as pool:
        assert pool.apply(busy, (0.001,)) == 0.001
        assert pool.map(abs, range(-5000, 0)) == list(range(5000, 0, -1))
    assert items(trace) == sorted([0, *range(5000)])
    assert len(trace.tasks) < 2500
    assert {task["name"].split()[0] for task in trace.tasks} == {"busy", "abs"}


def test_what_a_worker_did_adds_up():
    with mh.trace() as trace:
        mh.map(busy, [0.003] * 30, workers=2)
    from_, to = min(task["queued"] for task in trace.tasks), max(task["taken"] for task in trace.tasks)
    for used in trace.usage:
        parts = sum(used[part] for part in ("run", "transfer", "dispatch", "start", "idle", "end"))
        assert parts == pytest.approx(to - from_, abs=1e-6)


def test_tiny_items_are_noted_together():
    with mh.trace() as trace:
        mh.map(abs, range(50_000), workers=2)
    assert items(trace) == list(range(50_000))
    assert len(trace.tasks) < 20_000


def test_bytes_that_travel_are_counted():
    numpy = pytest.importorskip("numpy")
    with mh.trace() as trace:
        mh.map(lambda array: array + 1, [numpy.zeros(100_000), numpy.ones(100_000)], workers=2)
    for task in trace.tasks:
        assert 800_000 <= task["bytes_in"] < 810_000
        assert 800_000 <= task["bytes_out"] < 810_000


def test_calls_of_pools_and_executors_have_their_functions_names():
    with (
        mh.trace() as trace,
        mh.Pool(2) as pool,
        mh.Executor(2) as executor,
        mh.Executor(2, backend="threads") as threads,
    ):
        assert pool.apply(divmod, (7, 2)) == (3, 1)
        assert executor.submit(pow, 2, 5).result() == 32
        assert threads.submit(hex, 255).result() == "0xff"
    assert sorted(task["name"] for task in trace.tasks) == ["divmod", "hex", "pow"]


@pytest.mark.parametrize("backend", ["processes", "threads"])
def test_tasks_of_a_graph_have_their_names(backend):
    chop, cook = mh.task(lambda what: what, name="chop"), mh.task(lambda *things: len(things), name="cook")
    with mh.trace() as trace:
        assert cook(chop("leek"), chop("carrot")).compute(workers=2, backend=backend) == 2
    assert sorted(task["name"] for task in trace.tasks) == ["chop", "chop", "cook"]


def test_failures_and_deaths_show():
    def odd(x):
        if x == 1:
            raise ValueError(x)
        if x == 2:
            os.kill(os.getpid(), signal.SIGKILL)

    with mh.trace() as trace:
        mh.map(odd, range(4), workers=1, on_error="return")
    endings = {task["index"]: task["ending"] for task in trace.tasks}
    assert endings == {0: "done", 1: "failed", 2: "lost", 3: "done"}


def test_compiled_calls_are_noted():
    pytest.importorskip("llvmlite")

    @mh.jit
    def total(n):
        found = 0.0
        for i in mh.prange(n):
            found += i * 0.5
        return found

    total(10)
    with mh.trace() as trace:
        total(5_000_000)
        total(3)
    long, short = trace.kernels
    assert long["name"].endswith("total") and long["ended"] > long["begun"]
    assert 1 <= long["threads"] <= mh.get_num_threads()
    assert (short["threads"], short["blocks"], short["stints"]) == (1, 0, [])
    assert sum(blocks for *_, blocks in long["stints"]) == long["blocks"]
    assert len({thread for thread, *_ in long["stints"]}) == len(long["stints"]) == long["threads"]
    for _, begun, ended, _, _ in long["stints"]:
        assert long["begun"] <= begun <= ended <= long["ended"]
    used, _ = trace.kernel_usage(2)
    assert used["run"] + used["dispatch"] + used["idle"] + used["end"] == pytest.approx(2 * used["wall"])
    if mh.get_num_threads() > 1:
        assert long["blocks"] > 1


def test_the_file_is_what_perfetto_opens(tmp_path):
    path = tmp_path / "run.json"
    with mh.trace(path):
        mh.map(busy, [0.002] * 6, workers=2)
    events = json.loads(path.read_text())["traceEvents"]
    tasks = [event for event in events if event.get("cat") == "task"]
    assert len(tasks) == 6
    rows = {event["pid"] for event in events if event["name"] == "thread_name" and "worker" in event["args"]["name"]}
    for task in tasks:
        assert task["pid"] in rows
        within = [
            event["name"]
            for event in events
            if event["ph"] == "X"
            and event["pid"] == task["pid"]
            and task["ts"] - 1e-3 <= event["ts"]
            and event["ts"] + event["dur"] <= task["ts"] + task["dur"] + 1e-3
        ]
        assert "run" in within
    assert {event["ph"] for event in events if event.get("cat") == "queue"} == {"b", "e"}
    assert list(tmp_path.iterdir()) == [path]


def test_a_function_that_answers_with_itself_has_a_name():
    class Endless:
        def __call__(self, x):
            return x + 1

        @property
        def func(self):
            return self

        def __getattr__(self, name):
            raise RuntimeError(f"no {name} yet")

    with mh.trace() as trace:
        assert mh.map(Endless(), range(3), workers=1, backend="threads") == [1, 2, 3]
        assert mh.map(partial(partial(pow, 2), mod=7), range(3), workers=1, backend="threads") == [1, 2, 4]
    assert {task["name"].split(" [")[0] for task in trace.tasks} == {Endless.__qualname__, "pow"}


def test_nothing_is_noted_without_a_trace_and_each_has_its_own():
    mh.map(abs, range(10))
    with mh.trace() as outer:
        mh.map(abs, range(3), workers=2)
        with mh.trace() as inner:
            mh.map(abs, range(4), workers=2)
    mh.map(abs, range(10))
    assert (len(items(outer)), len(items(inner))) == (7, 4)


def test_bad_use_is_told(tmp_path):
    with pytest.raises(ValueError, match=r"ends in \.json or \.html"):
        mh.trace("run.txt")
    with pytest.raises(FileNotFoundError, match="no folder"):
        mh.trace(tmp_path / "missing" / "run.json")
    trace = mh.trace()
    with pytest.raises(RuntimeError, match="not done"):
        _ = trace.tasks
    with trace:
        pass
    assert trace.tasks == []
    with pytest.raises(RuntimeError, match="made once"), trace:
        pass


@pytest.mark.slow
def test_a_full_disk_is_an_error_and_the_trace_is_kept(tmp_path):
    if not os.path.exists("/dev/full"):
        pytest.skip("there is no /dev/full here")
    path = tmp_path / "run.json"
    path.write_text("before")
    beside = tmp_path / f"run.json.{os.getpid()}.part"
    beside.symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space") as caught, mh.trace(path) as trace:
        mh.map(abs, range(3), workers=2)
    assert "saved elsewhere" in "".join(getattr(caught.value, "__notes__", [])) or sys.version_info < (3, 11)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]
    trace.save(tmp_path / "again.json")
    assert json.loads((tmp_path / "again.json").read_text())["traceEvents"]


def test_an_error_inside_is_raised_and_the_trace_written(tmp_path):
    path = tmp_path / "run.json"
    with pytest.raises(ZeroDivisionError), mh.trace(path):
        mh.map(lambda x: 1 / x, [1, 0], workers=2)
    assert json.loads(path.read_text())["traceEvents"]


@pytest.mark.slow
def test_ctrl_c_leaves_the_trace(tmp_path):
    program = f"""
import os, signal, time
import manyhands as mh

with mh.trace({str(tmp_path / "run.json")!r}):
    mh.map(lambda x, to: (os.kill(to, signal.SIGINT), time.sleep(600)), [0], [os.getpid()], workers=1)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment(), capture_output=True, text=True, timeout=PATIENCE
    )
    assert "KeyboardInterrupt" in done.stderr
    assert json.loads((tmp_path / "run.json").read_text())["traceEvents"]


def test_a_forked_child_has_no_part_in_its_parents_trace():
    with mh.trace() as trace:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                with mh.trace() as own:
                    mh.map(abs, range(5), backend="threads", workers=2)
                code = 0 if len(items(own)) == 5 else 2
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert trace.tasks == []


def test_memory_is_noted_beside():
    with mh.trace() as trace:
        held = bytearray(b"x") * (50 << 20)
        time.sleep(0.3)
    assert held and trace.memory[0][0] <= trace.memory[-1][0]
    assert max(held for _, held in trace.memory) - trace.memory[0][1] > 45 << 20


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    slow = mh.task(lambda what: what, name="</script>chop")
    with mh.trace(path):
        mh.map(busy, [0.002] * 20, workers=2)
        slow("leek").compute(workers=2)
    return path


def test_the_report_is_one_page_without_network(page):
    text = page.read_text()
    assert "<h2>Graph</h2><svg" in text
    assert text.count("</script>") == 1
    assert not [word for word in ("src=", "@import", "url(http", "fetch(") if word in text]


@pytest.mark.slow
def test_the_report_draws_in_a_browser(page):
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no Chromium here to open the page with")
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=5000", "--dump-dom"]
    done = subprocess.run([*command, page.as_uri()], capture_output=True, text=True, timeout=PATIENCE)
    # What the script has made: the summary, a bar for each worker, the table, the picture of the memory.
    assert "21 items · 2 workers" in done.stdout, done.stderr
    assert done.stdout.count('<td class="bar">') == 2
    assert done.stdout.count("busy [") >= 20
    assert "<polygon" in done.stdout
