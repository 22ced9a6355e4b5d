"""`multiprocessing.synchronize`, as it is: its locks, events and conditions; ours are subclasses of them."""

import sys
from multiprocessing import synchronize

sys.modules[__name__] = synchronize
