"""Every example in README.md and in docs/ does what it says, and every link leads somewhere."""

import re
import subprocess
import sys
from pathlib import Path

import page_program
import pytest

from programs import PATIENCE, environment

ROOT = Path(__file__).parents[2]
#: The pages whose blocks are run: each one program, in a fresh process.
TAUGHT = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("crates/**/*.md")])


@pytest.mark.parametrize("page", TAUGHT, ids=[str(page.relative_to(ROOT)) for page in TAUGHT])
def test_blocks_do_what_they_say(page, tmp_path):
    pytest.importorskip("numpy")
    program = Path(__file__).with_name("page_program.py")
    done = subprocess.run(
        [sys.executable, str(program), str(page)],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_readme_has_blocks():
    assert len(list(page_program.blocks((ROOT / "README.md").read_text(encoding="utf-8")))) > 5


def test_a_page_that_lies_is_found(tmp_path):
    page = tmp_path / "page.md"
    lies = (
        "```python\n>>> 1 + 1\n3\n```\n",
        "```python\nassert False\n```\n",
        "```python\nx = 1\n```\ntext\n```python\n>>> x\n2\n```\n",
    )
    for text in lies:
        page.write_text(text)
        assert subprocess.run([sys.executable, page_program.__file__, str(page)], capture_output=True).returncode == 1
    page.write_text("```python\nx = 1\n```\n```python no-run\nx = 2\n```\n```python\n>>> x\n1\n```\n")
    assert subprocess.run([sys.executable, page_program.__file__, str(page)], capture_output=True).returncode == 0


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if not re.match(r"[a-z]+:", target):
            assert (page.parent / target).exists(), target
