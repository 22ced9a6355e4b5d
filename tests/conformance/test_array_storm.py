"""Arrays of all sizes, written to, kept, dropped and handed back at random on both sides: each must hold what its owner put
there. Places in shared memory are used again all the time, and nothing of their past may show."""

import random

import pytest

np = pytest.importorskip("numpy")

ROUNDS = 60

kept_by_the_worker = []


def fresh(tag, length):
    """The array that goes by this tag: every element tells of it."""
    return np.arange(length, dtype=np.int64) + tag * 10_000_019


def visit(tag, array, seed):
    """What an item does: look, write somewhere, keep or let go, give something back. Names what is wrong, if anything is."""
    if not np.array_equal(array, fresh(tag, len(array))):
        wrong = np.flatnonzero(array != fresh(tag, len(array)))
        return f"array {tag} arrived with {len(wrong)} wrong elements from {wrong[0]} on", None
    for kept_tag, kept in kept_by_the_worker:
        if not np.array_equal(kept[1:], fresh(kept_tag, len(kept))[1:]) or kept[0] != -1:
            return f"array {kept_tag}, kept by the worker, has changed", None
    dice = random.Random(seed)
    what = dice.choice(["same", "part", "new", "nothing", "keep"])
    if what == "keep":
        array[0] = -1
        kept_by_the_worker.append((tag, array))
        del kept_by_the_worker[: max(0, len(kept_by_the_worker) - 3)]
        return "", None
    if what == "same":
        return "", (tag, 0, array)
    if what == "part":
        start = dice.randrange(len(array))
        return "", (tag, start, array[start:])
    array[dice.randrange(len(array)) :] = -7
    if what == "new":
        return "", (tag + 1, 0, fresh(tag + 1, dice.randrange(1, 200_000)))
    return "", None


def is_as_made(tag, start, array):
    return np.array_equal(array, fresh(tag, start + len(array))[start:])


@pytest.mark.parametrize("seed", range(4))
def test_every_array_holds_what_was_put_there(parallel, seed):
    dice = random.Random(seed)
    kept = []
    for round in range(ROUNDS):
        lengths = [int(10 ** dice.uniform(2, 5.6)) for _ in range(dice.randrange(1, 7))]
        items = [(round * 100 + n, fresh(round * 100 + n, length), dice.random()) for n, length in enumerate(lengths)]
        for problem, given in parallel.starmap(visit, items):
            assert not problem, f"round {round}: {problem}"
            if given is not None:
                tag, start, array = given
                assert is_as_made(tag, start, array), f"round {round}: result {tag} came back changed"
                if dice.random() < 0.3:
                    kept.append(given)
                elif dice.random() < 0.5:
                    array[:] = -9
        assert all(is_as_made(tag, 0, array) for tag, array, _ in items), f"round {round}: an argument has changed here"
        for tag, start, array in kept:
            assert is_as_made(tag, start, array), f"round {round}: result {tag}, kept here, has changed"
        dice.shuffle(kept)
        del kept[10:]
