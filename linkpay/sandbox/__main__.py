"""``python -m linkpay.sandbox --port N --smtp-port M --state FILE``: the sandbox alone."""

import argparse
import os
import signal
import sys
from pathlib import Path

from linkpay.errors import SettingsError
from linkpay.sandbox.server import Places, Service

ENDS = (signal.SIGTERM, signal.SIGINT)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m linkpay.sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=8090, help="HTTP port, 0 for a free one")
    parser.add_argument("--smtp-port", type=int, default=None, help="port of the mail sink; none without it")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (there is no sign-in)")
    parser.add_argument("--state", type=Path, default=Path("var/sandbox.db"), help="the state file")
    parser.add_argument("--certificate", type=Path, default=None, help="PEM certificate, to speak https")
    parser.add_argument("--private-key", type=Path, default=None, help="PEM key of the certificate")
    options = parser.parse_args()
    if (options.certificate is None) != (options.private_key is None):
        parser.error("--certificate and --private-key go together")
    # Blocked here and in every thread, then waited for: a signal can never interrupt a half-done deed.
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)
    try:
        service = Service(Places(**vars(options)))
        port = service.prepare()
    except (SettingsError, OSError) as error:
        sys.stderr.write(f"The sandbox cannot start: {error}\n")
        return 1

    scheme = "http" if options.certificate is None else "https"
    sys.stdout.write(f"Sandbox on {scheme}://{options.host}:{port} with state in {options.state}\n")
    sys.stdout.flush()
    service.serve(ended=lambda: os.kill(os.getpid(), signal.SIGTERM))
    signal.sigwait(ENDS)
    if not service.stop():
        os._exit(0)  # the state is written; a thread that hangs must not keep the process
    return 0


if __name__ == "__main__":
    sys.exit(main())
