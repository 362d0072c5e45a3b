"""For all tests: torch on one thread, as they run side by side."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
