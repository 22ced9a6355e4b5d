"""`multiprocessing.util`, as it is: its log, and what is done at the end."""

import sys
from multiprocessing import util

sys.modules[__name__] = util
