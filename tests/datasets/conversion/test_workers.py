"""What may happen to processes: errors, a death, the death of their parent."""

import multiprocessing
import os
import signal
import time

import pytest

from mmcloudseg.datasets.conversion.workers import Workers
from mmcloudseg.utils.errors import DataError


def square(number):
    return number * number, os.getpid()


def fail(number):
    raise DataError(f"no {number}.tif")


def die_at(number):
    if number == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.02)


def sleep_on(pipe):
    pipe.send(os.getpid())
    time.sleep(60)


@pytest.mark.parametrize("jobs", [1, 3])
def test_results(jobs):
    with Workers(jobs) as workers:
        for _ in range(2):
            results = list(workers.map(square, range(20)))
            assert [value for value, _ in results] == [n * n for n in range(20)]
            # Even one job has a process: Ctrl-C must not reach rasterio.
            assert os.getpid() not in {pid for _, pid in results}
        assert list(workers.map(square, [])) == []


def test_processes_are_forked_at_once_and_not_with_the_first_result():
    """A fork after the start of a thread, such as that of a progress bar, may hang."""
    with Workers(2) as workers:
        results = workers.map(square, range(4))
        assert len(multiprocessing.active_children()) == 2
        assert len(list(results)) == 4


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_error_keeps_its_type_and_text(jobs):
    with pytest.raises(DataError, match=r"no 3\.tif"), Workers(jobs) as workers:
        list(workers.map(fail, [3]))


def test_after_an_error_the_waiting_items_are_left_undone(tmp_path):
    paths = [tmp_path / str(number) for number in range(100)]
    with pytest.raises(FileNotFoundError), Workers(2) as workers:
        list(workers.map(touch, [tmp_path / "no" / "such", *paths]))
    assert len(list(tmp_path.iterdir())) < 50


def touch(path):
    time.sleep(0.01)
    path.touch()


def test_a_worker_that_dies_is_told():
    with pytest.raises(ChildProcessError, match=r"memory.*fewer --jobs"), Workers(2) as workers:
        list(workers.map(die_at, range(4)))


def test_workers_end_when_the_block_does():
    with Workers(2) as workers:
        children = {pid for _, pid in workers.map(square, range(50))}
    for pid in children:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_workers_end_when_their_parent_is_killed():
    """They would otherwise go on writing beside the next run."""
    ours, theirs = multiprocessing.Pipe()

    def parent():
        with Workers(2) as workers:
            list(workers.map(sleep_on, [theirs, theirs]))

    process = multiprocessing.get_context("fork").Process(target=parent)
    process.start()
    workers = [ours.recv(), ours.recv()]
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    deadline = time.monotonic() + 5
    while any(map(is_running, workers)):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_at_most_four_processes_by_default(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)))
    with Workers() as workers:
        workers.map(square, range(10))
        assert len(multiprocessing.active_children()) == 4
