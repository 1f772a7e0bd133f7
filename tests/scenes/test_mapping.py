from __future__ import annotations

import threading
import time

import pytest

from mmcloudseg.apis import ScenePredictor
from mmcloudseg.scenes.mapping import read_ahead
from mmcloudseg.scenes.network import TileNetwork
from mmcloudseg.scenes.outputs import SceneOutput


def test_in_order_in_another_thread_and_not_too_far_ahead():
    begun, threads = [], set()

    def work(item):
        begun.append(item)
        threads.add(threading.current_thread())
        return 2 * item

    results = read_ahead(work, range(20), ahead=2)
    assert next(results) == 0
    time.sleep(0.05)
    assert begun == [0, 1, 2]
    assert list(results) == [2 * item for item in range(1, 20)]
    assert threading.current_thread() not in threads


def test_an_error_comes_where_its_result_would():
    def work(item):
        if item == 2:
            raise ValueError("item 2")
        return item

    results = read_ahead(work, range(5))
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ValueError, match="item 2"):
        next(results)


def test_closed_no_work_goes_on():
    running = threading.Event()
    ended = []

    def work(item):
        running.set()
        time.sleep(0.05)
        ended.append(item)

    results = read_ahead(work, range(100))
    next(results)
    results.close()
    count = len(ended)
    time.sleep(0.15)
    assert len(ended) == count < 5


def strips_in(folder):
    return sorted(path.name for path in folder.glob("map_*.tif"))


def test_strips_are_written_in_order_and_waited_for(pixel_model, pair, tmp_path, monkeypatch):
    real, written = SceneOutput.write_strip, []

    def slowly(self, product, index, *args):
        time.sleep(0.02)
        real(self, product, index, *args)
        written.append((threading.current_thread(), index))

    monkeypatch.setattr(SceneOutput, "write_strip", slowly)
    predictor = ScenePredictor(*pixel_model(), device="cpu")
    predictor.predict(*pair, tmp_path / "map.tif", progress=False)
    assert [index for _, index in written] == [0, 1, 2, 3]
    assert threading.current_thread() not in {thread for thread, _ in written}


@pytest.mark.parametrize("bad", [0, 3])
def test_a_strip_that_cannot_be_written_ends_the_run(
    pixel_model, pair, tmp_path, monkeypatch, bad
):
    real = SceneOutput.write_strip

    def fails(self, product, index, *args):
        if index == bad:
            raise OSError(f"strip {index}: disk full")
        real(self, product, index, *args)

    monkeypatch.setattr(SceneOutput, "write_strip", fails)
    predictor = ScenePredictor(*pixel_model(), device="cpu")
    with pytest.raises(OSError, match=f"strip {bad}: disk full"):
        predictor.predict(*pair, tmp_path / "map.tif", progress=False)
    assert not (tmp_path / "map.tif").exists()


def test_strips_that_are_being_written_at_an_error_are_kept(
    pixel_model, pair, tmp_path, monkeypatch
):
    """No thread reads or writes after the run has ended."""
    real_write, real_call, calls = SceneOutput.write_strip, TileNetwork.__call__, []

    def slowly(self, *args):
        time.sleep(0.1)
        real_write(self, *args)

    def fails_in_the_second_row(self, *args):
        calls.append(1)
        if len(calls) == 2:
            raise KeyError
        return real_call(self, *args)

    monkeypatch.setattr(SceneOutput, "write_strip", slowly)
    monkeypatch.setattr(TileNetwork, "__call__", fails_in_the_second_row)
    predictor = ScenePredictor(*pixel_model(), device="cpu")
    with pytest.raises(KeyError) as caught:
        predictor.predict(*pair, tmp_path / "map.tif", progress=False, resume=True)
    assert caught.tb is not None  # its frames still hold the threads' owners
    assert not [t for t in threading.enumerate() if t.name.startswith(("read", "write"))]
    assert strips_in(tmp_path / ".map.tif.partial") == ["map_000000.tif"]
