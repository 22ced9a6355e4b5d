"""ARCHITECTURE.md tells the truth: its list of files, and the allowed edges between crates."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")

#: Which siblings a crate may depend on.
EDGES = {
    "mh-compile": set(),
    "mh-draw": set(),
    "mh-engine": set(),
    "mh-scale": set(),
    "mh-store": set(),
    "mh-trace": set(),
    "mh-runtime": {"mh-engine", "mh-store", "mh-trace"},
    "mh-python": {"mh-compile", "mh-draw", "mh-engine", "mh-store", "mh-runtime", "mh-scale", "mh-trace"},
}
CRATES = sorted(folder.name for folder in (ROOT / "crates").iterdir() if (folder / "Cargo.toml").exists())


def listed(folder):
    """The names in the first column of the codemap's table for `folder`."""
    section = re.search(rf"^### `{re.escape(folder)}`\n(.*?)(?=^### |\Z)", TEXT, flags=re.MULTILINE | re.DOTALL)
    assert section, f"ARCHITECTURE.md has no section on {folder}"
    cells = re.findall(r"^\|([^|]*)\|", section[1], flags=re.MULTILINE)
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]


@pytest.mark.parametrize("crate", CRATES)
def test_codemap_of_a_crate(crate):
    folder = ROOT / "crates" / crate
    there = {str(path.relative_to(folder)) for path in folder.glob("src/**/*.rs") if path.name != "tests.rs"}
    assert set(listed(f"crates/{crate}")) == there


def test_codemap_of_the_package():
    folder = ROOT / "python" / "manyhands"
    assert set(listed("python/manyhands")) == {path.name for path in folder.glob("*.py")}
    stubs = re.search(r"^Types: (.*)$", TEXT, flags=re.MULTILINE)
    assert set(re.findall(r"`([^`]+)`", stubs[1])) == {path.name for path in folder.glob("*.pyi")}


def test_codemap_of_what_is_around():
    section = TEXT.partition("### Around it\n")[2]
    named = set(re.findall(r"^\| `([^`]+)` \|", section, flags=re.MULTILINE))
    assert all((ROOT / name).is_dir() for name in named)
    tests = {f"tests/{path.name}" for path in (ROOT / "tests").iterdir() if any(path.glob("*.py"))}
    assert {name for name in named if name.startswith("tests/")} == tests


@pytest.mark.parametrize("crate", CRATES)
def test_edges_between_crates(crate):
    manifest = (ROOT / "crates" / crate / "Cargo.toml").read_text()
    # `mh-store = ...`, `mh-store.workspace = true` and `[dependencies.mh-store]`, for tests and builds too.
    named = set(re.findall(r"^\s*(?:\[[\w.-]*dependencies\.)?(mh-[a-z]+)\b", manifest, flags=re.MULTILINE))
    assert named <= EDGES[crate]
    # Nothing enters by a path that this test would not see.
    assert "path" not in re.findall(r"^\s*\w[\w-]*\s*=\s*\{.*?\b(path)\b", manifest, flags=re.MULTILINE)


def test_unsafe_code_is_where_it_may_be():
    allowed = re.compile(
        r"^crates/(mh-store/|mh-python/src/ffi(\.rs|/)|mh-compile/benches/|mh-compile/src/(abi\.rs|llvm\.rs|(call|loader|threads)(\.rs|/)))"
    )
    for path in ROOT.glob("crates/**/*.rs"):
        name = str(path.relative_to(ROOT))
        code = re.sub(r"//.*", "", path.read_text(encoding="utf-8"))
        if not allowed.match(name):
            # `__getbuffer__` and its like are declared unsafe by the interpreter's own interface, in ffi.rs too.
            assert not re.search(r"\bunsafe\b(?!_)", code), name
            assert "allow(unsafe_code)" not in code, name
