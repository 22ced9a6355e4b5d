"""The process state that a map carries to its workers: what the parent's program has changed since they started.

A worker is kept between maps, so what a loop would see of the process it runs in must follow the parent: working
directory, `sys.path`, `sys.argv`, environment. The parent looks before each map (`Context`), a worker catches up when
a message carries a newer version (`Follower`). Changed modules cannot be carried: `Modules` finds them, and the caller
restarts the workers. `command` says how a worker's interpreter is started.

Payloads are marshalled, not pickled: both sides are one interpreter, all values are plain, and `marshal` is built in.
"""

import marshal
import os
import sys
import time
from _thread import allocate_lock

_OURS = __name__.partition(".")[0]

# ---------------------------------------------------------------------------------------------- parent: what changed


class Context:
    """Watches directory, `sys.path`, `sys.argv` and environment. One per pool; safe from several threads."""

    def __init__(self):
        self._lock = allocate_lock()
        self._version = 0
        self._payload = b""
        self._directory = self._path = self._argv = self._environment = None

    def snapshot(self) -> tuple[int, bytes]:
        """Return `(version, payload)`: a number that grows with each change, and the bytes that bring a worker there.

        Both are the same objects as last time when nothing changed (a few microseconds). The environment is what
        `os.environ` holds: what C code does with `putenv` behind its back is seen neither here nor by Python itself.
        """
        with self._lock:
            directory, path, argv, environment = _directory(), sys.path, getattr(sys, "argv", []), _environment()
            if (
                directory != self._directory
                or path != self._path
                or argv != self._argv
                or environment != self._environment
            ):
                self._directory, self._path, self._argv = directory, list(path), list(argv)
                self._environment = dict(environment)
                self._version += 1
                self._payload = marshal.dumps(
                    (
                        directory,
                        _plain(self._path),
                        _plain(self._argv),
                        self._environment,
                        (sys.prefix, sys.exec_prefix),
                        any(type(finder).__module__ == "_distutils_hack" for finder in sys.meta_path),
                    )
                )
            return self._version, self._payload


def _directory() -> str | None:
    """The working directory, or None where it has been removed: a worker then stays where it is."""
    try:
        return os.getcwd()
    except OSError:
        return None


def _environment() -> dict[bytes, bytes]:
    """The environment as a dict of bytes: the one inside `os.environ`, which compares in a microsecond."""
    data = getattr(os.environ, "_data", None)
    if type(data) is dict:
        return data
    # Someone assigned a plain mapping to os.environ.
    return {os.fsencode(name): os.fsencode(value) for name, value in os.environ.items()}


def _plain(values) -> list[str | bytes]:
    """The exact strings and bytes among `values`. The import system ignores everything else in `sys.path`, too."""
    return [
        str.__str__(value) if isinstance(value, str) else bytes(value)
        for value in values
        if isinstance(value, (str, bytes))
    ]


# ------------------------------------------------------------------------------------------------ worker: catching up


class Follower:
    """A worker's side of `Context`: makes this process agree with the parent, without undoing what is the worker's own.

    `own` names the environment variables that the worker was started with on purpose (its share of BLAS threads, say).
    They keep the worker's value until the parent's program changes its own value of them. In the same way whatever an
    item or initializer set here (a variable, a directory) stays until the parent's program changes that very thing.
    """

    def __init__(self, own=()):
        self._own = {os.fsencode(name) for name in own}
        self._directory = self._path = self._argv = self._environment = None
        #: The parent's directory, where this worker could not go there (removed meanwhile, not readable); else None.
        self.missing_directory = None

    def apply(self, payload: bytes) -> None:
        """Bring this process to the state in `payload` (from `Context.snapshot`). Goes on past what cannot be had."""
        directory, path, argv, environment, prefixes, distutils = marshal.loads(payload)
        if self._environment is None:
            _stand_in_for_site(prefixes, distutils)
        # Before sys.path, whose entries may be relative.
        self._change_directory(directory)
        if path != self._path:
            sys.path[:], self._path = path, path
            for finder in list(sys.path_importer_cache.values()):
                forget = getattr(finder, "invalidate_caches", None)
                if forget is not None:
                    forget()
        if argv != self._argv:
            sys.argv, self._argv = list(argv), argv
        if environment != self._environment:
            self._change_environment(environment)

    def _change_directory(self, directory):
        if directory is None or (directory == self._directory and self.missing_directory is None):
            return
        self._directory = directory
        try:
            os.chdir(directory)
            self.missing_directory = None
        except OSError:
            self.missing_directory = directory

    def _change_environment(self, environment):
        here = _environment()
        if self._environment is None:
            # First look: the parent may have changed variables since it started us, so compare with what we have.
            before, ours = dict(here), self._own
        else:
            before, ours = self._environment, ()
        for name in before.keys() | environment.keys():
            value = environment.get(name)
            if value == before.get(name) or name in ours:
                continue
            try:
                if value is not None:
                    os.environb[name] = value
                elif name in here:
                    del os.environb[name]
            except (OSError, ValueError):
                pass  # a name that putenv refuses: nothing else is lost for it
            if name == b"TZ":
                time.tzset()
        self._environment = environment


def _stand_in_for_site(prefixes, distutils):
    """What `site` does and a worker started with `-S` would miss, other than the paths that it gets from the parent."""
    if not sys.flags.no_site:
        return
    import builtins
    from _sitebuiltins import Quitter, _Helper

    sys.prefix, sys.exec_prefix = prefixes  # those of the virtual environment: packages find data files by them
    builtins.help = _Helper()
    for name in ("exit", "quit"):
        setattr(builtins, name, Quitter(name, "Ctrl-D (i.e. EOF)"))
    if distutils:
        # setuptools' own `distutils`; from Python 3.12 on there is no other.
        try:
            from _distutils_hack import add_shim
        except ImportError:
            return
        add_shim()


# ------------------------------------------------------------------------------------------- parent: changed modules


class Modules:
    """Tells which of the user's imported modules were reloaded or rewritten, so that the workers' copies are stale.

    The user's are those from a file outside of the standard library and of installed packages. A reload is seen by its
    new `__spec__`, at every look. A rewritten file is seen by its time and size; so that these looks cost next to
    nothing however many modules there are and however slow the file system, they take at most a twentieth of the time.
    """

    _SHARE = 20

    def __init__(self, clock=time.perf_counter):
        self._clock = clock
        self._lock = allocate_lock()
        self._seen = set()  # every name of sys.modules that was judged
        self._last = None  # its last name then: new names always come last
        self._own = {}  # name -> (spec, path of the file, stamp of the file); kept while a module is out of sys.modules
        self._next_stat = 0.0
        self._find_new()

    def changed(self) -> list[str]:
        """Return the names of the user's modules that changed since the last call; new ones do not count."""
        with self._lock:
            return self._changed()

    def _changed(self):
        self._find_new()
        begin = self._clock()
        look_at_files = begin >= self._next_stat
        changed = []
        for name, (spec, path, stamp) in self._own.items():
            current = _spec(sys.modules.get(name))
            if current is None:
                continue
            reloaded = current is not spec
            if reloaded:
                path = getattr(current, "origin", path)
            if reloaded or look_at_files:
                # A file that is gone is no new version: many editors replace a file by way of that.
                new = _stamp(path) or stamp
                if reloaded or new != stamp:
                    changed.append(name)
                    self._own[name] = current, path, new
        if look_at_files:
            end = self._clock()
            self._next_stat = end + self._SHARE * (end - begin)
        return changed

    def _find_new(self):
        modules = sys.modules
        last = next(reversed(modules), None)
        if last == self._last and len(modules) == len(self._seen):
            return
        self._last = last
        names = set(modules)
        for name in names - self._seen:
            spec = None if name in self._own else _spec(modules.get(name))
            if spec is not None and _is_users(name, spec):
                self._own[name] = spec, spec.origin, _stamp(spec.origin)
        self._seen = names


def _spec(module):
    """The module's `__spec__`, without waking a lazy module (whose attribute access may import half a library)."""
    try:
        return object.__getattribute__(module, "__dict__").get("__spec__")
    except AttributeError:
        return None


def _is_users(name: str, spec) -> bool:
    origin = getattr(spec, "origin", None)
    if not isinstance(origin, str) or not getattr(spec, "has_location", False):
        return False  # built in, frozen, a namespace
    if name == "__main__" or name.partition(".")[0] == _OURS:
        return False
    if f"{os.sep}site-packages{os.sep}" in origin or f"{os.sep}dist-packages{os.sep}" in origin:
        return False
    return not origin.startswith(_STANDARD_LIBRARY)


_STANDARD_LIBRARY = os.path.dirname(os.__file__) + os.sep


def _stamp(path) -> tuple[int, int] | None:
    """Time and size of a file, which a rewriting changes; None where it cannot be read."""
    try:
        status = os.stat(path)
    except (OSError, TypeError, ValueError):
        return None
    return status.st_mtime_ns, status.st_size


# --------------------------------------------------------------------------------------- parent: starting a worker


# Finders that a worker started without `site` gets anyway or does not miss, by module and class.
_FINDERS = {
    ("_frozen_importlib", "BuiltinImporter"),
    ("_frozen_importlib", "FrozenImporter"),
    ("_frozen_importlib_external", "PathFinder"),
    ("_distutils_hack", "DistutilsMetaFinder"),  # Follower puts it back
    ("_virtualenv", "_Finder"),  # corrects where `distutils` installs to
    ("_pytest.assertion.rewrite", "AssertionRewritingHook"),  # test modules work without it, with shorter messages
    ("importlib_metadata", "MetadataPathFinder"),  # this and the next are put there by importing their package,
}
_FINDER_CLASSES = {"_SixMetaPathImporter", "VendorImporter"}  # which also lives as a copy inside other packages


# Imports with nothing of the user's in the way: the folder of the package comes last, the current one not at all.
_BOOT = "import sys;sys.path[:]=sys.path[1:]+sys.argv[1:2];from manyhands.{} import main;main(*sys.argv[2:])"


def command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs `main(*arguments)` of this package's `module` in a clean interpreter."""
    if not sys.executable:
        raise RuntimeError("processes cannot be started: this Python does not know its own program (sys.executable)")
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    site = [] if needs_site() else ["-S"]
    return [sys.executable, *interpreter_flags(), *site, "-c", _BOOT.format(module), package, *arguments]


def needs_site() -> bool:
    """Whether a worker must run `site` at its start. Without it (`-S`) it starts in about half the time.

    `sys.path` and what else `Follower` restores come from the parent, so `site` is needed only for code that it runs:
    import lines of `.pth` files, `sitecustomize`, `usercustomize`; and to be careful, whenever the parent has an import
    hook that is not known to be dispensable (an editable install's finder).
    """
    if sys.flags.no_site:
        return False
    if "sitecustomize" in sys.modules or "usercustomize" in sys.modules:
        return True
    return not (all(map(_dispensable, sys.meta_path)) and all(map(_standard_hook, sys.path_hooks))) or any(
        map(_runs_code, [entry for entry in sys.path if isinstance(entry, str)])
    )


def _dispensable(finder) -> bool:
    kind = finder if isinstance(finder, type) else type(finder)
    return (
        (kind.__module__, kind.__name__) in _FINDERS
        or kind.__name__ in _FINDER_CLASSES
        or kind.__module__.partition(".")[0] == _OURS
    )


def _standard_hook(hook) -> bool:
    return getattr(hook, "__module__", None) in ("zipimport", "_frozen_importlib_external")


def _runs_code(directory: str) -> bool:
    """Whether `directory` is one of installed packages with a `.pth` file whose code a worker would miss."""
    if os.path.basename(directory) not in ("site-packages", "dist-packages"):
        return False
    try:
        names = [name for name in os.listdir(directory) if name.endswith(".pth") and not _harmless(name)]
    except OSError:
        return False
    for name in names:
        try:
            with open(os.path.join(directory, name), "rb") as file:
                lines = file.read().splitlines()
        except OSError:
            continue
        if any(line.startswith((b"import ", b"import\t")) for line in lines):
            return True
    return False


def _harmless(name: str) -> bool:
    if "coverage" in name:
        # Does nothing unless asked to measure child processes.
        return not any(variable.startswith(b"COVERAGE_PROCESS") for variable in _environment())
    # The finders above; paths, which the parent sends; namespaces that Python 3 finds without help.
    return name in ("distutils-precedence.pth", "_virtualenv.pth", "easy-install.pth") or name.endswith("-nspkg.pth")


def interpreter_flags() -> list[str]:
    """Return the options that a worker's interpreter inherits, as `multiprocessing` does for its spawned processes.

    Left out: `-i`, `-q` and `-u`, which are about a terminal, and `-S`, which the caller decides by `needs_site`. What
    was set by environment variables reaches the worker in its environment.
    """
    flags, options = sys.flags, []
    if flags.optimize:
        options.append("-" + "O" * flags.optimize)
    if sys.dont_write_bytecode:
        options.append("-B")
    for letter, count in (("d", flags.debug), ("v", flags.verbose), ("b", flags.bytes_warning)):
        if count:
            options.append("-" + letter * count)
    if flags.isolated:
        options.append("-I")
    else:
        safe_path = getattr(flags, "safe_path", False)  # new in Python 3.11
        inherited = ("E", flags.ignore_environment), ("s", flags.no_user_site), ("P", safe_path)
        options += ["-" + letter for letter, given in inherited if given]
    # -b and -X dev add these two by themselves.
    implied = {{1: "default::BytesWarning", 2: "error::BytesWarning"}.get(flags.bytes_warning)}
    if flags.dev_mode:
        implied.add("default")
    options += ["-W" + warning for warning in sys.warnoptions if warning not in implied]
    for name, value in getattr(sys, "_xoptions", {}).items():
        options += ["-X", name if value is True else f"{name}={value}"]
    return options
