"""The bill of materials holds what is pinned: all of it, nothing else, in the form of CycloneDX."""

import json
import re
from pathlib import Path
from typing import Any

import cyclonedx.schema
import jsonschema_rs
import pytest

from config.environment import ROOT
from tests.supply import __main__ as program
from tests.supply.locks import LOCKS


@pytest.fixture(scope="module")
def bill(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    path = tmp_path_factory.mktemp("supply") / "bom.json"
    program.main([str(path)])
    read: dict[str, Any] = json.loads(path.read_text())
    return read


def test_it_holds_each_pinned_package_with_version_and_hashes(bill: dict[str, Any]) -> None:
    held = {(one["name"], one["version"]): one for one in bill["components"]}
    assert len(held) == len(bill["components"])
    pinned: dict[tuple[str, str], set[str]] = {}
    for lock in LOCKS:
        name = ("", "")
        for line in lock.read_text().splitlines():  # read here by other means than the bill's
            if "==" in line and not line.startswith((" ", "#")):
                name = (line.split("==")[0], re.split(r"[ ;\\]", line.split("==")[1])[0])
                pinned.setdefault(name, set())
            elif "--hash=sha256:" in line:
                pinned[name].add(line.partition("sha256:")[2].rstrip(" \\"))
    assert len(pinned) > 60
    assert held.keys() == pinned.keys()
    for name, one in held.items():
        assert {said["content"] for said in one["hashes"]} == pinned[name], name
        assert one["purl"] == f"pkg:pypi/{name[0]}@{name[1]}"


def test_it_tells_what_runs_from_what_only_tests(bill: dict[str, Any]) -> None:
    scopes = {one["name"]: one["scope"] for one in bill["components"]}
    assert (scopes["flask"], scopes["sentry-sdk"], scopes["pytest"]) == ("required", "optional", "excluded")


def test_every_lock_is_in_it() -> None:
    assert set(LOCKS) == {ROOT / "requirements.txt", *(ROOT / "config").glob("requirements-*.txt")}


def test_it_is_of_the_form_that_it_names(bill: dict[str, Any]) -> None:
    folder = Path(cyclonedx.schema.__file__).parent / "_res"
    names = ("bom-1.6", "spdx", "jsf-0.82", "cryptography-defs")
    forms = {name: json.loads((folder / f"{name}.SNAPSHOT.schema.json").read_text()) for name in names}
    base = forms["bom-1.6"]["$id"].rpartition("/")[0]
    registry = jsonschema_rs.Registry(
        [(f"{base}/{name}.SNAPSHOT.schema.json", form) for name, form in forms.items()]
    )
    judge = jsonschema_rs.Draft7Validator(forms["bom-1.6"], registry=registry)
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert [str(wrong) for wrong in judge.iter_errors(bill)] == []
    assert list(judge.iter_errors(bill | {"components": [{"name": "x"}]})), "the form itself is looked at"
