"""A worker process whose rows take a while and are noted in a file.

``python -m tests.workers.bellhop URL FILE SECONDS THREADS``: each run takes SECONDS and ends with a line
``kind id pid`` in FILE. Everything else is the worker's own.
"""

import logging
import os
import sys
import time
from pathlib import Path

from workers.doorbell import serve
from workers.pool import Pool


def main(url: str, file: str, seconds: str, threads: str) -> None:
    """Serve until told to stop."""
    logging.basicConfig(level="INFO", format="%(name)s %(message)s")
    notes = os.open(Path(file), os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def run(kind: str, row_id: int) -> None:
        time.sleep(float(seconds))
        os.write(notes, f"{kind} {row_id} {os.getpid()}\n".encode())

    serve(url, Pool(int(threads), 8 * int(threads), run))


if __name__ == "__main__":
    main(*sys.argv[1:])
