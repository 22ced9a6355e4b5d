"""`mh.task`: calls that are not made at once, but become the nodes of a graph that is run with all workers."""

import functools
import operator
import sys

from . import _graph_calls, _graph_containers, _graph_operators
from ._options import _number

__all__ = ["Node", "Task", "compute", "task"]


def task(function=None, /, *, name=None, cost=None, nout=None, retries=None, timeout=None):
    """Make a function into a task: calling it gives a node of a graph, and nothing is run yet.

    Parameters
    ----------
    function:
        Anything that can be called. Without it, what is given back makes a task of a function: `@mh.task(nout=2)`.
    name:
        What the task is called in pictures and errors; by default the function's name.
    cost:
        The seconds that a call takes, as far as you know: a number, or a function of the same arguments (as they are
        when the call is written down). `explain` uses it, and the run begins with what the end has to wait for.
    nout:
        How many values a call gives, so that `a, b = f(x)` gives a node for each.
    retries:
        How often a call is run again whose worker died or that timed out; by default what `compute` says.
    timeout:
        Seconds that a call may run; by default what `compute` says.

    Nodes among the arguments, also inside of lists, tuples, dicts, sets and slices, of their subclasses and kin
    (`OrderedDict`, `deque`, ...), of dataclasses and of object arrays, stand for their results: the call is made when
    these are there. Other objects are not looked into. Lists and their like are copied, so that changing them later
    changes nothing. A generator, and what else can be gone through only once, is refused.

    >>> import manyhands as mh
    >>> @mh.task
    ... def add(a, b):
    ...     return a + b
    >>> total = add(add(1, 2), 10) * 2
    >>> total.compute()
    26
    """
    if function is None:
        return functools.partial(task, name=name, cost=cost, nout=nout, retries=retries, timeout=timeout)
    return Task(function, name, cost, nout, retries, timeout)


def compute(
    *values,
    workers=None,
    backend="processes",
    progress=False,
    timeout=None,
    retries=0,
    on_error="raise",
    on=None,
):
    """Run the graph behind some nodes, each node once; gives their results in a tuple.

    Parameters
    ----------
    *values:
        Nodes, also inside of lists and all else that may hold a task's arguments; what is no node is given back as it
        is.
    workers:
        How many; by default one for each core that this process may use. They are kept for the next call.
    backend:
        "processes", "threads", or "serial" for one task after the other in this thread. Threads hand results over as
        they are, so that two tasks may get the very same object; processes give each its own.
    progress:
        True, or a label: show a bar that counts nodes.
    timeout:
        Seconds that one task may run, for tasks that do not say; `TimeoutError` for it.
    retries:
        How often a task is run again whose worker died or that timed out, for tasks that do not say.
    on_error:
        A task that fails fails what needs it and nothing else: all others are run. Then "raise": what the first of
        them raised is raised, with a note that names the path to what was asked for. "return": exceptions stand among
        the results, in the place of what could not be computed.
    on:
        Somebody else's executor to run on.

    A result is let go of as soon as the last task that needs it is done. Raises what a task raises; `WorkerDied` for a
    task whose worker died under it.

    >>> import manyhands as mh
    >>> double = mh.task(lambda x: 2 * x)
    >>> four = double(2)
    >>> mh.compute(four, [double(four), "a word"])
    (4, [8, 'a word'])
    """
    from . import _graph_running
    from ._options import Options

    options = Options(timeout, retries, on_error, None, progress)
    leaves, shape = _graph_calls.taken_apart(values, {}, Node)
    places = [place for place, leaf in enumerate(leaves) if type(leaf) is Node]
    results = list(leaves)
    if places:
        plan = _plan([leaves[place] for place in places])
        found = _graph_running.run(plan, options, workers, backend, on)
        for place, result in zip(places, found):
            results[place] = result
    return tuple(results) if shape is None else tuple(_graph_calls.together(shape, results)[0])


def _plan(nodes):
    from ._native import Plan

    return Plan(nodes, Node)


class Task:
    """A function whose calls are nodes of a graph; `function` is the function itself. Made by `mh.task`."""

    def __init__(self, function, name=None, cost=None, nout=None, retries=None, timeout=None):
        if isinstance(function, (Task, Node)) or not callable(function):
            raise TypeError(f"mh.task takes a function, not {function!r:.80} (plain values need no task around them)")
        if isinstance(function, functools.partial) and _graph_containers.holds(function, Node):
            raise TypeError("mh.task takes a function: the nodes that its partial() holds are arguments of the call")
        functools.update_wrapper(self, function)
        if name is not None and not isinstance(name, str):
            raise TypeError(f"name must be a string or None, not {type(name).__name__}")
        if nout is not None and (type(nout) is not int or nout < 0):
            raise ValueError(f"nout must be a whole number from 0 on, or None, not {nout!r}")
        if retries is not None and (type(retries) is not int or retries < 0):
            raise ValueError(f"retries must be a whole number from 0 on, or None, not {retries!r}")
        if timeout is not None:
            timeout = _number("timeout", timeout)
            if timeout <= 0:
                raise ValueError(f"timeout must be more than 0 seconds, not {timeout:g}")
        self.function = function
        self.name = name or _name_of(function)
        self.nout = nout
        self.retries = retries
        self.timeout = timeout
        self.cost = cost if cost is None or callable(cost) else _seconds(cost, self.name)

    def __call__(self, /, *args, **kwargs):
        """A node for the call with these arguments."""
        leaves, shape = _graph_calls.taken_apart(args, kwargs, Node)
        cost = self.cost
        if cost is not None and type(cost) is not float:
            cost = _seconds(cost(*args, **kwargs), self.name)
        return Node(self, leaves, shape, cost)

    def __get__(self, instance, owner=None):
        """As a method."""
        return self if instance is None else functools.partial(self, instance)

    def __repr__(self):
        return f"<task {self.name}>"

    def __reduce__(self):
        # By name where the name leads here, as pickle does with the function itself.
        found = sys.modules.get(self.__dict__.get("__module__"))
        name = self.__dict__.get("__qualname__", "")
        for part in name.split("."):
            found = getattr(found, part, None)
        return name if found is self else self._by_value()

    def _by_value(self):
        return Task, (self.function, self.name, self.cost, self.nout, self.retries, self.timeout)


def _name_of(function):
    name = getattr(function, "__name__", None)
    if not isinstance(name, str):
        name = _name_of(function.func) if isinstance(function, functools.partial) else type(function).__name__
    return name


def _seconds(cost, name):
    if type(cost) is Node:
        raise TypeError(f"the cost of task {name!r} depends on the result of another task: it must be known before")
    try:
        seconds = float(cost)
    except (TypeError, ValueError):
        raise TypeError(f"the cost of task {name!r} must be a number of seconds, not {cost!r:.80}") from None
    if not 0 <= seconds < float("inf"):
        raise ValueError(f"the cost of task {name!r} must be a number of seconds from 0 on, not {seconds:g}")
    return seconds


#: What people who come from elsewhere look for; as lazy attributes these would do nothing, without a word.
_ELSEWHERE = {
    "visualize": "svg(), mermaid() and dot() draw it",
    "persist": "compute() gives the results themselves",
}


class Node:
    """The result of a call that has not been made: an argument for further tasks, computed by `compute`.

    Operators, indexing, attributes and method calls of a node are nodes too. Made by calling a `Task`.
    """

    __slots__ = ("__weakref__", "_cost", "_last", "_leaves", "_shape", "_task")

    #: So that a NumPy array on the left of an operator leaves the whole of it to the node.
    __array_ufunc__ = None

    def __init__(self, task, leaves, shape=None, cost=None):
        self._task = task
        self._leaves = leaves
        self._shape = shape
        self._cost = cost
        self._last = None

    def compute(
        self,
        workers=None,
        backend="processes",
        progress=False,
        timeout=None,
        retries=0,
        on_error="raise",
        on=None,
    ):
        """The node's result, with everything that it needs computed by all workers: see `mh.compute`.

        With `on_error="return"`, the exception in its place.
        """
        options = {"workers": workers, "backend": backend, "progress": progress, "timeout": timeout}
        return compute(self, **options, retries=retries, on_error=on_error, on=on)[0]

    # ------------------------------------------------------------------------------ pictures and figures

    def svg(self, max_nodes=300):
        """The graph behind this node as SVG, a string, coloured by how the tasks ended when they were last run.

        Above `max_nodes` tasks are folded together, and the picture says so. A notebook shows a node this way.
        """
        from ._graph_picture import draw

        return draw(self, "svg", max_nodes)

    def mermaid(self, max_nodes=300):
        """The same in Mermaid's language, which notebooks and many editors draw.

        >>> import manyhands as mh
        >>> print(mh.task(abs, name="boil")(1).mermaid())
        flowchart TD
            n0["boil"]:::planned
            classDef planned fill:#eef1f5,stroke:#8a94a3,color:#1b1f24
        <BLANKLINE>
        """
        from ._graph_picture import draw

        return draw(self, "mermaid", max_nodes)

    def dot(self, max_nodes=300):
        """The same in Graphviz's language."""
        from ._graph_picture import draw

        return draw(self, "dot", max_nodes)

    def _repr_svg_(self):
        return self.svg()

    def explain(self, workers=None, times=None):
        """What can be gained from workers: an `Explanation`, to be printed or asked.

        Parameters
        ----------
        workers:
            A number of workers, or several, to say what they can reach; by default 1, 2, 4 and so on.
        times:
            "measured": what the tasks took when they were last run; "declared": what `cost=` says. By default
            measured ones where all tasks have them, else declared ones. `ValueError` where there are neither.

        >>> import manyhands as mh
        >>> slow, quick = mh.task(abs, cost=3), mh.task(abs, cost=1)
        >>> (slow(1) + quick(1)).explain(workers=2).speedup
        1.3333333333333333
        """
        from ._graph_explain import explain

        return explain(self, workers, times)

    # ------------------------------------------------------------------------------ what a node is not

    def __bool__(self):
        raise TypeError(f"{self!r} has no truth value before it is computed: {_FIRST} (or put the choice into a task)")

    def __iter__(self):
        if self._task.nout is None:
            raise TypeError(
                f"nobody knows how long {self!r} will be: say @mh.task(nout=2) to take two values out of it"
            )
        return iter([self[place] for place in range(self._task.nout)])

    def __len__(self):
        if self._task.nout is None:
            raise TypeError(f"{self!r} has no length before it is computed: {_FIRST}")
        return self._task.nout

    def __contains__(self, value):
        raise TypeError(f"what is in {self!r} is not known before it is computed: {_FIRST}")

    def __index__(self):
        raise TypeError(f"{self!r} is no number before it is computed: {_FIRST}")

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self

    def __reduce__(self):
        from . import _graph_pickling

        return _graph_pickling.reduce(_plan([self]))

    def __repr__(self):
        return f"<node {_label(self)!r}>"

    # ------------------------------------------------------------------------------ what is put off

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(f"'Node' object has no attribute {name!r}")
        if name in _ELSEWHERE:
            raise AttributeError(f"a node has no {name}: {_ELSEWHERE[name]}")
        return _ATTRIBUTE(self, name)

    def __call__(self, /, *args, **kwargs):
        """A node for the call of this one's result; of an attribute, for the call of the method."""
        if self._task is _ATTRIBUTE:
            return _METHOD(*self._leaves, *args, **kwargs)
        return _CALL(self, *args, **kwargs)

    __hash__ = object.__hash__


_FIRST = "compute() it first"
_ATTRIBUTE = Task(getattr)
_METHOD = Task(_graph_calls.call_method)
_CALL = Task(_graph_calls.call)

_OPERATIONS = [_ATTRIBUTE, _METHOD, _CALL, *_graph_operators.give(Node, Task)]


def _label(node):
    """What a node is called in pictures and messages."""
    known, leaves = node._task, node._leaves
    if known is _ATTRIBUTE or known is _METHOD:
        return f".{leaves[1]}" + ("()" if known is _METHOD else "")
    if known.function is operator.getitem and node._shape is None and not isinstance(leaves[1], Node):
        from ._failures import brief

        return f"[{brief(leaves[1])}]"
    return known.name
