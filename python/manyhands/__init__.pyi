"""The public names, which `__init__.py` loads when each is first used."""

from numpy.random import Generator as _Generator

from ._native import cpu_count as cpu_count
from .errors import (
    MaybeEncodingError as MaybeEncodingError,
)
from .errors import (
    PoolBroken as PoolBroken,
)
from .errors import (
    RemoteTraceback as RemoteTraceback,
)
from .errors import (
    TaskExited as TaskExited,
)
from .errors import (
    TaskFailed as TaskFailed,
)
from .errors import (
    TimeoutError as TimeoutError,
)
from .errors import (
    WorkerDied as WorkerDied,
)
from .maps import imap as imap
from .maps import imap_unordered as imap_unordered
from .maps import map as map
from .maps import starmap as starmap
from .pool import AsyncResult as AsyncResult
from .pool import Pool as Pool

def rng() -> _Generator:
    """The current item's `numpy.random.Generator`: a stream of its own with `seed=`."""

__version__: str
__all__: list[str]
