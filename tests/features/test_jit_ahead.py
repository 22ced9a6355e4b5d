"""Ahead of time: `mh compile`, and a package that was built with it where no compiler is."""

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

import manyhands
import manyhands as mh
from manyhands import cli
from manyhands._jit_signatures import fits, read
from programs import PATIENCE, environment

np = pytest.importorskip("numpy")
pytest.importorskip("llvmlite")

EXAMPLE = Path(__file__).parents[2] / "examples" / "compiled_package"

CHECK = """
import warnings
from importlib.util import find_spec

import numpy as np

assert find_spec("llvmlite") is None
warnings.simplefilter("error")
import integrals

samples = np.linspace(0, 1, 1001) ** 2
print(integrals.trapezoid(samples, 0.001), integrals.trapezoid(samples[::2], 0.002))
print(integrals.gauss(0.0, 1.0, 1000), integrals.gauss(0, 1, 1000))
print(integrals.trapezoid.signatures, integrals.gauss.signatures)
"""


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """The interpreter of an environment with the example package, manyhands and NumPy, and nothing else."""
    folder = tmp_path_factory.mktemp("bare")
    shutil.copytree(EXAMPLE, folder / "source", ignore=shutil.ignore_patterns("__pycache__", "__mhcompiled__"))
    venv.create(folder / "env", with_pip=False, symlinks=True)
    site = next((folder / "env" / "lib").glob("python*/site-packages"))
    for module in (np, manyhands):
        package = Path(module.__file__).parent
        (site / package.name).symlink_to(package)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            (site / libraries.name).symlink_to(libraries)
    asked = "install --quiet --disable-pip-version-check --no-deps --no-index --no-build-isolation --target".split()
    command = [sys.executable, "-m", "pip", *asked, str(site), str(folder / "source")]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert list((site / "integrals" / "__mhcompiled__").iterdir())
    return folder / "env" / "bin" / "python", site


def run(python, text, **changes):
    env = environment(**{**changes, "PYTHONPATH": None})
    done = subprocess.run([python, "-c", text], env=env, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_package_runs_where_no_compiler_is(bare):
    first, second, third = run(bare[0], CHECK).splitlines()
    third_of_one = [float(value) for value in first.split()]
    assert third_of_one == pytest.approx([1 / 3, 1 / 3], abs=1e-6)
    areas = [float(value) for value in second.split()]
    assert areas == pytest.approx([0.746824, 0.746824], abs=1e-6)
    assert third == (
        "['(array(float64, 1d, C), float)', '(array(float64, 1d, any), float)'] ['(float, float, int)', '(int, int, int)']"
    )


def test_other_types_run_as_plain_python_with_a_word(bare):
    text = """
import warnings, integrals
for _ in range(2):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        value = integrals.gauss(count=10, start=0, stop=1.0)
    print(value == integrals.gauss.py_func(0, 1.0, 10), [f"{one.category.__name__}: {one.message}" for one in said])
"""
    first, second = run(bare[0], text).splitlines()
    assert first == (
        "True ['CompileWarning: gauss(int, float, int) was not compiled ahead of time for this machine, and llvmlite is not "
        "there to do it now: it runs as plain Python']"
    )
    assert second == "True []"


def test_numbers_of_numpys_are_numbers_too(bare):
    text = """
import warnings
warnings.simplefilter("error")
import numpy as np, integrals
x = np.linspace(0.0, 1.0, 101)
print(round(integrals.trapezoid(x, x[1] - x[0]), 9), type(integrals.trapezoid(x, x[1])).__name__)
print(round(integrals.gauss(np.float64(0), np.float64(1), 1000), 6), round(integrals.gauss(*np.array([0, 1, 1000])), 6))
"""
    assert run(bare[0], text) == "0.5 float64\n0.746824 0.746824\n"


def test_a_function_without_a_signature_runs_as_plain_python_there(bare, tmp_path):
    shutil.copytree(bare[1] / "integrals", tmp_path / "integrals")
    with open(tmp_path / "integrals" / "rules.py", "a") as rules:
        rules.write("\n\n@mh.jit\ndef twice(x):\n    return 2 * x\n")
    text = f"""
import sys, warnings
sys.path.insert(0, {str(tmp_path)!r})
from integrals import rules
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    print(rules.twice(4), rules.twice(5), len(said), said[0].category.__name__)
"""
    assert run(bare[0], text) == "8 10 1 CompileWarning\n"


def test_errors_are_told_where_the_package_is(bare):
    text = """
import integrals
try:
    integrals.gauss(0.0, 1.0, 0)
except ZeroDivisionError as error:
    import traceback
    print("".join(traceback.format_exception(type(error), error, error.__traceback__)))
"""
    assert str(bare[1] / "integrals" / "rules.py") in run(bare[0], text)


def test_objects_of_another_source_are_not_used(bare, tmp_path):
    shutil.copytree(bare[1] / "integrals", tmp_path / "integrals")
    rules = tmp_path / "integrals" / "rules.py"
    rules.write_text(rules.read_text().replace("math.exp(-x * x)", "math.exp(-x * x) + 1"))
    text = f"""
import sys, warnings
sys.path.insert(0, {str(tmp_path)!r})
import integrals
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    print(integrals.gauss(0.0, 1.0, 1000), len(said))
"""
    value, said = run(bare[0], text).split()
    assert (float(value), said) == (pytest.approx(1.746824, abs=1e-6), "1")


def test_objects_are_used_where_a_compiler_is_too(bare):
    text = f"""
import sys
sys.path.append({str(bare[1])!r})
import integrals
integrals.gauss(0.0, 1.0, 10)
print("libllvmlite" in open("/proc/self/maps").read())
integrals.gauss(0, 1.0, 10)
print("libllvmlite" in open("/proc/self/maps").read())
"""
    done = subprocess.run(
        [sys.executable, "-c", text],
        env=environment(MANYHANDS_CACHE_DIR=str(bare[1].parent / "cache")),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.stdout.split() == ["False", "True"], done.stderr


@pytest.mark.parametrize(
    "text, arguments, said",
    [
        ("import manyhands as mh\n@mh.jit\ndef f(x):\n    return x\n", [], "has no function that declares a signature"),
        (
            "import manyhands as mh\n@mh.jit('i8(f8)')\ndef f(x):\n    return x\n",
            [],
            "is not what f returns: that is float",
        ),
        (
            "import manyhands as mh\n@mh.jit('f8(f8)')\ndef f(x):\n    return x\n",
            ["--target", "armv8"],
            "armv8 is no target",
        ),
        ("import manyhands as mh\n@mh.jit('f8(f8)')\ndef f(x):\n    return {x}\n", [], "f, f8(f8): "),
    ],
)
def test_what_cannot_be_compiled_is_told(tmp_path, capsys, monkeypatch, text, arguments, said):
    module = tmp_path / f"ahead_{abs(hash(text))}.py"
    module.write_text(text)
    monkeypatch.setattr(sys, "path", list(sys.path))
    assert cli.main(["compile", str(module), *arguments]) == 1
    assert said in capsys.readouterr().err
    assert not [file for file in tmp_path.glob("__mhcompiled__/*/*") if os.path.getsize(file)]


def test_the_notation():
    float64, int64 = ("float64",), ("int64",)
    assert read("f8(f8[:], i8)") == ((("float64", 1, "any"), int64), float64)
    assert read("void(float32[:, ::1], uint8[::1, :])") == ((("float32", 2, "C"), ("uint8", 2, "F")), None)
    assert read("(f8, i8)") == ((float64, int64), "unknown")
    assert read("(f8)") == ((float64,), "unknown")
    assert read("f8[:](b1, c16)") == ((("bool",), ("complex128",)), ("float64", 1, "any"))
    assert read("Tuple((f8, i8))(UniTuple(f8, 2), none)") == (
        (("tuple", (float64, float64)), None),
        ("tuple", (float64, int64)),
    )
    assert read("nb.float64(types.intp)") == ((int64,), float64)
    assert read("()") == ((), "unknown")
    for wrong in ("f8", "f9(f8)", "f8(f8[1:])", "f8(f8[:, ::1, :])", "f8(", "f8(x=f8)", "f8(f8[::2])", "f8(3)"):
        with pytest.raises(TypeError, match="is no signature"):
            read(wrong)
    assert fits(float64, "float") and fits(float64, "np.float64") and not fits(float64, "int")
    assert fits(None, "None") and not fits(None, "int") and fits("unknown", "int")
    assert fits(("float64", 1, "any"), "array(float64, 1d, C)") and not fits(("float64", 1, "any"), "float")


def test_signatures_are_read_when_the_function_is_made():
    with pytest.raises(TypeError, match="for 2 parameters; .*<lambda> has 1"):
        mh.jit("f8(f8, f8)")(lambda x: x)
    with pytest.raises(TypeError, match="q8 is no type"):
        mh.jit("q8(f8)")
    for forms in ("i8(i8)", ["i8(i8)", "f8(f8)"], ("i8(i8)",)):
        made = mh.jit(forms)(lambda x: x + 1)
        assert (made(1), made(1.5), made(2j)) == (2, 2.5, 1 + 2j)
