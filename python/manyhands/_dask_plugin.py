"""What Dask's scheduler is asked: to give a message of ours back at once when its worker is lost.

By default it tries a task on three further workers before it says that one was lost. A message of many items is better
halved, and one that kills its workers should cost few of them.
"""

from distributed.diagnostics.plugin import SchedulerPlugin

#: How the keys of our tasks begin.
PREFIX = "manyhands-"


class GiveBack(SchedulerPlugin):
    """Counts the workers that a task of ours may lose as lost already. Other tasks are left alone."""

    name = "manyhands"
    idempotent = True

    def update_graph(self, scheduler, *, tasks=(), **_):
        """The scheduler has got new tasks, by these keys."""
        for key in tasks:
            if isinstance(key, str) and key.startswith(PREFIX):
                scheduler.tasks[key].suspicious = scheduler.allowed_failures


def ask(client):
    """Ask the scheduler of a client; whether it agreed."""
    try:
        client.register_plugin(GiveBack())
    except Exception:
        return False  # it cannot import this module, takes no code from clients, or is an old version of Dask
    return True
