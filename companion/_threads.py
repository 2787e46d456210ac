"""Threads around NumPy: as many of ours as BLAS was allowed, and BLAS held to one in each.

A small matrix product is too little work to split over two cores; two products side by side are
not. Both at once would be four threads on two cores, which is slower than either.
"""

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

Item = TypeVar("Item")

_lock = threading.Lock()
_held: dict[str, Any] = {"callers": 0, "limiter": None}


def share_out(
    items: Iterable[Item], worker: Callable[[Iterator[Item]], None], *, alone: bool = False
) -> None:
    """Run `worker` in some threads at once; each takes from its iterator the next item left.

    As many threads as BLAS may use at the time of the call, so that whoever limits BLAS
    (OMP_NUM_THREADS, threadpoolctl) limits these too; one if `alone`, without threadpoolctl, or
    while another call is under way. BLAS has one thread meanwhile, whichever way, so that the
    rounding of a product does not depend on the number of threads; then what was set again.
    The items must not depend on each other. The first error is raised again here.
    """
    queue = deque(items)

    def left() -> Iterator[Item]:
        while True:
            try:
                item = queue.popleft()  # atomic: no lock needed
            except IndexError:
                return
            yield item

    with _one_blas_thread() as free:
        threads = 1 if alone else min(free, len(queue))
        if threads <= 1:
            return worker(left())
        from concurrent.futures import ThreadPoolExecutor  # here: 10 ms that an import can spare

        with ThreadPoolExecutor(threads) as pool:
            futures = [pool.submit(worker, left()) for _ in range(threads)]
        for future in futures:
            future.result()


@contextmanager
def _one_blas_thread() -> Iterator[int]:
    """BLAS on one thread until the last caller has left; gives the threads left for this one."""
    blas = _blas()
    if blas is None:
        yield 1
        return
    with _lock:
        free = min(_cores(), *(lib.num_threads for lib in blas.lib_controllers))  # 1 beside another
        if not _held["callers"]:
            _held["limiter"] = blas.limit(limits=1)
        _held["callers"] += 1
    try:
        yield free
    finally:
        with _lock:
            _held["callers"] -= 1
            if not _held["callers"]:
                _held["limiter"].restore_original_limits()


@cache
def _blas() -> Any:
    """The BLAS libraries that are loaded by now, NumPy's among them; None if nobody can tell."""
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return None
    found = ThreadpoolController().select(user_api="blas")
    return found if found.lib_controllers else None


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
