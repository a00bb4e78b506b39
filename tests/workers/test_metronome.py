"""A steady pace through failures, and an end within a second."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from workers.metronome import Metronome
from workers.stopping import StopSignal


class Awful(Exception):
    """Weather."""


class Hours(StopSignal):
    """A stop signal whose sleeper lets hours pass at once."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def sleep(self, seconds: float) -> bool:
        self.now += max(seconds, 0.0)
        return super().sleep(0.0)


def run_turns(
    turns: int, *, period: float, durations: dict[int, float], fail_at: frozenset[int]
) -> list[float]:
    """Let a metronome make `turns` turns, counted from 0; when each began, in seconds since the first."""
    stop, began = Hours(), list[float]()

    def turn() -> None:
        number = len(began)
        began.append(stop.now)
        if len(began) == turns:
            stop.request()
        stop.now += durations.get(number, 0.0)
        if number in fail_at:
            raise Awful

    Metronome(turn, weather=(Awful,), period=period, jitter=0, now=lambda: stop.now).run(stop)
    return [at - began[0] for at in began]


def test_turns_keep_their_pace_without_drift() -> None:
    began = run_turns(2_000, period=5.0, durations=dict.fromkeys(range(2_000), 1.3), fail_at=frozenset())
    assert began == pytest.approx([5.0 * beat for beat in range(2_000)])


def test_a_turn_that_takes_too_long_skips_the_beats_it_missed() -> None:
    began = run_turns(4, period=5.0, durations={1: 12.0}, fail_at=frozenset())
    assert began == pytest.approx([0.0, 5.0, 20.0, 25.0])


def test_bad_weather_is_logged_and_the_next_turn_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    assert len(run_turns(4, period=0.01, durations={}, fail_at=frozenset({0, 2}))) == 4
    told = [record for record in caplog.records if record.getMessage() == "turn failed; the next one goes on"]
    assert [vars(record)["failures"] for record in told] == [1, 2]
    assert [vars(record)["error"] for record in told] == ["Awful", "Awful"]


def test_any_other_error_ends_the_run() -> None:
    def turn() -> None:
        raise KeyError("a fault of ours")

    with pytest.raises(KeyError):
        Metronome(turn, weather=(Awful,), period=0.01, jitter=0).run(StopSignal())


def test_the_life_sign_is_touched_by_turns_that_went_well_only(tmp_path: Path) -> None:
    sign, stop = tmp_path / "alive", StopSignal()
    seen: list[bool] = []

    def turn() -> None:
        seen.append(sign.exists())
        if len(seen) == 3:
            stop.request()
        if len(seen) == 1:
            raise Awful

    Metronome(turn, weather=(Awful,), period=0.01, jitter=0, life_sign=sign).run(stop)
    assert seen == [False, False, True]


def test_the_first_turn_waits_no_longer_than_the_jitter() -> None:
    stop = StopSignal()
    started = time.monotonic()
    Metronome(stop.request, weather=(), period=60, jitter=0.2).run(stop)
    assert time.monotonic() - started < 10


def test_a_stop_between_turns_is_noticed_at_once() -> None:
    stop, turned = StopSignal(), threading.Event()
    metronome = Metronome(turned.set, weather=(), period=60, jitter=0)
    clock = threading.Thread(target=metronome.run, args=(stop,))
    clock.start()
    assert turned.wait(5)
    stop.request()
    clock.join(10)
    assert not clock.is_alive()


def test_a_signal_wakes_the_sleeper_and_calls_back_once() -> None:
    calls: list[int] = []
    stop = StopSignal(lambda: calls.append(1))
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    try:
        stop.install()
        started = time.monotonic()
        threading.Timer(0.1, os.kill, args=(os.getpid(), signal.SIGTERM)).start()
        assert stop.sleep(60)
        assert time.monotonic() - started < 10
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.sleep(10), "once asked for, it stays asked for"
    finally:
        signal.signal(signal.SIGTERM, before[0])
        signal.signal(signal.SIGINT, before[1])
    assert calls == [1]


def test_sleeping_lasts_as_long_as_asked_when_nobody_stops_it() -> None:
    started = time.monotonic()
    assert not StopSignal().sleep(0.1)
    assert time.monotonic() - started >= 0.1
    assert not StopSignal().sleep(-1)
