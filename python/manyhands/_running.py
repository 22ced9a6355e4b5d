"""Running one blocking map on worker processes: feed, collect, show progress, leave nothing behind."""

from ._options import length_of


def run(workers, function, items, mode, options, *, shareable, total=None, failures=None, chunk=None):
    """Call `function` with every item on `workers`; the results in a list, in order.

    `failures`, a list, gets the indices of those that failed, ascending.
    """
    source = iter(items)
    job, session = workers.open(function, mode, share=shareable, chunk=chunk, **options.of_job())
    bar = None
    try:
        if options.progress:
            from ._progress import Progress

            bar = Progress(length_of(items) if total is None else total, options.progress)
        return job.run(source, session, workers.loads, workers.hooks, bar and bar.update, failures)
    except BaseException as error:
        # Ctrl-C and its like: what runs is of no use any more. Otherwise what runs may finish; nobody waits for it.
        job.cancel(not isinstance(error, Exception))
        raise
    finally:
        if bar is not None:
            bar.close()
        job.close()
        session.close()


def run_all(workers, function, items, mode, options, *, shareable, chunk):
    """The same, every item being run whatever fails; then the failure of lowest index is raised."""
    failures = []
    results = run(workers, function, items, mode, options, shareable=shareable, failures=failures, chunk=chunk)
    if failures:
        raise results[failures[0]]
    return results
