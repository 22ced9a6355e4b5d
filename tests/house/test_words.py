"""What is in the project means something to every reader: no paths of one machine, no addresses of private places."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUILT = re.compile(r"^(target|build|demo-output|\.[^/]*|.*/__pycache__|.*\.so)(/|$)")
KINDS = {".md", ".py", ".pyi", ".rs", ".toml", ".txt", ".lock", ".sh", ".svg", ""}


def sources():
    """Every text file that is written by hand, with Cargo.lock."""
    for path in sorted(ROOT.rglob("*")):
        name = str(path.relative_to(ROOT))
        if path.is_file() and path.suffix in KINDS and (name.startswith(".ci/") or not BUILT.match(name)):
            yield name, path.read_text(encoding="utf-8")


SOURCES = dict(sources())

#: Each with why it may not be there.
FORBIDDEN = {
    r"/(?:root|work|home|mnt|Users)/[A-Za-z.]": "a path of one machine",
    r"https?://(?:localhost|127\.|10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.)": "an address within one network",
    r"(?:index-url|find-links|trusted-host)": "where packages come from is the reader's affair",
    r"(?m)^registry\s*=\s*\"": "where crates come from is the reader's affair",
}


@pytest.mark.parametrize("pattern", FORBIDDEN, ids=list(FORBIDDEN.values()))
def test_no_private_places(pattern):
    own = str(Path(__file__).relative_to(ROOT))
    found = [name for name, text in SOURCES.items() if name != own and re.search(pattern, text)]
    assert not found, FORBIDDEN[pattern]


def test_crates_come_from_the_public_registry():
    origins = set(re.findall(r'^source = "([^"]+)"', SOURCES["Cargo.lock"], flags=re.MULTILINE))
    assert origins == {"registry+https://github.com/rust-lang/crates.io-index"}


def test_versions_are_pinned_without_addresses():
    for line in SOURCES["constraints.txt"].splitlines():
        assert re.fullmatch(r"#.*|[a-z0-9-]+==[0-9.]+(; python_version [<>]=? \"3\.\d+\")?", line), line


def test_long_files_say_why():
    for name, text in SOURCES.items():
        lines = text.splitlines()
        if name.endswith((".py", ".rs")) and len(lines) > 800:
            assert re.search(r"\blong\b|\blines\b|one file", "\n".join(lines[:30])), f"{name} has {len(lines)} lines"
