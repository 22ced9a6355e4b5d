"""`multiprocessing.reduction`, as it is: how open files travel."""

import sys
from multiprocessing import reduction

sys.modules[__name__] = reduction
