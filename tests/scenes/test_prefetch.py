from __future__ import annotations

import threading
import time

import pytest

from mmcloudseg.scenes.prefetch import Background, prefetch


def test_in_order_in_another_thread_and_not_too_far_ahead():
    begun, threads = [], set()

    def work(item):
        begun.append(item)
        threads.add(threading.current_thread())
        return 2 * item

    results = prefetch(work, range(20), ahead=2)
    assert next(results) == 0
    time.sleep(0.05)
    assert begun == [0, 1, 2]
    assert list(results) == [2 * item for item in range(1, 20)]
    assert threading.current_thread() not in threads


def test_an_error_comes_where_its_result_would():
    def work(item):
        if item == 2:
            raise ValueError("two")
        return item

    results = prefetch(work, range(5))
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ValueError, match="two"):
        next(results)


def test_closed_no_work_goes_on():
    running = threading.Event()
    ended = []

    def work(item):
        running.set()
        time.sleep(0.05)
        ended.append(item)

    results = prefetch(work, range(100))
    next(results)
    results.close()
    count = len(ended)
    time.sleep(0.15)
    assert len(ended) == count < 5


def test_background_waits_at_the_end_and_keeps_the_order():
    done = []
    with Background() as background:
        for item in range(10):
            background.submit(lambda item=item: (time.sleep(0.005), done.append(item)))
    assert done == list(range(10))


def test_background_raises_what_went_wrong():
    def fails():
        raise OSError("full")

    with pytest.raises(OSError, match="full"), Background() as background:
        background.submit(fails)


def test_background_finishes_what_was_submitted_before_an_error():
    done = []
    with pytest.raises(KeyError), Background() as background:
        background.submit(lambda: (time.sleep(0.05), done.append(1)))
        raise KeyError
    assert done == [1]
