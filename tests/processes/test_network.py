"""Hosts of their own hear each other, and nothing while they are cut off."""

import socket
import subprocess
import sys
from contextlib import suppress

import pytest

from tests.processes.network import Network, is_possible, network
from tests.waiting import eventually

_PORT = 8000


def _answers(hosts: Network) -> bool:
    with suppress(OSError), socket.create_connection((hosts.address("web1"), _PORT), 0.5):
        return True
    return False


def test_a_host_that_is_cut_off_is_not_reached_and_then_is_again() -> None:
    if not is_possible():  # asked here, as asking makes one: merely listing the tests must not
        pytest.skip("this machine lets nobody make network namespaces, which takes Linux and root")
    with network() as hosts:
        address = hosts.address("web1")
        command = [*hosts.on("web1"), sys.executable, "-m", "http.server", str(_PORT), "--bind", address]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            eventually(lambda: _answers(hosts))
            hosts.cut("web1")
            assert not _answers(hosts)
            hosts.join("web1")
            eventually(lambda: _answers(hosts))
        finally:
            server.kill()
            server.wait()
    left = subprocess.run(("ip", "netns", "list"), capture_output=True, text=True, check=True).stdout
    assert hosts.switch not in left
