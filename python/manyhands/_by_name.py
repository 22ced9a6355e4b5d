"""Which functions and classes another process can find by their name.

A function or class is sent by name when a fresh process that imports its module finds the very same
object there: everything of the standard library, of installed packages, of modules beside the script.
What such a process cannot find goes by value: all of `__main__` (a worker never imports the user's
script), what a notebook, `exec` or `types.ModuleType` made, nested functions, lambdas.
The choice is made before sending; nothing is tried first and repaired later.
"""

import sys

# Top-level module name -> (module, verdict). The module is kept beside the verdict because a module that
# was replaced in `sys.modules` must be looked at again.
_verdicts: dict = {}


def importable(name):
    """Whether `import name` in a fresh process with our `sys.path` gives the module that we have.

    Only the top-level package is looked up: what lies below it is its own affair (packages register
    submodules that no file stands for).
    """
    top = name.partition(".")[0]
    module = sys.modules.get(top)
    known = _verdicts.get(top)
    if known is None or known[0] is not module:
        known = _verdicts[top] = (module, _finders_lead_to(top, module))
    return known[1]


def travels_by_name(obj):
    """Whether the function or class `obj` is what its module and qualified name lead to elsewhere."""
    module_name = getattr(obj, "__module__", None)
    if type(module_name) is not str or module_name == "__main__":
        return False
    found = sys.modules.get(module_name)
    if found is None or not importable(module_name):
        return False
    try:
        for part in obj.__qualname__.split("."):
            found = getattr(found, part)
    except AttributeError:  # "<locals>", "<lambda>", or a name that was deleted since
        return False
    return found is obj


def _finders_lead_to(name, module):
    if name == "__main__" or name == "__mp_main__" or module is None:
        return False
    if name == __package__:
        return True  # what every worker runs
    spec = getattr(module, "__spec__", None)
    if spec is None:
        return False
    if name in sys.stdlib_module_names:
        return True
    # A spec alone proves little: `spec_from_file_location` gives one to a file that no path leads to.
    for finder in sys.meta_path:
        try:
            found = finder.find_spec(name, None)
        except Exception:  # a finder of an old kind, or one that chokes on a name that is not its own
            continue
        if found is not None:
            return found.origin == spec.origin
    return False
