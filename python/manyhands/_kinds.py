"""Numbers that the parent and the worker agree on: kinds of objects, and ways to call the function.

`crates/mh-python` uses the same for the few that it must know.
"""

CONTEXT = 1  # the surroundings: directory, sys.path, environment
NAMED = {"binding": 2, "class": 3, "state": 6, "import": 7}  # what `_pickling` publishes
FUNCTION = 4
INITIALIZER = 5
FUNCTION_BY_NAME = 8  # "module:qualified.name" in UTF-8

# Of a process that is no worker (`_letters`).
IDENTITY = 9  # what multiprocessing wants to know: the key, the log
PROCESS = 10
ANSWER = 11
FAILURE = 12

NAMES = {number: name for name, number in NAMED.items()}

# How a job's items are called.
ONE = 0  # function(item)
STAR = 1  # function(*item)
APPLY = 2  # item is (function, args, kwargs), one of its own
TASK = 3  # the same, in a row with others; where a backend knows nothing better, the job's function is called with it
