"""``python -m linkpay``."""

from linkpay.cli.main import main
from linkpay.logs import configure

if __name__ == "__main__":
    # People asked for an answer, not for a log; an error nobody foresaw is still told, without secrets.
    configure("ERROR", as_json=False)
    main(prog_name="python -m linkpay")
