"""What a pickle holds, for a message, without running code of the user's: loading it may be what a worker died of."""

import io
import pickle

#: Modules whose classes and functions build values and do nothing else.
_HARMLESS = frozenset(
    "_codecs collections copyreg datetime decimal fractions numpy numpy._core.multiarray numpy._core.numeric "
    "numpy.core.multiarray numpy.core.numeric pathlib uuid".split()
)


def glimpse(data, buffers):
    """The object, in which whatever is not a value of a well-known kind is replaced by its name."""
    return _Unpickler(io.BytesIO(data), buffers=buffers).load()


class _Unpickler(pickle.Unpickler):
    def find_class(self, module, name):
        if module == "builtins":
            import builtins

            known = isinstance(getattr(builtins, name, None), type)
        else:
            known = module in _HARMLESS
        if (module, name) == (f"{__package__}._loading", "make_function"):
            return _function
        return super().find_class(module, name) if known else type(name, (_Unknown,), {})


def _function(space, code, cells):
    """Stands for a function that was sent by value: its name."""
    import marshal

    return type(marshal.loads(code).co_name, (_Unknown,), {})


class _Named(type):
    def __repr__(cls):
        return f"<{cls.__name__}>"


class _Unknown(metaclass=_Named):
    """Stands for something of the user's."""

    def __new__(cls, *arguments, **keywords):
        return super().__new__(cls)

    def __init__(self, *arguments, **keywords):
        pass

    def __call__(self, *arguments, **keywords):
        return self

    def __setstate__(self, state):
        pass

    def extend(self, elements):
        """What a list's elements are given to."""

    append = extend

    def __setitem__(self, key, value):
        pass

    def __hash__(self):
        return 0

    def __repr__(self):
        return f"<{type(self).__name__}>"
