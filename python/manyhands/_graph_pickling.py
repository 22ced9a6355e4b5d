"""Nodes in pickles: the whole graph as one flat list, however deep it is."""


def reduce(plan):
    """What `Node.__reduce__` gives for the one node that `plan` was made for."""
    records = []
    for number, node in enumerate(plan.nodes()):
        needs = plan.leaves_of(number)
        leaves = tuple([None if need is not None else leaf for need, leaf in zip(needs, node._leaves)])
        places = tuple([(place, need) for place, need in enumerate(needs) if need is not None])
        records.append((plan.task_of(number), leaves, places, node._shape, node._cost))
    return _restore, ([_by_name(task) for task in plan.tasks()], records)


def _by_name(task):
    """The number of one of the graph module's own tasks, which are known by identity; another task itself."""
    from .graph import _OPERATIONS

    for number, known in enumerate(_OPERATIONS):
        if known is task:
            return number
    return task


def _restore(tasks, records):
    from .graph import _OPERATIONS, Node

    tasks = [_OPERATIONS[task] if type(task) is int else task for task in tasks]
    nodes = []
    for task, leaves, places, shape, cost in records:
        if places:
            leaves = list(leaves)
            for place, need in places:
                leaves[place] = nodes[need]
        nodes.append(Node(tasks[task], tuple(leaves), shape, cost))
    return nodes[-1]
