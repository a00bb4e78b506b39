"""Calls end at their time, each its own, and a connection that serves the next call is left alone."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

from linkpay.adapters import time_limits
from linkpay.adapters.time_limits import time_limit

LONG = 60.0


@contextmanager
def silence() -> Iterator[socket.socket]:
    """A connection on which nothing ever comes."""
    ours, theirs = socket.socketpair()
    ours.settimeout(10)
    with ours, theirs:
        yield ours


def test_a_read_that_takes_too_long_is_cut_while_a_longer_limit_waits() -> None:
    with silence() as first, silence() as second, time_limit(LONG) as patient:
        patient.watch(first)
        with time_limit(0.05) as limit:
            limit.watch(second)
            assert second.recv(1) == b""
            assert limit.expired
        assert not patient.expired


def test_a_limit_that_is_over_cuts_a_connection_that_comes_late() -> None:
    with silence() as line, time_limit(0.01) as limit:
        while not limit.expired:
            time.sleep(0.005)
        limit.watch(line)
        assert line.recv(1) == b""


def test_a_call_that_ended_in_time_is_never_cut() -> None:
    with silence() as line:
        with time_limit(0.5) as limit:
            limit.watch(line)
        with time_limit(0.6) as next_limit, silence() as other:
            next_limit.watch(other)
            assert other.recv(1) == b""  # the first one's time has passed, too
        line.settimeout(0.01)
        try:
            line.recv(1)
        except TimeoutError:
            return
        raise AssertionError("a connection was cut that no call waits for")


def test_the_connection_of_a_call_is_put_under_the_limit_of_its_thread() -> None:
    with silence() as line:
        with time_limit(0.05):
            time_limits.watch(line)
            assert line.recv(1) == b""
        time_limits.watch(line)  # without a call there is no limit


def test_limits_hold_in_a_forked_process() -> None:
    with time_limit(LONG):  # the watching thread runs here, and not there
        child = os.fork()
        if child == 0:
            with silence() as line, time_limit(0.05) as limit:
                limit.watch(line)
                os._exit(0 if line.recv(1) == b"" else 1)
        _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
