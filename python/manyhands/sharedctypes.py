"""`multiprocessing.sharedctypes`, as it is: shared values and arrays."""

import sys
from multiprocessing import sharedctypes

sys.modules[__name__] = sharedctypes
