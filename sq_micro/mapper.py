"""Maps a function over items: here, in processes on all cores, or on a Dask cluster.

Functions and items must be picklable: the function at the top of a module, the items frozen dataclasses. Results keep
the items' order whatever ends first.
"""

from __future__ import annotations

import copyreg
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from importlib import import_module
from multiprocessing import get_context
from types import MappingProxyType
from typing import Any, Protocol, TypeVar

from sq_micro.errors import ToolchainError, UsageError

Item = TypeVar("Item")
Result = TypeVar("Result")
Progress = Callable[[int, int], None]
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def _frozen(items: dict[Any, Any]) -> MappingProxyType[Any, Any]:
    return MappingProxyType(items)


# Graphs hold read-only mappings, which Python does not pickle by itself.
copyreg.pickle(MappingProxyType, lambda mapping: (_frozen, (dict(mapping),)))


def unwatched(done: int, total: int) -> None:
    """The progress of work that nobody looks at."""


class Mapper(Protocol):
    """Where work is done."""

    def map(
        self, function: Callable[[Item], Result], items: Sequence[Item], progress: Progress = unwatched
    ) -> list[Result]:
        """function(item) for each item, in order. The first exception of any item is raised."""
        ...

    def close(self) -> None:
        """Let go of workers; twice is fine."""
        ...


class SerialMapper:
    """In this process, one after another."""

    def map(
        self, function: Callable[[Item], Result], items: Sequence[Item], progress: Progress = unwatched
    ) -> list[Result]:
        """See `Mapper.map`."""
        results = []
        for item in items:
            results.append(function(item))
            progress(len(results), len(items))
        return results

    def close(self) -> None:
        """Nothing to let go of."""


class ProcessMapper:
    """In processes, one per core unless told, each with one BLAS thread. They start with the first `map`."""

    def __init__(self, workers: int | None = None) -> None:
        self._workers = workers or os.cpu_count() or 1
        self._pool: ProcessPoolExecutor | None = None

    def map(
        self, function: Callable[[Item], Result], items: Sequence[Item], progress: Progress = unwatched
    ) -> list[Result]:
        """See `Mapper.map`. Raises ToolchainError iff a worker dies, as it does when memory runs out."""
        if self._workers == 1 or len(items) < 2:
            return SerialMapper().map(function, items, progress)
        if self._pool is None:
            context = get_context("spawn")  # threads of BLAS and JAX do not survive a fork
            self._pool = ProcessPoolExecutor(self._workers, context, initializer=_one_thread_each)
        futures = {self._pool.submit(function, item): index for index, item in enumerate(items)}
        results: dict[int, Result] = {}
        try:
            for future in as_completed(futures):
                results[futures[future]] = future.result()
                progress(len(results), len(items))
        except BrokenProcessPool as error:
            raise ToolchainError("a worker process died; is memory short? run with --workers 1") from error
        finally:
            for future in futures:
                future.cancel()
        return [results[index] for index in range(len(items))]

    def close(self) -> None:
        """End the workers."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None


class DaskMapper:
    """On a Dask cluster, by the address of its scheduler. Work of a worker that dies is done again elsewhere."""

    def __init__(self, address: str, timeout_s: float = 10.0) -> None:
        try:
            distributed = import_module("distributed")
        except ImportError as error:
            raise ToolchainError("--dask needs: pip install 'sq-micro[dask]'") from error
        self._as_completed = distributed.as_completed
        try:
            self._client: Any = distributed.Client(address, timeout=timeout_s, set_as_default=False)
        except (OSError, TimeoutError, ValueError) as error:
            raise UsageError(f"--dask {address}: no scheduler answers there ({error})") from error

    def map(
        self, function: Callable[[Item], Result], items: Sequence[Item], progress: Progress = unwatched
    ) -> list[Result]:
        """See `Mapper.map`. Raises ToolchainError iff the cluster is lost."""
        distributed = import_module("distributed")
        futures = self._client.map(function, list(items), pure=False)
        done = 0
        try:
            with self._client.as_current():
                for future in self._as_completed(futures):
                    if future.status == "error":
                        future.result()
                    done += 1
                    progress(done, len(items))
            results: list[Result] = self._client.gather(futures)
        except (distributed.KilledWorker, distributed.CancelledError, OSError) as error:
            raise ToolchainError(f"the Dask cluster lost the work ({error}); run it again to continue") from error
        finally:
            self._client.cancel(futures)
        return results

    def close(self) -> None:
        """Leave the cluster; it goes on."""
        self._client.close()


def _one_thread_each() -> None:
    for name in _THREAD_VARIABLES:
        os.environ[name] = "1"
    try:
        import_module("threadpoolctl").threadpool_limits(1)
    except ImportError:
        return
