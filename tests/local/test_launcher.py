"""The launcher, with real small programs in place of LinkPay's: it is the supervision that is tested."""

import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from rich.console import Console

from config.local import bare_environment
from linkpay.local import launcher, supervision
from linkpay.local.places import Places
from linkpay.local.processes import Process, all_processes, end_leftovers, members, read_pid
from linkpay.local.stack import Program, Stack, answers
from linkpay.local.summary import show
from tests.ports import free_port
from tests.waiting import eventually

SLEEP = (sys.executable, "-c", "import time; print('awake', flush=True); time.sleep(600)")
# Like a web server with a worker process that would survive its parent.
PARENT = (sys.executable, "-c", f"import subprocess; print('parent'); subprocess.run({SLEEP!r})")


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    places = Places(tmp_path / "v %r")  # a space and a percent sign must not matter
    places.prepare()
    port = free_port()
    web = (sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1")
    yield Stack(
        programs=(
            Program("web", web, partial(answers, f"http://127.0.0.1:{port}/")),
            Program("parent", PARENT),
        ),
        prepare=(sys.executable, "-c", "open('prepared', 'a').write('x')"),
        seed=(sys.executable, "-c", 'print(\'{"checkout_url": "http://127.0.0.1:1/demo/buy/course"}\')'),
        ports={"PORT": port, "SANDBOX_PORT": free_port()},
        places=places,
        environment=bare_environment(),
        folder=tmp_path,
    )
    end_leftovers(places.run, launcher.MARK, patience=0)


@pytest.fixture
def screen() -> Console:
    return Console(file=io.StringIO(), width=60)


def shown(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def group_of(stack: Stack, name: str) -> list[Process]:
    return members({read_pid(stack.places.run / f"{name}.pid") or 0}, launcher.MARK)


def await_parent(stack: Stack) -> None:
    """Return when `PARENT` and its child run, and the child has said so.

    Until then its life hangs on its supervisor's: to speak when nobody listens any more would end it.
    """
    log = supervision.log_file(stack, "parent")
    eventually(lambda: log.exists() and "awake" in log.read_text() and len(group_of(stack, "parent")) == 2)


def watch(stack: Stack, screen: Console, supervisor: "subprocess.Popen[bytes]") -> None:
    with pytest.raises(launcher.CannotRun, match="supervisor ended"):
        launcher.keep_watch(stack, screen, supervisor)


def test_everything_runs_and_everything_stops(stack: Stack, screen: Console) -> None:
    with launcher.running(stack, screen, 60):
        assert (stack.folder / "prepared").read_text() == "x"
        await_parent(stack)
        groups = {process.group for name in ("web", "parent") for process in group_of(stack, name)}
        assert launcher.seed(stack, screen) == {"checkout_url": "http://127.0.0.1:1/demo/buy/course"}
    assert not members(groups, launcher.MARK)
    assert "ready  web" in shown(screen)


def test_what_dies_is_started_again_and_its_orphans_end(
    stack: Stack, screen: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    with launcher.running(stack, screen, 60) as supervisor:
        await_parent(stack)
        old = read_pid(stack.places.run / "parent.pid")
        assert old
        watched, poll = threading.Event(), supervisor.poll

        def answering() -> int | None:
            watched.set()
            return poll()

        monkeypatch.setattr(supervisor, "poll", answering)
        watcher = threading.Thread(target=watch, args=(stack, screen, supervisor))
        watcher.start()
        assert watched.wait(60)
        os.kill(old, signal.SIGKILL)
        eventually(lambda: read_pid(stack.places.run / "parent.pid") not in (old, None))
        eventually(lambda: not members({old}, launcher.MARK))
        eventually(lambda: len(group_of(stack, "parent")) == 2)
    watcher.join(10)
    assert "parent ended and was started again" in shown(screen)


def test_leftovers_of_a_killed_run_are_ended_at_the_next_start(stack: Stack, screen: Console) -> None:
    supervisor = supervision.start(stack)
    launcher.wait_for(stack, stack.programs[0], supervisor, 60)
    await_parent(stack)
    os.killpg(supervisor.pid, signal.SIGKILL)
    supervisor.wait()
    groups = {process.group for name in ("web", "parent") for process in group_of(stack, name)}
    assert len(members(groups, launcher.MARK)) == 3
    with launcher.running(stack, screen, 60):
        assert not members(groups, launcher.MARK)
    assert "ended 3 processes" in shown(screen)


def test_a_port_that_its_owner_is_about_to_leave_is_waited_for(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launcher, "_SECONDS_TO_LEAVE", 60.0)
    with socket.create_server(("127.0.0.1", stack.ports["PORT"])) as leaving:
        threading.Timer(0.3, leaving.close).start()
        launcher.check_ports(stack)
    with socket.create_server(("127.0.0.1", stack.ports["PORT"])):
        pass


def test_a_process_that_only_has_an_old_number_of_ours_is_left_alone(stack: Stack) -> None:
    stranger = subprocess.Popen(("sleep", "60"), start_new_session=True)
    try:
        (stack.places.run / "web.pid").write_text(str(stranger.pid))
        assert stranger.pid in {process.pid for process in all_processes()}
        assert end_leftovers(stack.places.run, launcher.MARK, patience=0) == []
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_second_start_says_that_the_first_still_runs(stack: Stack) -> None:
    with (
        launcher.alone(stack.places.run),
        pytest.raises(launcher.CannotRun, match="already runs"),
        launcher.alone(stack.places.run),
    ):
        pass
    with launcher.alone(stack.places.run):
        pass


def test_a_taken_port_is_named_with_the_way_out(stack: Stack) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", stack.ports["SANDBOX_PORT"]))
        taken.listen()
        with pytest.raises(launcher.CannotRun, match=r"SANDBOX_PORT=\d+ make run") as caught:
            launcher.check_ports(stack)
    assert "\n  port" in str(caught.value)
    launcher.check_ports(stack)


def test_a_failing_preparation_shows_its_last_words(stack: Stack, screen: Console) -> None:
    broken = Stack(**{**vars(stack), "prepare": (sys.executable, "-c", "raise SystemExit('no such table')")})
    with pytest.raises(launcher.CannotRun, match="no such table"), launcher.running(broken, screen):
        pass


def test_a_program_that_never_answers_shows_its_last_words(stack: Stack, screen: Console) -> None:
    log = supervision.log_file(stack, "mute")

    def is_ready() -> bool:
        eventually(lambda: log.exists() and "cannot bind" in log.read_text())
        return False

    mute = Program("mute", (sys.executable, "-c", "raise SystemExit('cannot bind')"), is_ready)
    broken = Stack(**{**vars(stack), "programs": (mute, *stack.programs)})
    with pytest.raises(launcher.CannotRun, match="cannot bind"), launcher.running(broken, screen, 0):
        pass
    assert not [process for process in all_processes() if str(stack.places.run) in process.command]


def test_seeding_that_prints_no_json_is_refused(stack: Stack, screen: Console) -> None:
    broken = Stack(**{**vars(stack), "seed": (sys.executable, "-c", "print('hello')")})
    with pytest.raises(launcher.CannotRun, match="no JSON: hello"):
        launcher.seed(broken, screen)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_stops_and_the_next_does_not_disturb(number: signal.Signals) -> None:
    before = signal.getsignal(number)

    def work() -> None:
        with launcher.stopped_by_signals():
            try:
                os.kill(os.getpid(), number)
                time.sleep(5)
            finally:
                os.kill(os.getpid(), number)

    with pytest.raises(launcher.Stopped):
        work()
    assert signal.getsignal(number) is before


def test_the_summary_can_be_copied_line_by_line(stack: Stack, screen: Console) -> None:
    show(
        screen,
        stack,
        json.loads('{"checkout_url": "http://127.0.0.1:1/demo/buy/course", "site": "demo"}'),
        Path("p"),
    )
    text = shown(screen)
    assert "checkout" in text
    assert "http://127.0.0.1:1/demo/buy/course" in text
    assert "p -m linkpay buy --plan monthly --email you@example.test" in text
    assert f"http://127.0.0.1:{stack.ports['SANDBOX_PORT']}/_sandbox/mail" in text
    assert "Ctrl-C stops everything" in text
