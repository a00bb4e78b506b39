"""The bill of materials, made of the locked requirements alone: the same locks give the same components."""

from collections.abc import Iterator

from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from tests.supply.locks import LOCKS, Pin, pins

#: What runs, what runs where somebody sets it, and what never leaves a developer's machine.
_SCOPES = {
    "product": ComponentScope.REQUIRED,
    "option": ComponentScope.OPTIONAL,
    "development": ComponentScope.EXCLUDED,
}


def bill() -> Bom:
    """Every pinned package once, with the hashes of the files that may be installed."""
    made = Bom(components=_components())
    made.metadata.component = Component(name="linkpay", type=ComponentType.APPLICATION)
    made.register_dependency(made.metadata.component, made.components)
    return made


def as_json(made: Bom) -> str:
    """CycloneDX 1.6."""
    return JsonV1Dot6(made).output_as_string(indent=1) + "\n"


def _components() -> Iterator[Component]:
    seen = set()
    for lock, needed_by in LOCKS.items():
        for pin in pins(lock):
            if (pin.name, pin.version) not in seen:
                seen.add((pin.name, pin.version))
                yield _component(pin, _SCOPES[needed_by])


def _component(pin: Pin, scope: ComponentScope) -> Component:
    url = PackageURL("pypi", name=pin.name, version=pin.version)
    return Component(
        name=pin.name, version=pin.version, type=ComponentType.LIBRARY, scope=scope, purl=url,
        bom_ref=url.to_string(), hashes=[HashType(alg=HashAlgorithm.SHA_256, content=h) for h in pin.hashes],
        properties=[Property(name="linkpay:only-where", value=pin.marker)] if pin.marker else [],
    )  # fmt: skip
