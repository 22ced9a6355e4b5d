"""What a graph tells about itself: pictures, and what workers can gain."""

import re
import xml.etree.ElementTree as ElementTree

import pytest

import manyhands as mh

SVG = "{http://www.w3.org/2000/svg}"


def planned():
    """A start, two branches of 3 and 1, an end."""
    start = mh.task(lambda: 0, name="start", cost=1)()
    long = mh.task(lambda a: 0, name="long", cost=3)(start)
    short = mh.task(lambda a, seconds: 0, name="short", cost=lambda a, seconds: seconds)(start, seconds=1)
    return mh.task(lambda a, b: 0, name="end", cost=2)(long, short)


def boxes(svg):
    """State and label of each box, as an XML parser reads them."""
    groups = ElementTree.fromstring(svg).findall(f"{SVG}g")
    found = {}
    for group in groups:
        title = group.find(f"{SVG}title")
        if title is not None:
            found[group.find(f"{SVG}text").text] = group.get("class").split()[0]
    return found


def test_a_graph_that_was_not_run():
    svg = planned().svg()
    assert boxes(svg) == dict.fromkeys(["start", "long", "short", "end"], "planned")
    assert svg.count('class="line') == 4
    assert svg.count('class="line critical"') == 2
    assert "times as declared" in svg and "the chain that takes longest, 6 s" in svg
    assert planned()._repr_svg_() == svg


def test_a_graph_that_was_run_is_coloured_by_state():
    def fail(value):
        raise ValueError("<no & 'value'>")

    good = mh.task(abs, name="good")(-1)
    bad = mh.task(fail, name='bad <&"one">')(good)
    last = mh.task(abs, name="last")(bad)
    assert isinstance(last.compute(backend="serial", on_error="return"), ValueError)
    svg = last.svg()
    assert boxes(svg) == {"good": "done", 'bad <&"one">': "failed", "last": "skipped"}
    assert "ValueError: &quot;&lt;no &amp; &#39;value&#39;&gt;&quot;" in svg
    for state in ("done", "failed", "not run: what it needs failed"):
        assert f">{state}</text>" in svg
    assert '"]:::failed' in last.mermaid() and "fillcolor" in last.dot()


def test_the_other_languages():
    lines = planned().mermaid().splitlines()
    assert lines[0] == "flowchart TD"
    assert [line.strip() for line in lines if "-->" in line] == ["n0 --> n1", "n0 --> n2", "n1 --> n3", "n2 --> n3"]
    assert 'n1["long<br/>3 s"]:::planned' in planned().mermaid()
    dot = planned().dot()
    assert dot.startswith("digraph") and len(re.findall(r"n\d -> n\d", dot)) == 4


def test_many_nodes_are_folded():
    total = mh.task(sum, name="sum")([mh.task(abs, name="load")(n) for n in range(1000)])
    for text in (total.svg(), total.mermaid(max_nodes=50), total.dot()):
        assert "1,001 tasks, folded into" in text
    assert "load × 1,000" in total.svg()
    assert "folded" not in total.svg(max_nodes=2000)
    with pytest.raises(ValueError, match="max_nodes must be at least 1"):
        total.svg(max_nodes=0)


def test_explain_knows_the_answers():
    found = planned().explain(workers=[1, 2, 3])
    assert (found.source, found.tasks, found.work, found.span) == ("declared", 4, 7, 6)
    assert found.critical_path == ("start", "long", "end")
    assert found.speedup == 7 / 6
    assert found.reach == {1: 7, 2: 6, 3: 6}
    assert found.bounds[2] == (6, 6.5)
    assert repr(found).splitlines() == [
        "4 tasks, times as declared",
        "work                      7 s   all tasks, one after the other",
        "span                      6 s   what has to wait for each other: start -> long -> end",
        "best speed-up           1.167   with any number of workers",
        "1 worker                  7 s",
        "2 workers                 6 s   1.167 times as fast",
        "3 workers                 6 s   1.167 times as fast",
    ]
    assert list(planned().explain(workers=5).reach) == [5]
    assert list(planned().explain().reach) == [1, 2]


def test_explain_takes_measured_times_where_there_are():
    node = planned()
    node.compute(backend="serial")
    found = node.explain()
    assert found.source == "measured" and 0 < found.span <= found.work < 1
    assert node.explain(times="declared").work == 7
    with pytest.raises(ValueError, match='times must be "measured"'):
        node.explain(times="guessed")


def test_explain_names_what_has_not_been_run():
    add, bad = mh.task(lambda a, b: a + b, name="add"), mh.task(lambda a: a / 0, name="bad")
    failing = add(bad(add(1, 2)), 1)
    with pytest.raises(ZeroDivisionError):
        failing.compute(backend="serial")
    with pytest.raises(ValueError, match="tasks take: 'bad', 1 of 2 calls of 'add' have neither been run"):
        failing.explain()
    with pytest.raises(ValueError, match="^'bad', 1 of 2 calls of 'add' have not been run to the end"):
        failing.explain(times="measured")
    with pytest.raises(ValueError, match="^'add', 'bad' have declared no cost"):
        failing.explain(times="declared")
    dear = mh.task(lambda a: a / 0, name="dear", cost=3)(add(1, 2))
    with pytest.raises(ZeroDivisionError):
        dear.compute(backend="serial")
    with pytest.raises(ValueError, match="^'dear' has not been run to the end, and 'add' has declared no cost"):
        dear.explain()


def test_explain_without_times_says_what_to_do():
    node = mh.task(abs, name="first")(mh.task(abs, name="second", cost=1)(1)) + 1
    with pytest.raises(ValueError, match="'first' has neither been run to the end nor declared a cost; compute"):
        node.explain()
    with pytest.raises(ValueError, match="compute\\(\\) it first"):
        node.explain(times="measured")
    with pytest.raises(ValueError, match="workers must be at least 1"):
        planned().explain(workers=0)


def test_costs_are_checked():
    with pytest.raises(TypeError, match="cost of task 'f' must be a number of seconds"):
        mh.task(abs, name="f", cost="long")
    with pytest.raises(ValueError, match="from 0 on, not -1"):
        mh.task(abs, name="f", cost=-1)
    with pytest.raises(TypeError, match="depends on the result of another task"):
        mh.task(abs, name="f", cost=lambda x: x)(planned())


# ------------------------------------------------------------------------------------------ what a node is not


def test_a_node_is_no_value_yet():
    node = mh.task(abs, name="f")(1)
    for call, said in [
        (lambda: bool(node), "has no truth value before it is computed"),
        (lambda: 1 if node > 0 else 2, "has no truth value"),
        (lambda: sorted([node, node]), "has no truth value"),
        (lambda: iter(node), r"say @mh.task\(nout=2\)"),
        (lambda: len(node), "has no length"),
        (lambda: 1 in node, "not known before it is computed"),
        (lambda: [1, 2][node], "is no number before"),
    ]:
        with pytest.raises(TypeError, match=said):
            call()
    with pytest.raises(AttributeError, match=r"svg\(\), mermaid\(\) and dot\(\) draw it"):
        node.visualize()
    assert not hasattr(node, "_private")
    assert {node: 1}[node] == 1


def test_tasks_are_checked():
    for wrong in (3, "text", [abs]):
        with pytest.raises(TypeError, match="takes a function"):
            mh.task(wrong)
    with pytest.raises(ValueError, match="nout must be"):
        mh.task(abs, nout=-1)
    with pytest.raises(ValueError, match="timeout must be more than 0"):
        mh.task(abs, timeout=0)
    with pytest.raises(ValueError, match="retries must be"):
        mh.task(abs, retries=1.5)
    loop = [1]
    loop.append(loop)
    with pytest.raises(ValueError, match="nests too deeply"):
        mh.task(len)(loop)
    with pytest.raises(ValueError, match="on_error must be"):
        mh.task(abs)(1).compute(on_error="ignore")
    with pytest.raises(ValueError, match="backend must be"):
        mh.task(abs)(1).compute(backend="gpu")


def test_a_task_looks_like_its_function():
    @mh.task
    def documented(x: int) -> int:
        """Says what it does."""
        return x

    assert (documented.__name__, documented.__doc__, documented.name) == (
        "documented",
        "Says what it does.",
        "documented",
    )
    assert documented.function(3) == 3
    assert repr(documented(1)) == "<node 'documented'>"
