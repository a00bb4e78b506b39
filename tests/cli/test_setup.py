"""``setup``: a file that cannot be read is answered in a sentence."""

import json
from pathlib import Path

from tests.cli.conftest import Run


def test_a_file_in_another_encoding_is_refused_by_name(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "my-site.toml"
    file.write_text('name = "Zoë"', encoding="latin-1")
    refused = run("setup", str(file), "--json")
    error = json.loads(refused.stderr)["error"]
    assert (refused.exit_code, error["code"]) == (1, "unreadable")
    assert error["message"] == "my-site.toml is not written in UTF-8; save it so."
