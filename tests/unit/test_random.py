"""Random streams of items: fixed by (seed, index) alone, and no trace of them outside."""

import os
import random
import subprocess
import sys
import textwrap
import threading

import pytest

from manyhands import _random
from manyhands._random import begin_item, preserved, rng, words_of

numpy = pytest.importorskip("numpy")

PACKAGES = os.path.dirname(os.path.dirname(_random.__file__))
WORDS = (0x0123456789ABCDEF, 1, 2**64 - 1, 0)
OTHER = (0x0123456789ABCDEF, 1, 2**64 - 1, 1)


@pytest.fixture(autouse=True)
def no_item_left():
    yield
    begin_item(None)


def draw():
    return random.random(), random.gauss(0, 1), numpy.random.random(), numpy.random.normal(), rng().random()


# ------------------------------------------------------------------------------------------------------------ seeds


@pytest.mark.parametrize(
    ("seed", "words"),
    [
        (0, (0,)),
        (7, (7,)),
        (2**64 - 1, (2**64 - 1,)),
        (2**64, (0, 1)),
        (2**200 + 5, (5, 0, 0, 2**8)),
        (numpy.uint64(2**63), (2**63,)),
        (numpy.int8(3), (3,)),
    ],
)
def test_words_of_seeds(seed, words):
    assert words_of(seed) == words and all(type(word) is int for word in words_of(seed))


@pytest.mark.parametrize("seed", [1.0, "1", None, True, [1, 2], numpy.array([1]), numpy.float64(1), object])
def test_what_is_no_whole_number_is_refused(seed):
    with pytest.raises(TypeError, match="seed must be a whole number"):
        words_of(seed)


@pytest.mark.parametrize("seed", [-1, numpy.int64(-5), -(10**100)])
def test_negative_seeds_are_refused(seed):
    with pytest.raises(ValueError, match="seed must not be negative: -"):
        words_of(seed)


# ------------------------------------------------------------------------------------------------------------ items


def test_same_words_same_numbers_other_words_others():
    begin_item(WORDS)
    first = draw()
    begin_item(OTHER)
    second = draw()
    begin_item(WORDS)
    assert draw() == first
    assert not set(first) & set(second)


def test_streams_of_one_item_differ_from_each_other():
    begin_item(WORDS)
    assert len({random.random(), numpy.random.random(), rng().random()}) == 3


def test_known_numbers_so_that_results_stay_the_same_between_versions():
    begin_item(WORDS)
    key = [0x89ABCDEF, 0x01234567, 1, 0, 0xFFFFFFFF, 0xFFFFFFFF, 0, 0]
    assert random.random() == random.Random(sum(half << 32 * place for place, half in enumerate([*key, 1]))).random()
    assert numpy.random.random() == numpy.random.RandomState(key).random()
    bits = numpy.random.PCG64DXSM(numpy.random.SeedSequence(numpy.array(key, dtype=numpy.uint32)))
    assert rng().random() == numpy.random.Generator(bits).random()


def test_one_generator_during_an_item():
    begin_item(WORDS)
    one = rng()
    assert rng() is one
    begin_item(WORDS)
    assert rng() is not one


def test_items_without_seed_get_the_process_own_streams_back():
    random.seed(1), numpy.random.seed(1)
    expected = random.random(), numpy.random.random(), random.random(), numpy.random.random()
    random.seed(1), numpy.random.seed(1)
    first = random.random(), numpy.random.random()
    for words in WORDS, OTHER, WORDS:
        begin_item(words)
        draw()
    begin_item(None)
    assert (*first, random.random(), numpy.random.random()) == expected


def test_unseeded_generators_differ_between_threads_and_from_seeded_ones():
    begin_item(None)
    mine = rng()
    assert rng() is mine
    begin_item(WORDS)
    assert rng() is not mine
    begin_item(None)
    assert rng() is mine
    theirs = []
    thread = threading.Thread(target=lambda: theirs.append(rng()))
    thread.start()
    thread.join()
    assert theirs[0] is not mine and theirs[0].random() != mine.random()


def test_exchanged_bit_generator_is_no_error():
    if not hasattr(numpy.random, "set_bit_generator"):
        pytest.skip("this NumPy cannot exchange it")
    before = numpy.random.get_bit_generator()
    numpy.random.set_bit_generator(numpy.random.PCG64(1))
    try:
        begin_item(WORDS)
        begin_item(None)
    finally:
        numpy.random.set_bit_generator(before)


# ------------------------------------------------------------------------------------------------------- preserved


def test_preserved_leaves_the_callers_streams_alone():
    random.seed(3), numpy.random.seed(3)
    expected = random.gauss(0, 1), random.gauss(0, 1), numpy.random.normal(), numpy.random.normal()
    random.seed(3), numpy.random.seed(3)
    first, third = random.gauss(0, 1), numpy.random.normal()
    with pytest.raises(KeyError), preserved():
        begin_item(WORDS)
        draw()
        raise KeyError
    assert (first, random.gauss(0, 1), third, numpy.random.normal()) == expected
    assert _random._own is None and _random._item.words is None


def test_preserved_inside_an_item_returns_to_the_item():
    begin_item(WORDS)
    expected = draw(), draw()
    begin_item(WORDS)
    first, generator = draw(), rng()
    with preserved():
        begin_item(OTHER)
        draw()
    assert (first, draw()) == expected and rng() is generator
    begin_item(None)
    assert _random._own is None


# ------------------------------------------------------------------------------------- modules imported by the item


def fresh(code):
    """Run `code` in an interpreter that has not imported random or NumPy; return what it printed."""
    head = f"import sys; sys.path.insert(0, {PACKAGES!r})\nfrom manyhands import _random\nWORDS = {WORDS}\n"
    done = subprocess.run(
        [sys.executable, "-c", head + textwrap.dedent(code)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.fixture
def expected():
    begin_item(WORDS)
    numbers = repr(random.random()), repr(float(numpy.random.random()))
    begin_item(None)
    return list(numbers)


def test_module_that_the_item_imports_is_seeded(expected):
    assert (
        fresh("""
        for name in "random", "numpy.random", "numpy":  # whatever a start of the interpreter brought along
            assert name not in sys.modules or name == "random"
        sys.modules.pop("random", None)
        _random.begin_item(WORDS)
        import random
        import numpy.random
        print(random.random(), float(numpy.random.random()))
        assert _random._import_hook not in sys.meta_path
        _random.begin_item(None)
        assert random.random() != numpy.random.random()
    """)
        == expected
    )


def test_numpy_imported_first_and_by_its_short_name(expected):
    assert (
        fresh("""
        sys.modules.pop("random", None)
        _random.begin_item(WORDS)
        assert "numpy" not in sys.modules
        def item():
            import numpy as np
            second = float(np.random.random())
            import random
            print(random.random(), second)
        item()
    """)
        == expected
    )


def test_import_between_maps_is_not_seeded(expected):
    numbers = fresh("""
        sys.modules.pop("random", None)
        _random.begin_item(WORDS)
        assert _random._import_hook in sys.meta_path
        _random.begin_item(None)
        assert _random._import_hook not in sys.meta_path
        import random, numpy.random
        print(random.random(), float(numpy.random.random()))
    """)
    assert numbers[0] != expected[0] and numbers[1] != expected[1]


def test_modules_imported_by_a_seeded_item_start_from_entropy_afterwards():
    code = """
        sys.modules.pop("random", None)
        _random.begin_item(WORDS)
        import random, numpy.random
        _random.begin_item(None)
        print(random.random(), float(numpy.random.random()))
    """
    one, two = fresh(code), fresh(code)
    assert one[0] != two[0] and one[1] != two[1]


def test_loaders_are_as_before():
    fresh("""
        sys.modules.pop("random", None)
        _random.begin_item(WORDS)
        import random, inspect
        assert "exec_module" not in vars(random.__spec__.loader)
        assert inspect.getsource(random)
    """)


def test_without_numpy_the_generator_is_an_import_error():
    fresh("""
        sys.modules["numpy"] = None
        _random.begin_item(WORDS)
        try:
            _random.rng()
        except ImportError as error:
            assert "rng() gives a NumPy Generator" in str(error)
        else:
            raise AssertionError
    """)


def test_forked_child_does_not_repeat_its_parents_generator():
    one, two = fresh("""
        import os
        _random.rng()
        if not os.fork():
            print(_random.rng().random(), flush=True)
            os._exit(0)
        os.wait()
        print(_random.rng().random())
    """)
    assert one != two
