"""One supervisor for all processes: supervisord, because it restarts what dies.

(honcho ends everything when one process dies; circus restarts too, but brings ZeroMQ and Tornado.)
"""

import shlex
import signal
import subprocess
import sys
from pathlib import Path

from linkpay.local.stack import Program, Stack

_SECTION = """
[program:{name}]
command={command}
directory={folder}
priority={priority}
autorestart=true
startsecs=1
startretries=20
stopwaitsecs=15
killasgroup=true
redirect_stderr=true
stdout_logfile={log}
stdout_logfile_maxbytes=5MB
stdout_logfile_backups=1
"""
# Each program leaves its id, which is also that of its process group, before it starts.
_START = 'echo $$ >"$0" && exec "$@"'


def configuration(stack: Stack) -> str:
    """The supervisor's whole configuration. It opens no port and no socket; signals are enough."""
    places = stack.places
    head = (
        f"[supervisord]\nnodaemon=true\nsilent=true\nnocleanup=true\n"
        f"logfile={_literal(log_file(stack, 'supervisor'))}\nlogfile_maxbytes=1MB\nlogfile_backups=1\n"
        f"pidfile={_literal(places.run / 'supervisor.pid')}\n"
    )
    return head + "".join(_section(stack, order, program) for order, program in enumerate(stack.programs))


def _section(stack: Stack, order: int, program: Program) -> str:
    pid_file = str(stack.places.run / f"{program.name}.pid")
    return _SECTION.format(
        name=program.name,
        command=_literal(shlex.join(("/bin/sh", "-c", _START, pid_file, *program.command))),
        folder=_literal(stack.folder),
        priority=order,
        log=_literal(_literal(log_file(stack, program.name))),  # the supervisor expands this one twice
    )


def _literal(text: str | Path) -> str:
    """Text that the supervisor must not expand."""
    return str(text).replace("%", "%%")


def log_file(stack: Stack, name: str) -> Path:
    """Where the program of this name writes."""
    return stack.places.log / f"{name}.log"


def start(stack: Stack) -> subprocess.Popen[bytes]:
    """Start the supervisor and with it all programs. A session of its own keeps Ctrl-C from it."""
    file = stack.places.run / "supervisor.conf"
    file.write_text(configuration(stack))
    with log_file(stack, "supervisor").open("ab") as log:
        return subprocess.Popen(  # noqa: S603 (our own command)
            (sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(file)),
            env=dict(stack.environment),
            cwd=stack.folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def stop(supervisor: subprocess.Popen[bytes], patience: float = 60) -> None:
    """Stop all programs, the last started first, and the supervisor; returns when it is gone."""
    supervisor.send_signal(signal.SIGTERM)
    try:
        supervisor.wait(timeout=patience)
    except subprocess.TimeoutExpired:
        supervisor.kill()
        supervisor.wait()
