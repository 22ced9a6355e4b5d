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


SLEEPER = """import sys, time
workers, size = int(sys.argv[1]), int(sys.argv[2])
time.sleep(1e-3 * size * (0.2 + 0.8 / workers))
"""


def test_scale_measures_a_command(tmp_path, capsys):
    program = tmp_path / "work.py"
    program.write_text(SLEEPER)
    command = [str(program), "{workers}", "{size}"]
    assert cli.main(["scale", "-w", "1,2,4", "--sizes", "20", "--budget", "2s", "--", *command]) == 0
    said = capsys.readouterr().out
    assert re.search(r"^ *workers +time +95% interval +speed-up", said, re.M)
    assert len(re.findall(r"^ *[124] +[\d.]+ ms ", said, re.M)) == 3
    assert "law       Amdahl: serial" in said and "Under four numbers of workers" in said
    assert cli.main(["scale", "-w", "1,2", "--sizes", "10,20", "--weak", "--budget", "2s", "--", *command]) == 0
    assert "work that grows with the workers" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "there is no command"),
        (["--", "true"], "the command has no {workers}"),
        (["--", "true", "{workers}", "{size}"], "--sizes says which"),
        (["--sizes", "1", "--", "true", "{workers}"], "the command has no {size}"),
        (["-w", "1,2", "--weak", "--sizes", "1", "--", "true", "{workers}", "{size}"], "a size for each number"),
        (["-w", "1", "--", "there-is-no-such-program", "{workers}"], "cannot be run"),
        (
            ["-w", "1", "--", "sh", "-c", "echo broken >&2; exit 3; {workers}"],
            "ended with 3, so its time says nothing\n  broken",
        ),
        (["-w", "1", "--", "sh", "-c", "kill -9 $$; {workers}"], "was killed by signal 9"),
        (["-w", "1,2", "--budget", "10ms", "--", "sh", "-c", "sleep 0.0{workers}"], "was spent before 2 workers"),
        (["-w", "1", "--budget", "soon", "--", "true", "{workers}"], "budget must be a time"),
    ],
)
def test_scale_says_why_not(arguments, said, capsys):
    assert cli.main(["scale", *arguments]) == 1
    assert said in capsys.readouterr().err
