"""The command `mh`: what it prints, how it ends, and what it does not import."""

import re
import subprocess
import sys
from importlib import metadata

import pytest

import manyhands as mh
from manyhands import cli, demo


def command(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "manyhands.cli", *arguments], capture_output=True, text=True, timeout=120, **options
    )


def test_info_names_cores_limits_python_and_versions(capsys):
    assert cli.main(["info"]) == 0
    known = dict(re.split(r" {2,}", line.strip(), maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert known["cores"] == f"{mh.cpu_count()} to use ({mh.cpu_count(logical=False)} physical)"
    assert int(known["affinity"].split()[0]) >= mh.cpu_count()
    assert re.fullmatch(r"none|[\d.e+]+ cores", known["CPU quota"])
    assert re.fullmatch(r"none|[A-Z_]+=\d+", known["batch system"])
    assert re.fullmatch(r"\d+\.\d GiB available", known["memory"])
    assert re.match(r"([\d,]+|unlimited) allowed", known["open files"])
    assert known["Python"].startswith(".".join(map(str, sys.version_info[:3])))
    assert known["platform"].startswith("Linux")
    assert {"manyhands", "numpy", "tqdm", "joblib", "matplotlib"} <= set(known)


def test_info_imports_no_library_to_learn_its_version():
    heavy = {"numpy", "tqdm", "matplotlib", "cloudpickle", "llvmlite", "joblib"}
    program = f"import sys; from manyhands import cli; cli.main(['info']); print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert done.stdout.splitlines()[-1] == "set()", done.stderr


def test_info_reports_what_is_missing(monkeypatch, capsys):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    assert cli.main(["info"]) == 0
    assert re.search(r"^numpy +not installed$", capsys.readouterr().out, re.MULTILINE)


def test_info_is_quiet_when_its_reader_has_seen_enough():
    done = subprocess.run(
        f'"{sys.executable}" -m manyhands.cli info | true', shell=True, capture_output=True, text=True, timeout=120
    )
    assert done.stderr == ""


def test_version():
    done = command("--version")
    assert done.returncode == 0
    assert re.fullmatch(r"manyhands (\d+\.\d+\.\d+\S*|from sources, not installed)\n", done.stdout)


def test_the_command_is_installed_under_its_name():
    try:
        scripts = metadata.distribution("manyhands").entry_points
    except metadata.PackageNotFoundError:
        pytest.skip("manyhands runs from its sources here")
    assert [entry.value for entry in scripts if entry.name == "mh"] == ["manyhands.cli:main"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "COMMAND"),
        (["dance"], "dance"),
        (["demo", "--workers", "0"], "'0' is no number of workers: 1 or more"),
        (["demo", "--workers", "many"], "'many' is no number of workers: 1 or more"),
    ],
)
def test_wrong_use_ends_with_2_and_says_why(arguments, said):
    done = command(*arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_help_names_the_commands():
    done = command("--help")
    assert done.returncode == 0
    assert "info" in done.stdout and "demo" in done.stdout


def test_interrupt_ends_with_130(monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(demo, "run", interrupted)
    assert cli.main(["demo"]) == 130
    assert "stopped" in capsys.readouterr().err
