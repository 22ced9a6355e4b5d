"""The native half of manyhands, as built by `crates/mh-python`: an internal matter of the package.

Kept true to the built module by `tests/house/test_stubs.py`.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from types import FunctionType
from typing import Any, Generic, TypeVar, final

from typing_extensions import Buffer, ParamSpec

__all__ = [
    "Account",
    "Engine",
    "Explanation",
    "Fit",
    "GraphRun",
    "Jitted",
    "Job",
    "Knocking",
    "Lane",
    "Memory",
    "MemoryWatch",
    "Neighbours",
    "Plan",
    "Printer",
    "Recording",
    "Repetition",
    "Scheduler",
    "SemLock",
    "SharedBuffer",
    "Summary",
    "Sweep",
    "ThreadEngine",
    "ThreadJob",
    "ThreadKeeper",
    "ThreadServer",
    "Trace",
    "WorkerLink",
    "clocks",
    "computed_by_children",
    "cores",
    "cpu_count",
    "delayed",
    "digest",
    "follow",
    "forget_traces",
    "get_num_threads",
    "karp_flatt",
    "memory_available",
    "memory_roof",
    "name_elsewhere",
    "name_serial",
    "new_pool",
    "note_elsewhere",
    "note_fed",
    "note_serial",
    "note_taken",
    "ratio",
    "set_num_threads",
    "stream",
    "tracing",
    "verdict",
]

# ------------------------------------------------------------------------------------------------- the machine

def cpu_count(logical: bool = True) -> int:
    """How many cores this process may use: the least of affinity, cgroup quota and the batch scheduler's word."""

def cores() -> tuple[int, float | None, tuple[str, int] | None, int]:
    """Where that comes from: affinity, quota in cores, (variable, value) of the batch scheduler, physical cores."""

def get_num_threads() -> int:
    """How many threads compiled functions may use, all of them together."""

def set_num_threads(number: int, /) -> None:
    """Lets compiled functions use so many threads, all of them together. The answers are the same for any number."""

def memory_available() -> int:
    """Bytes of memory that may still be taken: the machine's and the cgroup's, whichever is less."""

def follow(parent: int) -> None:
    """From now on this process ends when the one behind the descriptor `parent` (a pidfd) has ended."""

def stream(seed: Sequence[int], index: int) -> Sequence[int]:
    """256 bits, as four 64-bit words, that begin the random streams of item `index` under a seed (64-bit words)."""

def digest(buffers: Sequence[Buffer]) -> int:
    """128 bits that differ wherever the buffers do (XXH3; not against an adversary)."""

# -------------------------------------------------------------------------------------------------------- tasks

_P = ParamSpec("_P")
_R_co = TypeVar("_R_co", covariant=True)

@final
class delayed(Generic[_P, _R_co]):
    """`delayed(function)(arguments)` makes a task of a call, for `Parallel`: the tuple `(function, args, kwargs)`.

    joblib's tasks are the same, and either's `Parallel` runs both. Serves as a decorator, too. TypeError for what
    cannot be called.

    >>> from manyhands import delayed
    >>> delayed(pow)(2, 5)
    (<built-in function pow>, (2, 5), {})
    """

    def __new__(cls, function: Callable[_P, _R_co], /) -> delayed[_P, _R_co]: ...
    def __call__(
        self, *args: _P.args, **kwargs: _P.kwargs
    ) -> tuple[Callable[..., _R_co], tuple[Any, ...], dict[str, Any]]: ...
    def __get__(self, instance: object, owner: Any = None, /) -> Any: ...
    @property
    def __wrapped__(self) -> Callable[_P, _R_co]: ...

@final
class SemLock:
    """What multiprocessing's locks stand on, over a count in shared memory that has no name."""

    @property
    def kind(self) -> int: ...
    @property
    def maxvalue(self) -> int: ...
    @property
    def handle(self) -> int: ...
    @property
    def place(self) -> int: ...
    def __new__(cls, kind: int, value: int, maxvalue: int) -> SemLock: ...
    @staticmethod
    def open(fd: int, place: int, kind: int, maxvalue: int) -> SemLock:
        """The one that another process has under `fd` (which stays open) and `place`."""

    def acquire(self, block: bool = True, timeout: float | None = None) -> bool: ...
    def release(self) -> None: ...
    def __enter__(self) -> bool: ...
    def __exit__(self, *_error: object) -> None: ...
    def _count(self) -> int: ...
    def _is_mine(self) -> bool: ...
    def _get_value(self) -> int: ...
    def _is_zero(self) -> bool: ...
    def _after_fork(self) -> None: ...

# ----------------------------------------------------------------------------------------- the parent's side

@final
class Engine:
    """The worker processes of one pool. Safe to use from several threads; in a forked child it refuses."""

    def __new__(
        cls,
        workers: int,
        command: Sequence[str],
        environment: Sequence[tuple[str, str]],
        tasks_per_worker: int | None = None,
        memory: int | None = None,
    ) -> Engine:
        """`command` starts a worker, with `environment` set over the parent's own; none is started before `start`.

        `memory`, in bytes, stands for what is free on the machine: for tests.
        """

    def set_first(self, objects: Sequence[int], initializer: bool) -> None:
        """What every worker is told before its first item; with `initializer`, the last one is run by the worker."""

    def start(self) -> None: ...
    def add_object(self, kind: int, pickle: bytes, buffers: list[Any], descriptors: Sequence[int]) -> int:
        """Add a thing that workers are told (see `_kinds`): a pickle, its out-of-band buffers. Gives its number."""

    def forget(self, objects: Sequence[int]) -> None:
        """Let go of things, here and in the workers."""

    def job(
        self,
        function: int | None,
        tag: bytes,
        *,
        return_errors: bool = False,
        retries: int = 0,
        timeout: float | None = None,
        buffer: int | None = None,
        chunk: int | None = None,
        by_index: bool = False,
        share: bool = False,
        checked: bool = False,
        keep: bool = False,
        tasks: bool = False,
    ) -> Job:
        """Open a job. `function`: number of the object that holds it, None where each item brings its own. `share`: a
        buffer that comes again is stored once; `checked`: it may have been written to between two items. `keep`: the
        function outlives the job. `tasks`: items are (function, args, kwargs), and the session is asked for the numbers
        of functions (`_workers._TaskSession`)."""

    def drain(self) -> None:
        """No further jobs; workers end once the open ones have."""

    def wait_drained(self, timeout: float | None = None) -> bool:
        """Wait until every worker is gone; False when the time is up (or a signal came) first."""

    def terminate(self) -> None:
        """Kill the workers and wait for their end. Does nothing in a forked child."""

    def terminate_at_exit(self) -> None:
        """The same at the end of the program: threads that wait for this pool are not woken any more."""

    def workers(self) -> list[dict[str, Any]]:
        """The workers: dicts with id, pid, ready, running."""

    def breakage(self) -> tuple[int | None, int | None, bool, bytes | None, str | None] | None:
        """Why the pool cannot go on: signal, exit code, out of memory, the initializer's failure, why none starts."""

    def next_delivery(self, timeout: float) -> tuple[list[tuple[int, int | None]], list[tuple[int, bytes]]]:
        """Wait for what was watched: ([(job, index or None)], [(stream, bytes)])."""

    def nudge_delivery(self) -> None:
        """Wake `next_delivery`."""

    def take_prints(self) -> list[tuple[int, bytes]]:
        """What was printed and nobody has shown: [(stream, bytes)]."""

    def is_ours(self) -> bool:
        """Is this the process that made the pool?"""

@final
class Explanation:
    """What became of a compiled function, line by line: shown by a prompt, by `print` and by a notebook."""

    def _repr_html_(self) -> str: ...

@final
class Jitted:
    """A compiled function: called as the function that it was made of, compiled for the types that it meets."""

    __wrapped__: FunctionType
    _options: tuple[bool, bool, str | None, tuple[tuple[Any, Any, str], ...]]
    @property
    def py_func(self) -> FunctionType:
        """The function that it was made of."""

    @property
    def signatures(self) -> list[str]:
        """The types that it has been compiled for: a text for each."""

    @staticmethod
    def of(
        function: FunctionType, parallel: bool, cache: bool, source: str | None, signatures: tuple[Any, ...], /
    ) -> Jitted:
        """The only way to make one: `Jitted()` makes none."""

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any: ...
    def __get__(self, instance: Any, owner: Any = None, /) -> Any: ...
    def __reduce__(self) -> str: ...
    def __copy__(self) -> Jitted: ...
    def __deepcopy__(self, _memo: Any) -> Jitted: ...
    def _compile_ahead(self, signature: int, target: str) -> str:
        """Compiles the signature of this number for a level of x86-64, beside the module; gives what it returns."""

    def explain(self, signature: str | None = None) -> Explanation:
        """What became of the function, of one of `signatures`; by default of the one that was used last."""

    def inspect_types(self, file: Any = None, signature: str | None = None) -> None:
        """numba's name for `explain`: prints it, for one of `signatures` or for all."""

    def llvm(self, signature: str | None = None) -> str: ...
    def asm(self, signature: str | None = None) -> str: ...
    def inspect_llvm(self, signature: str | None = None) -> Any:
        """LLVM's text, as it was handed to LLVM: of one of `signatures`, or of all in a dictionary."""

    def inspect_asm(self, signature: str | None = None) -> Any:
        """The machine code as assembly: of one of `signatures`, or of all in a dictionary."""

    def _result(self, values: list[Any]) -> str | None: ...
    def _again(self, values: tuple[Any, ...]) -> Any: ...
    def _again_of(self, names: tuple[str, ...], mapping: Any) -> Any: ...

@final
class Job:
    """One call's items and answers.

    `session` is a `_pickling.Session`, `hooks` a `_workers.Hooks`, `loads` a publisher's; an answer is (index, whether
    it succeeded, value or exception).
    """

    @property
    def id(self) -> int: ...
    def run(
        self,
        source: Iterator[Any],
        session: Any,
        loads: Callable[..., Any],
        hooks: Any,
        progress: Callable[[int, int], object] | None,
        failed_indices: list[int] | None,
    ) -> list[Any]:
        """Every item of `source`, to the end; results in order. `failed_indices` gets those of failed items."""

    def feed(self, source: Iterator[Any], session: Any, hooks: Any, limit: int | None) -> bool:
        """Send up to `limit` items while there is room; with None all of them. True when the source is empty."""

    def submit(self, value: Any, session: Any, hooks: Any) -> int:
        """Send one item; gives its index."""

    def submit_call(self, number: int, arguments: tuple[Any, ...], needs: list[int]) -> int | None:
        """The same for a call of object `number` with plain arguments; None, with nothing sent, when they are not."""

    def collect(
        self, loads: Callable[..., Any], hooks: Any, timeout: float, room: bool, least: int = 1
    ) -> tuple[list[tuple[int, bool, Any]], str | None]:
        """Wait up to `timeout` seconds for `least` answers or a failure (`room`: or for room for items): (answers,
        outcome or None)."""

    def answer(self, index: int, loads: Callable[..., Any], hooks: Any, timeout: float) -> tuple[bool, Any] | None:
        """The answer to one item of a job `by_index`: (succeeded, value or exception); None when there is none yet."""

    def withdraw(self, index: int, kill: bool) -> bool | None:
        """Take back one item of a job `by_index` if it has not begun; with `kill`, kill the worker that runs it, at no
        other item's cost. True: it is cancelled; False: it goes on, or has ended; None: its answer will tell."""

    def withdraw_waiting(self) -> None:
        """Take back every item that has not begun."""

    def has_begun(self, index: int) -> bool:
        """Is the item running (or done, with its answer on its way)?"""

    def is_answered(self, index: int) -> bool:
        """Has the item been answered (or has the job ended without)?"""

    def discard(self, index: int) -> None:
        """Nobody will ask for the answer to this item."""

    def name(self, text: str, index: int | None = None) -> None:
        """For a trace: what the job is called, or one item of it."""

    def room(self) -> int:
        """For how many more items there is room: so many that workers never wait for them, and the memory of few."""

    def fed(self) -> int:
        """How many items have been fed."""

    def outcome(self) -> str | None:
        """How the job ended: "complete", "failed", "cancelled", "broken", or None while it has not."""

    def watch(self, index: int | None = None) -> None:
        """Ask that `Engine.next_delivery` tell of an answer, or, for None, of the end."""

    def sweep(self) -> None:
        """Let go of stored buffers of objects that nobody else keeps: they will not come again."""

    def cancel(self, kill: bool) -> None:
        """End the job early; with `kill`, workers that run its items are killed."""

    def close(self) -> None:
        """Let go of the job, its function and what it kept in shared memory."""

# ------------------------------------------------------------------------------------- somebody else's workers

@final
class Scheduler:
    """The engine's decisions for work that somebody else's executor runs, on slots that hold one message each.

    Each event gives what is to be done, in order: ("send", slot, message, job, first, count),
    ("drop", slot, message), ("accept", job, first, count), ("lost", job, index, attempts or 0 where it was withdrawn),
    ("finished", job, outcome, index or None), ("drained",).
    """

    def __new__(cls, slots: int, target: float) -> Scheduler:
        """`target`: seconds that the work in one message should take."""

    def open(
        self, job: int, *, return_errors: bool = False, retries: int = 0, buffer: int | None = None
    ) -> list[tuple[Any, ...]]: ...
    def feed(self, job: int, count: int) -> list[tuple[Any, ...]]: ...
    def end_of_input(self, job: int) -> list[tuple[Any, ...]]: ...
    def cancel(self, job: int) -> list[tuple[Any, ...]]: ...
    def withdraw(self, job: int, index: int) -> list[tuple[Any, ...]]:
        """The caller no longer wants this item of the job."""

    def done(self, slot: int, message: int, count: int, failed: Sequence[int], busy: float) -> list[tuple[Any, ...]]:
        """The message was answered; `failed` holds the indices of items that raised, `busy` is in seconds."""

    def gone(self, slot: int, message: int) -> list[tuple[Any, ...]]:
        """The message was lost with its worker."""

    def dropped(self, slot: int, message: int, count: int) -> list[tuple[Any, ...]]:
        """Answer to "drop": so many items of the message will not be run (all or none)."""

    def broken(self) -> list[tuple[Any, ...]]:
        """Nothing can be run any more."""

    def drain(self) -> list[tuple[Any, ...]]:
        """No further jobs."""

    def aim(self, target: float) -> None:
        """From now on a message should take so many seconds."""

    def room(self, job: int) -> int:
        """How many more items of the job may be fed now."""

# ------------------------------------------------------------------------------------- threads of this process

@final
class ThreadEngine:
    """The threads of one pool: the calls of `Engine`, as far as threads need them. In a forked child it refuses."""

    def __new__(
        cls,
        threads: int,
        callers: tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any], Callable[..., Any]],
        tasks_per_thread: int | None = None,
        idle: float | None = None,
    ) -> ThreadEngine:
        """`callers`: start, keep, with_keywords, seeded of `_threads`. `idle`: seconds until an idle thread ends."""

    def start(self) -> None:
        """Start all threads, and keep their number from then on; without it they start with the first items."""

    def job(
        self,
        function: Callable[..., Any] | None,
        mode: int,
        *,
        seed: Sequence[int] = ...,
        return_errors: bool = False,
        retries: int = 0,
        timeout: float | None = None,
        chunk: int | None = None,
        by_index: bool = False,
        share: bool = False,
    ) -> ThreadJob:
        """Open a job. `function`: None where each item brings its own."""

    def drain(self) -> None:
        """No further jobs; threads end once the open ones have."""

    def wait_drained(self, timeout: float | None = None) -> bool:
        """Wait until every thread is gone; False when the time is up first."""

    def terminate(self) -> None:
        """Drop what has not begun; threads end, those that run something after it. Nothing in a forked child."""

    def terminate_at_exit(self) -> None:
        """The same at the end of the program: threads that wait for this pool are not woken any more."""

    def workers(self) -> list[dict[str, Any]]:
        """The threads: dicts with id, ident, pid, ready, running."""

    def breakage(self) -> tuple[BaseException | None, str | None] | None:
        """Why the pool cannot go on: the initializer's error, why no thread can be started."""

    def next_delivery(self, timeout: float) -> tuple[list[tuple[int, int | None]], list[tuple[int, bytes]]]:
        """Wait for what was watched: ([(job, index or None)], no prints)."""

    def nudge_delivery(self) -> None:
        """Wake `next_delivery`."""

    def take_prints(self) -> list[tuple[int, bytes]]:
        """Nothing: what threads print goes straight to where it belongs."""

    def is_ours(self) -> bool:
        """Is this the process that made the pool?"""

@final
class ThreadJob:
    """One call's items and answers in threads: the calls of `Job`. `session` and `loads` are not used."""

    @property
    def id(self) -> int: ...
    def run(
        self,
        source: Iterator[Any],
        session: Any,
        loads: Any,
        hooks: Any,
        progress: Callable[[int, int], object] | None,
        failed_indices: list[int] | None,
    ) -> list[Any]:
        """Every item of `source`, to the end; results in order. `failed_indices` gets those of failed items."""

    def feed(self, source: Iterator[Any], session: Any, hooks: Any, limit: int | None) -> bool:
        """Take up to `limit` items while there is room; with None all of them. True when the source is empty."""

    def submit(self, value: Any, session: Any, hooks: Any) -> int:
        """Take one item; gives its index."""

    def collect(
        self, loads: Any, hooks: Any, timeout: float, room: bool
    ) -> tuple[list[tuple[int, bool, Any]], str | None]:
        """Wait up to `timeout` seconds for answers (`room`: or for room for items): (answers, outcome or None)."""

    def answer(self, index: int, loads: Any, hooks: Any, timeout: float) -> tuple[bool, Any] | None:
        """The answer to one item of a job `by_index`: (succeeded, value or exception); None when there is none yet."""

    def is_answered(self, index: int) -> bool:
        """Has the item been answered (or has the job ended without)?"""

    def discard(self, index: int) -> None:
        """Nobody will ask for the answer to this item."""

    def withdraw(self, index: int, kill: bool) -> bool:
        """Take back one item of a job `by_index` if it has not begun: whether it is cancelled. `kill` has no effect."""

    def withdraw_waiting(self) -> None:
        """Take back every item that has not begun."""

    def has_begun(self, index: int) -> bool:
        """Is the item running, or done?"""

    def name(self, text: str, index: int | None = None) -> None:
        """For a trace: what the job is called, or one item of it."""

    def fed(self) -> int:
        """How many items have been fed."""

    def outcome(self) -> str | None:
        """How the job ended: "complete", "failed", "cancelled", "broken", or None while it has not."""

    def watch(self, index: int | None = None) -> None:
        """Ask that `ThreadEngine.next_delivery` tell of an answer, or, for None, of the end."""

    def cancel(self, kill: bool) -> None:
        """End the job early; with `kill`, other threads take the place of those that run its items."""

    def close(self) -> None:
        """Let go of the job."""

@final
class ThreadServer:
    """A thread's end of the pool; made by the engine, used by that thread only."""

    def begin(self, ident: int) -> None:
        """The thread `ident` runs, and is ready for items."""

    def cannot_begin(self, error: BaseException) -> None:
        """The initializer raised `error`: the thread is to leave."""

    def wait(self) -> tuple[Callable[..., Any], Any] | None:
        """Wait for the next call, as (function, arguments); None when nothing more will come."""

    def give(self, ok: bool, value: Any) -> tuple[Callable[..., Any], Any] | None:
        """Give what the last call came to; the next call, or None when there is none now."""

    def leave(self) -> None:
        """The thread ends; another one is started in its place where it is wanted."""

@final
class ThreadKeeper:
    """Sees to the timeouts of a pool; made by the engine."""

    def run(self) -> None:
        """Give up what runs for too long, as long as anything may."""

# ---------------------------------------------------------------------------------------------------- graphs

@final
class Plan:
    """Everything that some nodes need, themselves included: needs before readers, numbered from 0."""

    def __new__(cls, outputs: list[Any], kind: type) -> Plan:
        """`outputs`: the nodes that are asked for, instances of exactly `kind` (`graph.Node`)."""

    def __len__(self) -> int: ...
    def nodes(self) -> list[Any]: ...
    def node(self, number: int) -> Any: ...
    def tasks(self) -> list[Any]:
        """The distinct tasks that the nodes call."""

    def task_of(self, node: int) -> int:
        """The number of the task that a node calls, in `tasks()`."""

    def outputs(self) -> list[int]:
        """The numbers of the nodes that were asked for."""

    def leaves_of(self, node: int) -> list[int | None]:
        """For each leaf of a node's arguments the number of the node that it stands for, or None."""

    def run(self, lanes: Sequence[int], costs: Sequence[float] | None = None) -> GraphRun:
        """A run in which nothing was begun. `lanes`: for each task the job that its nodes go to; `costs`: for each node
        the seconds that it takes, if that is known."""

    def draw(
        self,
        language: str,
        most: int,
        labels: Sequence[str],
        seconds: Sequence[float | None],
        chain: Sequence[int],
        declared: bool,
    ) -> str:
        """A picture in "svg", "mermaid" or "dot", in at most `most` boxes, with how each node's last run ended."""

    def analyse(
        self, times: Sequence[float], workers: Sequence[int]
    ) -> tuple[float, float, list[int], list[tuple[float, float, float]]]:
        """Work, span, critical path, and for each number of workers (greedy schedule, least, most of any greedy)."""

@final
class GraphRun:
    """One run of a graph, used by one thread. `garbage` gets results that nobody needs any more."""

    def ready(self, lane: int) -> int:
        """How many nodes of a lane are ready."""

    def lane(self, lane: int) -> Lane:
        """The items of a lane."""

    def node_at(self, lane: int, index: int) -> int:
        """The node behind an index of a lane's job."""

    def outstanding(self, lane: int) -> int:
        """How many items of a lane have no answer."""

    def unsent(self, lane: int) -> int:
        """The last item of a lane was not sent: gives its node."""

    def settle(
        self, lane: int, answers: list[tuple[int, bool, Any]], garbage: list[Any]
    ) -> tuple[int, list[tuple[int, BaseException]], bool]:
        """Take answers of a lane's job: (how many succeeded, [(node, exception)], was a large result let go of)."""

    def fail(self, node: int, garbage: list[Any]) -> int:
        """The node has failed: gives how many are not run because of it."""

    def again(self, node: int) -> None:
        """The node is to be run once more."""

    def is_over(self) -> bool:
        """Has every node ended?"""

    def cause(self, node: int) -> int:
        """The node that failed, for which this one was skipped; of any other, itself."""

    def route(self, node: int) -> list[int]:
        """How a node is needed by what was asked for: from it to one of those."""

    def result(self, node: int) -> Any:
        """The result of a node that was asked for and is done."""

    def record(self, failures: dict[int, str]) -> None:
        """Note in each node how it ended: `_last` becomes (state, seconds or None, why or None)."""

@final
class Lane:
    """The items for one job: an iterator that has one for each ready node."""

    def __iter__(self) -> Lane: ...
    def __next__(self) -> tuple[Any, ...]: ...

# ----------------------------------------------------------------------------------------- the worker's side

@final
class WorkerLink:
    """A worker's connection to its parent. Only the worker's main thread uses it."""

    def __new__(cls, memory: int | None = None) -> WorkerLink:
        """Takes over the connection that the parent left as standard input. `memory`: what is free for results, in
        place of what the system says."""

    @property
    def id(self) -> int: ...
    def printer(self) -> Printer: ...
    def serve(self, handlers: Any) -> bool:
        """Serve the parent until it asks for the end (True) or is gone (False). `handlers`: `_worker.Handlers`."""

@final
class Printer:
    """Sends what the user's code prints; callable from any thread."""

    def __call__(self, stream: int, data: bytes) -> None: ...
    def note(self) -> None:
        """Ask that `Output.finish_item` be called at the end of the item."""

@final
class SharedBuffer:
    """Shared memory as a buffer: writable, and what is written stays private to this process."""

    def __len__(self) -> int: ...
    if sys.version_info >= (3, 12):
        def __buffer__(self, flags: int, /) -> memoryview: ...

# ------------------------------------------------------------------------------------------------- measurements

@final
class Summary:
    """What measurements of one thing say, in seconds. ValueError for none, and for what is no time."""

    samples: list[float]
    mean: float
    deviation: float
    median: float
    interval: tuple[float, float]
    """Of the median."""
    confidence: float
    """The share of such intervals that hold the median: at least 0.95 from six measurements on."""
    best: float
    worst: float
    outliers: list[tuple[int, float, bool]]
    """(index, seconds, further than three widths of the middle half)."""
    def __new__(cls, samples: Sequence[float]) -> Summary: ...

def ratio(above: Sequence[float], below: Sequence[float]) -> tuple[float, float, float, float]:
    """How many times as long the samples `above` took as those `below`: (ratio of medians, low, high, confidence)."""

@final
class Repetition:
    """How often one thing is measured: ask `step`, do it, `record` it."""

    def __new__(
        cls,
        now: float,
        *,
        budget: float,
        granularity: float,
        narrow: float | None = None,
        least: int | None = None,
        most: int | None = None,
    ) -> Repetition: ...
    def step(self) -> tuple[str, int]:
        """("probe" or "sample", loops), or ("narrow", "spent" or "many", 0) when it is enough."""
    def record(self, seconds: float, now: float) -> None:
        """What was asked for took `seconds` in all, and ended at `now`."""
    @property
    def loops(self) -> int: ...
    @property
    def times(self) -> list[float]:
        """Seconds of one call, by sample."""

@final
class Sweep:
    """Several things measured in turn: each once to warm up, then in rounds of random order, until the intervals of
    all medians are narrower than the share `narrow` on either side, or the budget is spent. Ask `turn`, do it,
    `record` it."""

    def __new__(
        cls,
        things: int,
        now: float,
        *,
        budget: float,
        seed: int = 0,
        narrow: float | None = None,
        least: int | None = None,
        most: int | None = None,
    ) -> Sweep: ...
    def turn(self) -> tuple[str, int]:
        """("warm" or "run", which), or ("narrow", "spent" or "many", 0) when it is enough."""
    def record(self, seconds: float, now: float) -> None:
        """The turn that was asked for took `seconds`, and ended at `now`."""
    def samples(self, thing: int) -> list[float]:
        """Seconds by run of one thing; of its warm-up where there was time for no other."""
    @property
    def whole(self) -> bool:
        """Were all of them run at least once?"""

# ------------------------------------------------------------------------------------------------- traces

def tracing() -> bool:
    """Does anybody want a trace now?"""

def forget_traces() -> None:
    """In a forked child: the parent's traces are not continued."""

def clocks() -> tuple[int, int]:
    """Nanoseconds of the monotonic clock, and what this thread has computed."""

def note_serial(job: int, index: int, begun: int, cpu: int, failed: bool) -> None:
    """Notes an item that the calling thread ran itself, in the plain loop number `job`; times as `clocks` gave them."""

def name_serial(job: int, text: str) -> None:
    """What such a loop is called."""

def new_pool() -> int:
    """A number for somebody else's engine, among our own pools."""

def name_elsewhere(pool: int, job: int, text: str, index: int | None = None) -> None:
    """What a job of such an engine is called, or one of its items."""

def note_fed(pool: int, job: int, first: int, count: int) -> None:
    """Notes that items were given for it."""

def note_taken(pool: int, job: int, indices: list[int]) -> None:
    """Notes that the caller took these answers."""

def note_elsewhere(
    pool: int,
    job: int,
    id: int,
    pid: int,
    sent: int,
    arrived: int,
    received: int,
    noted: list[tuple[int, int, int, int, int, int, int, int, int, bool]],
) -> None:
    """Notes what one message's worker ran (`_there.Notes`) by its own clock; the message was read at `arrived`."""

@final
class Recording:
    """Notes everything that happens in this process and its workers until `stop`."""

    def __new__(cls) -> Recording: ...
    def stop(self) -> Trace:
        """What has happened since. A second call gives an empty trace, as does a forked child."""

@final
class Trace:
    """What happened. Times are in seconds since it began, but for `times`: nanoseconds of the monotonic clock."""

    times: tuple[int, int]
    dropped: int
    """Events that were too many to be kept."""
    counts: tuple[int, int, int]
    """Tasks, jobs, kernels."""
    def tasks(self) -> list[dict[str, Any]]: ...
    def usage(self) -> list[dict[str, Any]]: ...
    def utilisation(self) -> float: ...
    def kernels(self) -> list[dict[str, Any]]: ...
    def kernel_usage(self, threads: int) -> list[dict[str, float]]: ...
    def caller(self) -> float:
        """What callers spent on pickling items and rebuilding answers."""
    def memory(self) -> list[tuple[float, int]]:
        """(seconds, PSS of all processes) of each look at the memory."""
    def report(self, title: str, figures: list[tuple[str, str]]) -> bytes:
        """A page of HTML, with pictures: (title, SVG)."""
    def chrome(self) -> bytes:
        """The trace in the format that Perfetto and chrome://tracing open."""

@final
class Fit:
    """Laws of scaling fitted to times by number of workers: (workers, seconds of each run). ValueError for fewer than
    two numbers, for one that comes twice, and for what is no time. Under four numbers only Amdahl's law is fitted."""

    def __new__(cls, points: Sequence[tuple[int, Sequence[float]]], weak: bool) -> Fit: ...
    @property
    def laws(self) -> list[tuple[str, list[tuple[str, float, float, float]], float, float, bool]]:
        """(name, [(parameter, value, low, high)], seconds of one worker, AICc, misses the times), the best first."""
    @property
    def told(self) -> bool:
        """Were there enough numbers of workers to tell laws apart?"""
    @property
    def limits(self) -> tuple[float | None, float | None]:
        """(number of workers of the greatest speed-up, speed-up that no number exceeds) by the best law."""
    def predict(self, workers: int) -> tuple[float, float, float]:
        """(seconds, low, high): 95% of medians lie between these."""

def karp_flatt(speedup: float, workers: int) -> float:
    """The share of the work that seems to be serial, from one speed-up alone; more than one worker."""

@final
class Memory:
    """What a function needs of the machine's memory."""

    @staticmethod
    def of(
        roof: Sequence[tuple[int, float]], workers: int, computing: Sequence[float], streaming: Sequence[float]
    ) -> Memory | None:
        """From seconds of the function beside `workers - 1` threads that compute, and beside as many that stream. None
        where that surely makes no difference, or the memory is no limit for so many."""
    needs: tuple[float, float, float]
    """The share of its time in which the function needs the memory, with its 95% interval."""
    longer: tuple[float, float, float]
    """By so much of its time alone it takes longer with so many workers, with its 95% interval."""

@final
class Neighbours:
    """So many threads that work beside whatever is measured; OSError where there is no room for their arrays."""

    def __new__(cls, count: int) -> Neighbours: ...
    def work(self, what: str) -> None:
        """From now on all of them "rest", "compute" or "stream"."""
    def close(self) -> None:
        """They end."""

def memory_roof() -> list[tuple[int, float]]:
    """(Number of threads, bytes per second that they move together), measured when first asked for; empty where it
    cannot be."""

def computed_by_children() -> float:
    """Seconds that the living descendants of this process, and what these have waited for, have computed."""

@final
class Account:
    """Where the wall time of a call went. Seconds, those of workers summed over all of them; `alone` is the plain loop,
    `cpu` and `alone_cpu` what was computed meanwhile. ValueError for measurements that cannot be."""

    def __new__(
        cls,
        workers: int,
        wall: float,
        *,
        items: int,
        run: float,
        cpu: float | None,
        transfer: float,
        dispatch: float,
        start: float,
        idle: float,
        end: float,
        alone: float,
        alone_cpu: float | None,
        alone_ready: float,
        interpreter: bool,
        memory: Memory | None = None,
    ) -> Account: ...
    @staticmethod
    def outside(workers: int, wall: float, *, cpu: float, alone_cpu: float, memory: Memory | None = None) -> Account:
        """Of a call that was only seen from outside."""
    slower: float
    """The share of the wall time for which workers computed longer than one does alone."""
    @staticmethod
    def together(runs: Sequence[Account]) -> Account:
        """The mean of several runs; ValueError for none."""
    @property
    def shares(self) -> list[tuple[str, float, float, float]]:
        """(part, share of the wall time, low, high); the shares are 1 together."""

def verdict(
    *,
    cores: int,
    workers: int,
    plain: bool,
    speedup: float,
    best: tuple[int, float],
    waits: bool = False,
    fit: Fit | None = None,
    account: Account | None = None,
    memory: Memory | None = None,
) -> tuple[str, str]:
    """(cause, text): what keeps the work from scaling with the largest number of workers. `best`: (workers,
    speed-up)."""

@final
class MemoryWatch:
    """Looks at the memory of this process and its descendants until `stop`."""

    def __new__(cls, period: float) -> MemoryWatch: ...
    def stop(self) -> list[tuple[float, list[tuple[str, int, int, int, int]]]]:
        """At the beginning and now at least: (seconds, [(name, pid, PSS, private, in shared memory)])."""

@final
class Knocking:
    """Looks at random moments whether the interpreter's lock is held."""

    def __new__(cls) -> Knocking: ...
    def stop(self) -> None:
        """Ends `run`, in another thread."""
    def run(self) -> tuple[int, int]:
        """Knocks until `stop`: (moments, how many of them found the lock held)."""
