"""In a Jupyter kernel: functions of cells, cells run again, prints under the cell, a bar."""

import pytest

manager = pytest.importorskip("jupyter_client.manager")
pytest.importorskip("ipykernel")

from programs import PATIENCE, environment  # noqa: E402 (only where there is Jupyter)


@pytest.fixture(scope="module")
def cell():
    """`cell(source)` runs a cell; gives (what it printed, the text of its value)."""
    kernel, client = manager.start_new_kernel(kernel_name="python3", env=environment())

    def run(source):
        printed, values = [], []

        def take(message):
            content = message["content"]
            if message["msg_type"] == "stream":
                printed.append(content["text"])
            elif message["msg_type"] in ("execute_result", "display_data"):
                values.append(content["data"]["text/plain"])
            elif message["msg_type"] == "error":
                values.append(f"{content['ename']}: {content['evalue']}")

        client.execute_interactive(source, timeout=PATIENCE, output_hook=take)
        return "".join(printed), "".join(values)

    try:
        yield run
    finally:
        client.stop_channels()
        kernel.shutdown_kernel(now=True)


def test_a_cells_functions(cell):
    assert cell("import manyhands as mh\ndef task(x): return helper(x) + 1\nhelper = lambda x: x * 2") == ("", "")
    assert cell("mh.map(task, range(3), workers=2)") == ("", "[1, 3, 5]")


def test_a_cell_that_is_run_again(cell):
    cell("import manyhands as mh\npool = mh.Pool(2)\ndef again(x): return 'first'")
    assert cell("pool.map(again, [1])")[1] == "['first']"
    cell("def again(x): return 'second'")
    assert cell("pool.map(again, [1])")[1] == "['second']"
    cell("class Thing:\n    pass")
    assert cell("isinstance(pool.map(lambda x: Thing(), [1])[0], Thing)")[1] == "True"


def test_prints_appear_under_their_cell(cell):
    printed, _ = cell("import manyhands as mh\n_ = mh.map(lambda x: print('line', x), range(3), workers=2)")
    assert sorted(printed.splitlines()) == ["line 0", "line 1", "line 2"]


def test_errors_appear_under_their_cell(cell):
    assert "ZeroDivisionError: division by zero" in cell("mh.map(lambda x: 1 / x, [0], workers=2)")[1]


def test_a_bar_appears_under_its_cell(cell):
    pytest.importorskip("tqdm")
    printed, shown = cell("_ = mh.map(abs, range(20), workers=2, progress='rows')")
    assert "rows" in printed + shown
    assert "20/20" in printed + shown
