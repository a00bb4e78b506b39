"""Clients that nobody here wrote, each in an environment of its own, cannot tell the sandbox from Mollie.

The first run installs them under ``var/clients``; later runs find them there.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from linkpay.clock import SystemClock
from tests.sandbox.test_server import ROOT, Running

SCRIPTS = Path(__file__).parent / "clients"
HOME = ROOT / "var" / "clients"
SDK = "mollie-api-py==1.10.20"
NODE_CLIENT = "@mollie/api-client@4.6.0"


def run(*command: str | Path, folder: Path = ROOT, **environment: str) -> str:
    """What the command printed, run in `folder`; fails with all of it when the command does."""
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**{key: value for key, value in os.environ.items() if key != "PYTHONPATH"}, **environment},
        cwd=folder,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def installed(name: str, *steps: tuple[str, ...]) -> Path:
    """A folder in which `steps` were done once, all or not at all. ``{folder}`` names it."""
    folder = HOME / name
    if not folder.exists():
        half = HOME / f"{name}.{os.getpid()}"
        half.mkdir(parents=True)
        for step in steps:
            run(*(part.format(folder=half) for part in step))
        half.rename(folder)
    return folder


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 and its key."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sandbox.test")])
    now = SystemClock().now()
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    pem, secret = folder / "certificate.pem", folder / "key.pem"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return pem, secret


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    process = Running(tmp_path)
    yield process
    process.end()


@pytest.mark.timeout(400)
def test_the_generated_sdk_accepts_every_answer(running: Running) -> None:
    """It checks each answer against Mollie's own schema."""
    folder = installed(
        "official-sdk-1.10.20",
        (sys.executable, "-m", "venv", "{folder}"),
        ("{folder}/bin/python", "-m", "pip", "install", "--quiet", SDK),
    )
    steps = run(folder / "bin" / "python", SCRIPTS / "official_sdk.py", running.url).split("\n")
    assert len(steps) >= 14
    assert "done" in steps


def node_test(tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    """The public Node client goes through the whole story, over https as it insists on."""
    folder = installed(
        "node-client-4.6.0",
        ("npm", "install", "--prefix", "{folder}", "--no-audit", "--no-fund", "--silent", NODE_CLIENT),
    )
    running = Running(tmp_path, *certificate)
    try:
        output = run(
            "node",
            SCRIPTS / "node_client.mjs",
            running.url,
            NODE_TLS_REJECT_UNAUTHORIZED="0",  # the client brings certificate authorities of its own
            folder=folder,
        )
    finally:
        running.end()
    assert output.split("\n")[-2] == "done"


if shutil.which("node") and shutil.which("npm"):
    test_the_node_client_goes_through_the_whole_story = pytest.mark.timeout(400)(node_test)
