"""`mh demo`: its two works give the right answers, and every input that is of no use gets a clear word."""

import os
import re
import sys
from collections import Counter

import pytest

import manyhands as mh
from manyhands import _demo_text as text, cli, demo

VERSE = "The cat, the dog; THE bird's nest — and the cat's tail.\n"


def write(folder, **texts):
    for name, content in texts.items():
        kind = content if isinstance(content, bytes) else content.encode()
        (folder / f"{name}.txt").write_bytes(kind)
    return str(folder)


def whole(path):
    return text.Text(str(path), os.path.getsize(path))


# The works


def test_words_are_runs_of_letters_in_lower_case(tmp_path):
    write(tmp_path, a="\ufeffDon't PANIC: 42 naïve_words, 'quoted'")
    assert text.words_of(whole(tmp_path / "a.txt")) == ["don't", "panic", "naïve", "words", "quoted"]


def test_python_sources_are_read_in_their_own_encoding(tmp_path):
    source = tmp_path / "a.py"
    source.write_bytes("# coding: latin-1\nnaïve = 1\n".encode("latin-1"))
    assert "naïve" in text.count_words(whole(source))


def test_counts_are_merged_and_ranked(tmp_path):
    write(tmp_path, a=VERSE, b="and and zebra")
    counts = [text.count_words(whole(tmp_path / name)) for name in ("a.txt", "b.txt")]
    total = text.merged(counts)
    assert total == Counter(the=4, cat=1, dog=1, nest=1, tail=1, zebra=1) + Counter({"and": 3, "bird's": 1, "cat's": 1})
    assert text.commonest(total, 4) == [("the", 4), ("and", 3), ("bird's", 1), ("cat", 1)]


def test_pairs_of_passages_are_those_of_the_uncut_text(tmp_path, monkeypatch):
    monkeypatch.setattr(text, "PASSAGE", 70)  # shorter than the lags: a pair may reach over several passages
    words = [("a", "b", "c")[(number * number) % 7 % 3] for number in range(533)]
    write(tmp_path, a=" ".join(words))
    cut = text.passages([whole(tmp_path / "a.txt")], most=10_000)
    assert sum(passage.length for passage in cut) == len(words)
    curves = text.autocorrelation([text.paired(passage, ["a", "c", "absent"]) for passage in cut])
    for word, curve in zip("ac", curves):
        for lag in (0, 1, 33, 99):
            pairs = sum(one == word and other == word for one, other in zip(words, words[lag:]))
            assert curve[lag] == pairs / words.count(word)
    assert curves[2] == [0.0] * text.LAGS


def test_passages_come_from_the_biggest_texts_until_enough(tmp_path, monkeypatch):
    monkeypatch.setattr(text, "PASSAGE", 100)
    write(tmp_path, small="s " * 50, big="b " * 250, middle="m " * 120)
    cut = text.passages([whole(path) for path in sorted(tmp_path.iterdir())], most=300)
    assert [(passage.words[0], passage.length) for passage in cut] == [("b", 100), ("b", 100), ("b", 50), ("m", 50)]


def test_gathering_stops_at_the_size_and_names_what_it_leaves_out(tmp_path):
    write(tmp_path, a="x" * 60, b=b"caf\xe9", d="", e="y" * 60, f="z")
    (tmp_path / "c.txt").symlink_to("nowhere")
    found = text.gather(text.books(str(tmp_path)), most=100)
    assert [used.characters for used in found.texts] == [60, 0, 40]
    assert [os.path.basename(path) for path, _ in found.left_out] == ["b.txt", "c.txt"]
    assert "byte 0xe9" in found.left_out[0][1] and "No such file" in found.left_out[1][1]
    assert found.beyond == 1


def test_the_standard_library_is_found_without_installed_packages():
    paths = text.standard_library()
    assert any(path.endswith("argparse.py") for path in paths)
    assert not any("site-packages" in path for path in paths)
    assert paths == sorted(paths)


# The whole demo


@pytest.fixture
def books(tmp_path):
    """A folder of three short texts and one that is not UTF-8, in folders."""
    folder = tmp_path / "books"
    (folder / "old").mkdir(parents=True)
    write(folder, first=VERSE * 200, second=VERSE * 100 + "a lonely word\n", latin=b"caf\xe9")
    write(folder / "old", third="another one " * 300)
    return str(folder)


def test_quick_demo_on_the_standard_library(tmp_path, capsys):
    assert cli.main(["demo", "--quick", "--output", str(tmp_path / "out")]) == 0
    out = capsys.readouterr().out
    tried = len(demo.worker_counts(mh.cpu_count()))
    assert out.count("same answer") == 2 * tried
    assert re.search(r"^ +1  self +[\d,]+ +\d+\.\d\d%", out, re.MULTILINE)
    for work in ("word count", "autocorrelation", "both"):
        assert re.search(rf"^  {work} +\d+\.\d\d +\d+\.\d\d +\d+\.\d\d +\d+%$", out, re.MULTILINE)
    assert "Every answer is the serial one." in out


def test_demo_on_books(books, tmp_path, capsys):
    output = tmp_path / "deep" / "out"
    assert cli.main(["demo", "--books", books, "--workers", "2", "--output", str(output)]) == 0
    out = capsys.readouterr().out
    assert "left out: latin.txt (not utf-8: byte 0xe9)" in out
    assert re.search(r"^ +1  the +1,200 ", out, re.MULTILINE)
    assert out.count("same answer") == 4


def test_picture_is_a_png(books, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    assert cli.main(["demo", "--books", books, "--workers", "1", "--output", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "demo.png").read_bytes().startswith(b"\x89PNG")
    assert "demo.png" in capsys.readouterr().out


def test_demo_without_matplotlib(books, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert cli.main(["demo", "--books", books, "--workers", "1", "--output", str(tmp_path)]) == 0
    assert "No picture: matplotlib is not installed" in capsys.readouterr().out


def test_demo_with_an_output_that_cannot_be_written(books, capsys):
    pytest.importorskip("matplotlib")
    blocked = os.path.join(books, "first.txt", "out")
    assert cli.main(["demo", "--books", books, "--workers", "1", "--output", blocked]) == 0
    said = capsys.readouterr().out
    assert "No picture" in said and "cannot be written (Not a directory)" in said


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ({}, "there is no .txt file in"),
        ({"latin": b"caf\xe9"}, "latin.txt: not utf-8: byte 0xe9"),
        ({"empty": ""}, "all are empty"),
        ({"numbers": "1 2 3 4"}, "there are no words in these texts"),
    ],
)
def test_folders_of_no_use_are_refused(texts, said, tmp_path, capsys):
    assert cli.main(["demo", "--books", write(tmp_path, **texts)]) == 1
    assert said in capsys.readouterr().err


def test_a_folder_that_is_not_there_and_one_that_is_a_file(tmp_path, capsys):
    assert cli.main(["demo", "--books", str(tmp_path / "nowhere")]) == 1
    assert "there is no folder" in capsys.readouterr().err
    write(tmp_path, book=VERSE)
    assert cli.main(["demo", "--books", str(tmp_path / "book.txt")]) == 1
    assert "is a file: --books takes the folder" in capsys.readouterr().err


def test_a_wrong_answer_is_not_passed_over(books, tmp_path, capsys, monkeypatch):
    def careless(function, items, **_):
        return [Counter() if index == 1 else function(item) for index, item in enumerate(items)]

    monkeypatch.setattr(mh, "map", careless)
    assert cli.main(["demo", "--books", books, "--output", str(tmp_path)]) == 1
    assert "word count with 1 worker differs from the plain loop at item 1" in capsys.readouterr().err


# What it says


def test_worker_counts_double_up_to_the_last():
    assert demo.worker_counts(1) == [1]
    assert demo.worker_counts(2) == [1, 2]
    assert demo.worker_counts(6) == [1, 2, 4, 6]
    assert demo.worker_counts(64) == [1, 2, 4, 8, 16, 32, 64]


@pytest.mark.parametrize(
    ("serial", "parallel", "workers", "cores", "said"),
    [
        (20.0, 5.0, 4, 4, "4.0 times as fast, 100% of the best possible"),
        (20.0, 11.0, 4, 2, "1.8 times as fast"),
        (0.02, 0.05, 2, 2, "50 milliseconds instead of 20 milliseconds: nothing was gained, as"),
        (9.0, 9.1, 2, 2, "nothing was gained. So much work does pay on cores of its own"),
        (9.0, 9.1, 1, 1, "nothing was gained, as there is one core to work on"),
    ],
)
def test_verdict(serial, parallel, workers, cores, said):
    sentence = demo.verdict(demo.Run("both", [], serial, {workers: parallel}), cores)
    assert said in sentence
    assert ("more workers than cores" in sentence) == (workers > cores)
