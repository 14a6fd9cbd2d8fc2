from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from sq_micro.errors import ToolchainError, UsageError
from sq_micro.mapper import DaskMapper, Mapper, ProcessMapper, SerialMapper
from tests.unit.mapper.mapped_functions import die, die_once, fail_at_three, size_of, square, threads_of_worker


@pytest.fixture(scope="module", params=["serial", "processes", "dask"])
def mapper(request: pytest.FixtureRequest) -> Iterator[Mapper]:
    if request.param == "serial":
        yield SerialMapper()
    elif request.param == "processes":
        workers = ProcessMapper(2)
        yield workers
        workers.close()
    else:
        with local_cluster() as cluster:
            client = DaskMapper(cluster.scheduler_address)
            yield client
            client.close()


def local_cluster() -> Any:
    distributed = pytest.importorskip("distributed")
    return distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
    )


@pytest.mark.slow
def test_results_keep_the_order_of_the_items(mapper: Mapper) -> None:
    seen: list[tuple[int, int]] = []
    assert mapper.map(square, range(20), lambda done, total: seen.append((done, total))) == [n * n for n in range(20)]
    assert seen == [(done, 20) for done in range(1, 21)]


@pytest.mark.slow
def test_the_exception_of_an_item_is_raised(mapper: Mapper) -> None:
    with pytest.raises(ValueError, match="three"):
        mapper.map(fail_at_three, range(6))
    assert mapper.map(square, [1, 2]) == [1, 4]


@pytest.mark.slow
def test_read_only_mappings_travel(mapper: Mapper) -> None:
    items = [MappingProxyType({"a": 1}), MappingProxyType({"a": 1, "b": 2})]
    assert mapper.map(size_of, items) == [1, 2]


def test_no_items_give_no_results() -> None:
    assert ProcessMapper(2).map(square, []) == []
    assert SerialMapper().map(square, []) == []


@pytest.mark.slow
def test_workers_have_one_thread_each() -> None:
    workers = ProcessMapper(2)
    assert workers.map(threads_of_worker, range(4)) == ["1"] * 4
    workers.close()
    workers.close()


@pytest.mark.slow
def test_a_worker_process_that_dies_is_an_error_that_says_so() -> None:
    workers = ProcessMapper(2)
    with pytest.raises(ToolchainError, match="died"):
        workers.map(die, range(2))
    workers.close()


@pytest.mark.slow
def test_a_dask_worker_that_dies_loses_no_work(tmp_path: Path) -> None:
    markers = [str(tmp_path / f"item{index}") for index in range(6)]
    for marker in markers[1:]:
        Path(marker).touch()
    with local_cluster() as cluster:
        client = DaskMapper(cluster.scheduler_address)
        assert client.map(die_once, markers) == [f"item{index}" for index in range(6)]
        client.close()


def test_a_scheduler_that_does_not_answer_is_a_usage_error() -> None:
    pytest.importorskip("distributed")
    with pytest.raises(UsageError, match=r"--dask tcp://127.0.0.1:9: no scheduler"):
        DaskMapper("tcp://127.0.0.1:9", timeout_s=0.5)
