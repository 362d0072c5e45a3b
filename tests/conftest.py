"""For all tests: torch on one thread, as they run side by side; and no test decides by the clock."""

import gc
import os

from hypothesis import HealthCheck, settings

os.environ.setdefault("OMP_NUM_THREADS", "1")
# pytest-xdist sets it for its workers; tables would fit into it.
os.environ.pop("COLUMNS", None)

settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


def pytest_collection_finish() -> None:
    """Ten thousand tests stay to the end: the collector of garbage need not look at them each time."""
    gc.collect()
    gc.freeze()
