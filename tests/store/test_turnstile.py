"""Writers of one SQLite file take turns: in order within a process, and no process shuts out another."""

import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from linkpay.store.turnstile import Line, LockTimeout, Turnstile
from tests.waiting import eventually

#: Takes the turnstile again and again for a while from as many threads as told, and notes each turn.
_WRITERS = """
import os, sys, threading, time
from pathlib import Path
from linkpay.store.turnstile import Turnstile
turnstile, notes = Turnstile(Path(sys.argv[1])), os.open(sys.argv[2], os.O_WRONLY | os.O_APPEND)
ends = time.monotonic() + 2
def write():
    while time.monotonic() < ends:
        with turnstile.passing(30):
            os.write(notes, sys.argv[3].encode())
            time.sleep(0.002)
threads = [threading.Thread(target=write) for _ in range(int(sys.argv[4]))]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""


def test_only_one_thread_is_inside_and_all_come_in_order(tmp_path: Path) -> None:
    turnstile, order, inside = Turnstile(tmp_path / "db"), list[int](), list[int]()

    def write(number: int) -> None:
        with turnstile.passing(10):
            inside.append(number)
            assert len(inside) == 1
            order.append(number)
            inside.pop()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    with turnstile.passing(10):
        for waiting, thread in enumerate(threads, 1):
            thread.start()
            eventually(lambda: len(turnstile._line._waiting) == waiting)  # noqa: B023 - called at once
    for thread in threads:
        thread.join()
    assert order == list(range(8))


def test_who_has_just_left_waits_behind_the_others() -> None:
    line, turns = Line(), Counter[str]()
    assert line.acquire(1)

    def second() -> None:
        assert line.acquire(5)
        turns["second"] += 1
        line.release()

    thread = threading.Thread(target=second)
    thread.start()
    eventually(lambda: line._waiting)
    line.release()
    assert line.acquire(5)
    assert turns["second"] == 1
    thread.join()


def test_a_turn_that_does_not_come_in_time_is_given_up(tmp_path: Path) -> None:
    turnstile = Turnstile(tmp_path / "db")
    failed = threading.Event()

    def write() -> None:
        with pytest.raises(LockTimeout), turnstile.passing(0.05):
            pass
        failed.set()

    with turnstile.passing(0.05):
        thread = threading.Thread(target=write)
        thread.start()
        assert failed.wait(5)
    thread.join()
    with turnstile.passing(0.05):
        pass  # and it works again for everybody


def test_another_process_that_holds_on_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    one, other = Turnstile(tmp_path / "db"), Turnstile(tmp_path / "db")
    with one.passing(5):
        started = time.monotonic()
        with pytest.raises(LockTimeout), other.passing(0.05):
            pass
        assert time.monotonic() - started < 10
    with other.passing(0.05):
        pass


def test_five_processes_take_turns_whatever_threads_they_have(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.touch()
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", _WRITERS, str(tmp_path / "db"), str(notes), name, str(threads)]
        )
        for name, threads in (("a", 16), ("b", 16), ("c", 8), ("d", 1), ("e", 1))
    ]
    assert [process.wait(60) for process in writers] == [0] * 5
    turns = notes.read_text()
    together = turns[max(map(turns.index, "abcde")) : min(map(turns.rindex, "abcde"))]
    others = sorted(len(gap) for gap in together.split("e")[1:-1])
    # In order there are four between; by chance one wait in twenty would see thirteen.
    assert others[int(0.95 * len(others))] <= 8, turns


def test_who_waits_too_long_for_the_floor_frees_the_gate(tmp_path: Path) -> None:
    holder, impatient, next_one = (Turnstile(tmp_path / "db") for _ in range(3))
    with holder.passing(5):
        for waiting in (impatient, next_one):
            # A gate that the first did not free would be what the second waits for.
            with pytest.raises(LockTimeout, match="floor"), waiting.passing(0.05):
                pass
    with next_one.passing(0.05):
        pass


def test_an_error_inside_lets_the_next_one_in(tmp_path: Path) -> None:
    turnstile = Turnstile(tmp_path / "db")
    for _ in range(2):
        with pytest.raises(ConnectionError), turnstile.passing(0.5):
            raise ConnectionError("the plug is pulled")
    with Turnstile(tmp_path / "db").passing(0.05):
        pass


def test_two_databases_in_one_folder_do_not_wait_for_each_other(tmp_path: Path) -> None:
    with Turnstile(tmp_path / "db").passing(1), Turnstile(tmp_path / "other").passing(0.05):
        pass
