import errno
import multiprocessing
import os
import signal
import threading
import time

import pytest

from mmcloudseg.utils import locks
from mmcloudseg.utils.errors import DataError
from mmcloudseg.utils.locks import folder_lock


def hold(folder, pipe):
    with folder_lock(folder):
        pipe.send("held")
        time.sleep(60)


@pytest.fixture
def holder(tmp_path):
    ours, theirs = multiprocessing.Pipe()
    context = multiprocessing.get_context("fork")
    process = context.Process(target=hold, args=(tmp_path / "out", theirs))
    process.start()
    assert ours.recv() == "held"
    yield process
    process.kill()
    process.join()


def test_one_at_a_time(tmp_path, holder, monkeypatch):
    monkeypatch.setattr(locks, "PATIENCE_S", 0.1)
    message = r"out: .*[Ww]ait.* or stop"
    with pytest.raises(DataError, match=message), folder_lock(tmp_path / "out"):
        pass


def test_a_killed_holder_lets_go(tmp_path, holder):
    os.kill(holder.pid, signal.SIGKILL)
    with folder_lock(tmp_path / "out"):
        pass


def test_nothing_is_left(tmp_path):
    with folder_lock(tmp_path / "a" / "out"):
        assert list((tmp_path / "a" / "out").iterdir()) == []
    assert not (tmp_path / "a" / "out").exists() and (tmp_path / "a").exists()
    with folder_lock(tmp_path / "a"):
        pass
    assert (tmp_path / "a").exists()
    with folder_lock(tmp_path / "out"):
        (tmp_path / "out" / "tile").write_text("")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["tile"]


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(FileExistsError), folder_lock(tmp_path / "out"):
        pass


def test_a_folder_that_its_holder_removes_is_made_again(tmp_path):
    folder = tmp_path / "held"
    entered = []

    def wait_for_it():
        with folder_lock(folder):
            entered.append(folder.is_dir())

    with folder_lock(folder):
        waiting = threading.Thread(target=wait_for_it)
        waiting.start()
        time.sleep(0.2)
        folder.rmdir()
    waiting.join()
    assert entered == [True]


def test_a_file_system_without_locks_is_used_without_them(tmp_path, monkeypatch):
    def unsupported(handle, *, blocking):
        raise OSError(errno.ENOTSUP, "no locks here")

    monkeypatch.setattr(locks, "lock_descriptor", unsupported)
    with folder_lock(tmp_path / "out"):
        assert (tmp_path / "out").is_dir()


def test_a_folder_that_cannot_be_written_can_be_held(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir(mode=0o500)
    with folder_lock(folder):
        pass
    assert folder.exists()


def test_emptying_the_folder_does_not_let_a_second_run_in(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "PATIENCE_S", 0.1)
    with folder_lock(tmp_path / "out"):
        for path in (tmp_path / "out").iterdir():
            path.unlink()
        with pytest.raises(DataError), folder_lock(tmp_path / "out"):
            pass
