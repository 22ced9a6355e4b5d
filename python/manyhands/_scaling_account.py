"""Where the wall time of `mh.scale` went, and whether the memory has to do with it."""

import time

from . import _native

#: From this share of the wall time on in which workers compute longer than one does alone, the memory is asked about.
_SUSPECT = 0.05
#: Seconds of one run beside neighbours, at least.
_SAMPLE = 0.03
_NARROW, _LEAST, _MOST = 0.02, 6, 12


def of(way, base, arm, work, grown, budget):
    """(Shares with the most workers, what was found of the memory); both None where they cannot be told.

    `base` is the arm of one worker or the plain loop, whose work is done `grown` times by `arm`. A probe of the memory
    may take `budget` seconds.
    """
    runs = way.runs(arm, work, base, grown)
    made = lambda memory: _native.Account.together([run(memory=memory) for run in runs])
    try:
        account = made(None)
    except ValueError:
        # Clocks that do not agree, or more cores used than there are workers: such shares would be wrong.
        return None, None
    if account.slower < _SUSPECT:
        return account, None
    memory = _asked(way.alone(work, base), arm.workers, budget, base.clock)
    return (account if memory is None else made(memory)), memory


def _asked(call, workers, budget, processor):
    """What the call needs of the memory, where that surely limits so many of it; else None.

    What counts is what it computes (`processor` tells), so that other programs on the same cores make no difference,
    and what it waits for beside: not for a core.
    """
    together = min(workers, _native.cpu_count())
    if together < 2:
        return None
    clock = time.perf_counter
    began, (_, before) = clock(), processor()
    call()
    took, (_, after) = clock() - began, processor()
    waits = max(0.0, took - (after - before)) if after else 0.0
    if took * (_LEAST + 1) * 2 > budget:
        return None
    roof = _native.memory_roof()
    if len(roof) < 2:
        return None
    try:
        neighbours = _native.Neighbours(together - 1)
    except OSError:  # no room for arrays that no cache holds
        return None
    try:
        loops = range(max(1, round(_SAMPLE / took)) if took > 0 else 1000)
        sweep = _native.Sweep(2, clock(), budget=budget, narrow=_NARROW, least=_LEAST, most=_MOST)
        while True:
            what, which = sweep.turn()
            if what not in ("warm", "run"):
                break
            neighbours.work(("compute", "stream")[which])
            computed, _ = processor()
            for _ in loops:
                call()
            sweep.record(processor()[0] - computed + waits * len(loops), clock())
    finally:
        neighbours.close()
    if not sweep.whole:
        return None
    return _native.Memory.of(roof, together, sweep.samples(0), sweep.samples(1))
