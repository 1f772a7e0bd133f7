"""What may happen to processes: errors, a death, the death of their parent."""

import functools
import multiprocessing
import os
import signal
import time

import pytest

from mmcloudseg.datasets.conversion.workers import Workers, default_jobs
from mmcloudseg.utils.errors import DataError


def square(number):
    return number * number, os.getpid()


def wait_then(number):
    time.sleep(0.02 * number)
    return number


def fail(number):
    raise DataError(f"no {number}.tif")


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def sleep_on(pipe):
    pipe.send(os.getpid())
    time.sleep(60)


def tasks(function, numbers):
    return [functools.partial(function, number) for number in numbers]


@pytest.mark.parametrize("jobs", [1, 3])
def test_results(jobs):
    with Workers(jobs) as workers:
        for _ in range(2):
            results = list(workers.run(tasks(square, range(20))))
            assert sorted(value for value, _ in results) == [n * n for n in range(20)]
            processes = {pid for _, pid in results}
            assert (processes == {os.getpid()}) == (jobs == 1)
        assert list(workers.run([])) == []


def test_results_come_when_they_are_ready():
    with Workers(2) as workers:
        assert list(workers.run(tasks(wait_then, [20, 0, 1, 2]))) == [0, 1, 2, 20]


def test_tasks_are_asked_for_one_by_one():
    asked = []

    def lazily():
        for number in range(10):
            asked.append(number)
            yield functools.partial(square, number)

    with Workers(2) as workers:
        next(workers.run(lazily()))
    assert len(asked) <= 4


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_error_keeps_its_type_and_text(jobs):
    with pytest.raises(DataError, match=r"no 3\.tif"), Workers(jobs) as workers:
        list(workers.run(tasks(fail, [3])))


def test_a_worker_that_dies_is_told():
    with pytest.raises(ChildProcessError, match=r"exit code -9.*fewer --jobs"), Workers(2) as w:
        list(w.run([die, *tasks(wait_then, [1])]))


def test_workers_end_when_the_block_does():
    with Workers(2) as workers:
        children = {pid for _, pid in workers.run(tasks(square, range(50)))}
    for pid in children:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_workers_end_when_their_parent_is_killed():
    """They would otherwise go on writing beside the next run."""
    ours, theirs = multiprocessing.Pipe()

    def parent():
        with Workers(2) as workers:
            list(workers.run(tasks(sleep_on, [theirs, theirs])))

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


def test_jobs_by_default():
    assert 1 <= default_jobs() <= 4
