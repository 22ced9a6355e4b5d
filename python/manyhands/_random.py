"""`seed=`: every item draws its random numbers from a stream of its own, whatever worker runs it and in what order.

The engine derives four 64-bit words from (seed, index). Here they become the state of `random` and of `numpy.random`
while the item runs, and of the `Generator` that `mh.rng()` gives. A module that the item is the first to import is
seeded as soon as it is loaded; NumPy itself is never imported for it. What the process's own streams were is kept aside
and put back before the first item without a seed, so a seeded map leaves no trace in a worker, nor, by `preserved`, in
the caller.

The three streams of an item differ: `random` and `numpy.random` both run a Mersenne Twister filled by `init_by_array`,
so with equal keys they would give equal numbers; the key of `random` is one word longer. `rng()` hashes the words by
NumPy's `SeedSequence` into PCG64DXSM, which NumPy recommends for many streams side by side.
"""

import os
import sys
from _thread import _local, allocate_lock

_WORD = (1 << 64) - 1
_HALF = (1 << 32) - 1


def words_of(seed) -> tuple[int, ...]:
    """Return the 64-bit words of a seed, lowest first. Takes whole numbers from 0 on, of any size, NumPy's included."""
    kind = type(seed)
    if isinstance(seed, bool) or not hasattr(kind, "__index__") or getattr(seed, "shape", ()) != ():
        raise TypeError(f"seed must be a whole number (0, 1, 2, ...) or None, not {kind.__name__}: {_brief(seed)}")
    number = kind.__index__(seed)
    if number < 0:
        raise ValueError(f"seed must not be negative: {_brief(number)}")
    words = [number & _WORD]
    while number := number >> 64:
        words.append(number & _WORD)
    return tuple(words)


def _brief(value):
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


# ------------------------------------------------------------------------------------------------- around each item


class _Item(_local):
    """What `rng` needs to know, for each thread its own: an item runs in one thread."""

    words = None  # the item's four words; None for an item without a seed, and between maps
    generator = None  # what rng() gave to this item
    unseeded = None  # what rng() gives where there is no seed
    kernels = None  # [words, calls so far]: the stream of compiled functions, once one has drawn from the item's


_item = _Item()

#: The process's own streams while seeded items run, as `_save` gives them; None while they are in place.
_own = None


def begin_item(words) -> None:
    """Start an item's streams from its four 64-bit words, or with None make sure that the process's own are in place.

    None is for what a worker is sent. A map without a seed that runs inside of an item, or in the caller's process,
    says nothing here: its items go on with the streams that they find.
    """
    global _own
    item = _item
    if words is None:
        if item.words is not None or _own is not None:
            item.words = item.generator = item.kernels = None
            own, _own = _own, None
            _import_hook.remove()
            if own is not None:
                _restore(own)
        return
    if _own is None:
        _own = _save()
    item.words = words
    item.generator = item.kernels = None
    modules = sys.modules
    random, numpy_random = modules.get("random"), modules.get("numpy.random")
    if random is not None:
        _seed_random(random, words)
    if numpy_random is not None:
        _seed_numpy(numpy_random, words)
    if random is None or numpy_random is None:
        _import_hook.insert()


def rng():
    """The current item's `numpy.random.Generator`: the same object during the item, a stream of its own with `seed=`.

    Without a seed, and outside of items, each thread of each process has one that starts from the system's entropy.
    """
    item = _item
    generator = item.generator or (item.unseeded if item.words is None else None)
    if generator is None:
        try:
            from numpy import array, random, uint32
        except ImportError as error:
            raise ImportError("rng() gives a NumPy Generator, but NumPy cannot be imported here") from error
        entropy = None if item.words is None else array(_halves(item.words), dtype=uint32)
        generator = random.Generator(random.PCG64DXSM(random.SeedSequence(entropy)))
        if item.words is None:
            item.unseeded = generator
        else:
            item.generator = generator
    return generator


class preserved:
    """Context in which items may be seeded without changing the caller's streams: for maps that run in its process.

    The state of `random`, `numpy.random` and of an item around this one is the same after it as before.
    """

    def __enter__(self):
        global _own
        self._before = _item.words, _item.generator, _item.kernels, _own
        self._streams = _own = _save()
        return self

    def __exit__(self, *_):
        global _own
        _item.words, _item.generator, _item.kernels, _own = self._before
        if _item.words is None:
            _import_hook.remove()
        _restore(self._streams)


def call_with_stream(words, function, args):
    """`function(*args)` with a stream of its own for `rng()`, in this thread only; other generators stay."""
    item = _item
    before = item.words, item.generator, item.kernels
    item.words, item.generator, item.kernels = words, None, None
    try:
        return function(*args)
    finally:
        item.words, item.generator, item.kernels = before


# ------------------------------------------------------------------------------------------- compiled functions

#: [words, calls so far] outside of items; the words come from the system until `seed_kernels` says others.
_kernels = None
_kernels_seeded = False
_kernels_lock = allocate_lock()


def seed_kernels(words) -> None:
    """Start the stream of compiled functions: that of a seeded item which runs in this thread, else the common one."""
    global _kernels, _kernels_seeded
    if _item.words is not None:
        _item.kernels = [words, 0]
    else:
        with _kernels_lock:
            _kernels, _kernels_seeded = [words, 0], True


def kernel_call():
    """(words, number) of which a compiled function's call makes its key: no two calls get the same."""
    global _kernels
    item = _item
    if item.words is not None:
        state = item.kernels
        if state is None:
            state = item.kernels = [item.words, 0]
        state[1] += 1
        return state[0], state[1]
    with _kernels_lock:
        if _kernels is None:
            _kernels = [tuple(memoryview(os.urandom(32)).cast("Q")), 0]
        _kernels[1] += 1
        return _kernels[0], _kernels[1]


# --------------------------------------------------------------------------------------------- the modules' streams


def _halves(words):
    """The words as eight numbers of 32 bits, lowest first: the unit in which NumPy takes seeds."""
    return [half for word in words for half in (word & _HALF, word >> 32)]


def _seed_random(module, words):
    # Absent while another thread is importing it, and from a random.py of the user's.
    seed = getattr(module, "seed", None)
    if seed is not None:
        a, b, c, d = words
        seed(a | b << 64 | c << 128 | d << 192 | 1 << 256)


def _seed_numpy(module, words):
    seed = getattr(module, "seed", None)
    if seed is not None:
        try:
            seed(_halves(words))
        except TypeError:
            pass  # the program put another bit generator under numpy.random, which cannot be seeded anew


_SEED = {"random": _seed_random, "numpy.random": _seed_numpy}


def _save():
    """The states of the modules' streams, None for a module that is not imported."""
    random, numpy_random = sys.modules.get("random"), sys.modules.get("numpy.random")
    return (
        random.getstate() if hasattr(random, "getstate") else None,
        numpy_random.get_state(legacy=False) if hasattr(numpy_random, "get_state") else None,
    )


def _restore(states):
    """Put back what `_save` gave. A module that was imported since then starts as it would have: from entropy."""
    random, numpy_random = sys.modules.get("random"), sys.modules.get("numpy.random")
    random_state, numpy_state = states
    if random_state is not None:
        random.setstate(random_state)
    elif hasattr(random, "seed"):
        random.seed()
    try:
        if numpy_state is not None:
            numpy_random.set_state(numpy_state)
        elif hasattr(numpy_random, "seed"):
            numpy_random.seed()
    except (TypeError, ValueError):
        pass  # an item exchanged the bit generator: there is no stream left that the state would fit


# ---------------------------------------------------------------------------------- modules that an item imports


class _ImportHook:
    """A finder that finds nothing of its own: it lets the others find `random` and `numpy.random`, and has each seeded
    once it is loaded. In `sys.meta_path` only while an item with a seed may still import one of them."""

    def __init__(self):
        self._inserted = False

    def insert(self):
        if not self._inserted:
            self._inserted = True
            sys.meta_path.insert(0, self)

    def remove(self):
        if self._inserted:
            self._inserted = False
            try:
                sys.meta_path.remove(self)
            except ValueError:
                pass  # the user's code put a meta_path of its own in place

    def find_spec(self, name, path=None, target=None):
        seed = _SEED.get(name)
        if seed is None:
            return None
        for finder in list(sys.meta_path):
            find_spec = None if finder is self else getattr(finder, "find_spec", None)
            spec = find_spec and find_spec(name, path, target)
            if spec is not None:
                self._seed_after(spec.loader, seed)
                return spec
        return None

    def _seed_after(self, loader, seed):
        # The loader belongs to this one import, so its own method can be covered without anyone else seeing it; a
        # loader that is a class is shared by all imports (frozen modules), and neither module is loaded by such a one.
        if loader is None or isinstance(loader, type):
            return

        def exec_module(module):
            del loader.exec_module
            loader.exec_module(module)
            if _item.words is not None:
                seed(module, _item.words)
            if all(name in sys.modules for name in _SEED):
                self.remove()

        loader.exec_module = exec_module


_import_hook = _ImportHook()


def _forget_unseeded():
    """In a forked child: the parent goes on with its generators, so the child needs others."""
    global _kernels, _kernels_lock
    _item.unseeded = None
    _kernels_lock = allocate_lock()
    if not _kernels_seeded:
        _kernels = None


os.register_at_fork(after_in_child=_forget_unseeded)
