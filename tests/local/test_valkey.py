"""The embedded server: durable, private, and able to do what RQ asks of it."""

import os
import signal
import stat
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as NotThere

from linkpay.local import valkey


def test_it_answers_on_a_private_socket_and_opens_no_port(tmp_path: Path) -> None:
    with valkey.running(tmp_path / "v") as process:
        client = Redis.from_url(valkey.url(tmp_path / "v"))
        assert client.ping()
        assert client.info("server")["process_id"] == process.pid
        assert client.config_get("port", "maxmemory-policy", "appendonly", "appendfsync") == {
            "port": "0",
            "maxmemory-policy": "noeviction",
            "appendonly": "yes",
            "appendfsync": "no",  # with `everysec` a kill on a busy disk costs what was answered
        }
        assert stat.S_IMODE(valkey.socket_path(tmp_path / "v").stat().st_mode) == 0o700
        client.close()
    assert process.returncode == 0
    assert not valkey.answers(tmp_path / "v")


def test_what_was_written_survives_a_kill(tmp_path: Path) -> None:
    with valkey.running(tmp_path) as process:
        client = Redis.from_url(valkey.url(tmp_path))
        for number in range(200):
            client.lpush("queue", number)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        with pytest.raises(NotThere):
            client.ping()
    with valkey.running(tmp_path):
        assert client.llen("queue") == 200
        client.close()


def test_a_deep_folder_gets_a_short_socket(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    assert len(str(valkey.socket_path(deep))) < 100
    with valkey.running(deep):
        assert valkey.answers(deep)


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "appendonlydir").write_text("a file in the way")
    with pytest.raises(valkey.ValkeyFailed, match="appendonlydir"), valkey.running(tmp_path):
        pass
