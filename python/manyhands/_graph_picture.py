"""A graph's pictures: what the native side needs to draw one."""


def draw(node, language, most):
    """The graph behind `node` in a language, in at most `most` boxes."""
    from ._options import worker_count
    from .graph import _plan

    return draw_plan(_plan([node]), language, worker_count(most, "max_nodes"))


def draw_plan(plan, language, most):
    """The graph of a plan."""
    from .graph import _label

    nodes = plan.nodes()
    declared = all(each._last is None for each in nodes)
    if declared:
        seconds = [each._cost for each in nodes]
        some = any(each is not None for each in seconds)
        if some and not any(map(_is_undeclared, nodes)):
            seconds = [each or 0.0 for each in seconds]
    else:
        seconds = [None if each._last is None else each._last[1] for each in nodes]
    chain = ()
    if len(nodes) > 1 and all(each is not None for each in seconds):
        chain = plan.analyse(seconds, [])[2]
    return plan.draw(language, most, [_label(each) for each in nodes], seconds, chain, declared)


def _is_undeclared(node):
    """Whether the node's task might have declared what it costs, and did not."""
    from .graph import _OPERATIONS

    return node._cost is None and node._task not in _OPERATIONS
