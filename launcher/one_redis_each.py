"""A plugin of pytest: each parallel worker has a Redis database of its own.

Without it one worker's rate limits, emptied between tests, would be another's in the middle of one.
"""

import os
import re


def of_worker(url: str, worker: str) -> str:
    """The address of the Redis database that belongs to `worker` (gw0, gw1, …)."""
    match = re.fullmatch(r"(.*?)(?:/(\d*))?", url)
    assert match
    return f"{match[1]}/{int(match[2] or 0) + 1 + int(worker.removeprefix('gw'))}"


if "PYTEST_XDIST_WORKER" in os.environ and "REDIS_URL" in os.environ:
    # Now, while pytest reads its options: the settings are loaded right after.
    os.environ["REDIS_URL"] = of_worker(os.environ["REDIS_URL"], os.environ["PYTEST_XDIST_WORKER"])
