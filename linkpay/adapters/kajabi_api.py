"""Kajabi: `KajabiDirectory` over its public API.

There is no filter for an exact e-mail, nor for an external id, and the host of ``links.next`` varies
(public specification 1.1): people are searched by a part and compared here, pages followed by query only.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from linkpay.adapters.kajabi_calls import Json, KajabiCalls, Pairs, next_query
from linkpay.errors import Missing, Retryable
from linkpay.ports import Contact, DirectoryKey, DirectoryOffer

#: Contacts a page: with their relationships, 64 KiB must hold a page.
_PAGE = 25
_CONTACTS = "/v1/contacts"
_CONNECT_TIMEOUT_S = 2.0


class KajabiApi:
    """Reads back what people have, and tags them; for any number of threads and sites.

    Times are in seconds: between two bytes, and for a whole call.
    """

    def __init__(self, api_url: str, *, read_timeout_s: float = 8.0, total_s: float = 10.0) -> None:
        self._calls = KajabiCalls(api_url, (_CONNECT_TIMEOUT_S, read_timeout_s), total_s=total_s)

    def check(self, key: DirectoryKey) -> None:
        """Raise unless the key reaches this site."""
        self._calls.get(key, f"/v1/sites/{_segment(key.site_id)}")

    def find_contact(self, key: DirectoryKey, email: str) -> Contact | None:
        """The contact with exactly this e-mail (lower case), with the offers that she has now."""
        pairs = [*_of_site(key), ("filter[email_contains]", email), ("page[size]", str(_PAGE))]
        for page in self._calls.pages(key, _CONTACTS, pairs):
            for found in _data(page):
                contact = _contact(found)
                if contact.email == email:
                    return self._with_offers(key, contact)
        return None

    def _with_offers(self, key: DirectoryKey, contact: Contact) -> Contact:
        path = f"{_CONTACTS}/{_segment(contact.id)}/relationships/offers"
        offers = frozenset(_id(item) for item in _data(self._calls.get(key, path)))
        return Contact(contact.id, contact.email, contact.external_user_id, offers, contact.products)

    def set_external_id(self, key: DirectoryKey, contact_id: str, external_user_id: str) -> None:
        """Give a customer the id by which we name her."""
        attributes = {"external_user_id": external_user_id}
        body = {"data": {"type": "contacts", "id": contact_id, "attributes": attributes}}
        self._calls.send(key, "PATCH", f"{_CONTACTS}/{_segment(contact_id)}", body)

    def holders(self, key: DirectoryKey, offer_id: str, page: int) -> tuple[Sequence[Contact], bool]:
        """One page (from 1) of who has an offer now, and whether there are more."""
        pairs = [
            *_of_site(key), ("filter[has_offer_id]", offer_id), ("page[size]", str(_PAGE)),
            ("page[number]", str(page)), ("fields[contacts]", "email,external_user_id"),
        ]  # fmt: skip
        found = self._calls.get(key, _CONTACTS, pairs)
        return [_contact(item) for item in _data(found)], bool(next_query(found))

    def offers(self, key: DirectoryKey) -> Sequence[DirectoryOffer]:
        """Every offer of the site that can be granted."""
        pairs = [*_of_site(key), ("page[size]", str(_PAGE))]
        found = [item for page in self._calls.pages(key, "/v1/offers", pairs) for item in _data(page)]
        return [self._offer(key, item) for item in found]

    def _offer(self, key: DirectoryKey, item: Json) -> DirectoryOffer:
        products = _related(item, "products")
        if products is None:
            path = f"/v1/offers/{_segment(_id(item))}/relationships/products"
            products = [_id(one) for one in _data(self._calls.get(key, path))]
        return DirectoryOffer(_id(item), str(_attributes(item).get("title") or ""), tuple(sorted(products)))

    def tags(self, key: DirectoryKey) -> Mapping[str, str]:
        """Ids of the site's tags by name."""
        pairs = [*_of_site(key), ("page[size]", str(_PAGE))]
        pages = self._calls.pages(key, "/v1/contact_tags", pairs)
        return {str(_attributes(item).get("name")): _id(item) for page in pages for item in _data(page)}

    def add_tags(self, key: DirectoryKey, contact_id: str, tag_ids: Sequence[str]) -> None:
        """Tag a contact."""
        self._tag(key, "POST", contact_id, tag_ids)

    def remove_tags(self, key: DirectoryKey, contact_id: str, tag_ids: Sequence[str]) -> None:
        """Take tags off a contact."""
        self._tag(key, "DELETE", contact_id, tag_ids)

    def _tag(self, key: DirectoryKey, method: str, contact_id: str, tag_ids: Sequence[str]) -> None:
        if tag_ids:
            body = {"data": [{"type": "contact_tags", "id": tag_id} for tag_id in tag_ids]}
            self._calls.send(key, method, f"{_CONTACTS}/{_segment(contact_id)}/relationships/tags", body)


def _of_site(key: DirectoryKey) -> Pairs:
    return [("filter[site_id]", key.site_id)]


def _segment(text: str) -> str:
    """An id as a part of a path. Raises Missing for one that would lead elsewhere."""
    if not text.isascii() or not text.replace("-", "").replace("_", "").isalnum():
        raise Missing("this is not an id of Kajabi's")
    return text


def _data(document: Json) -> list[Json]:
    """The items of a list, none left out in silence."""
    data = document.get("data")
    if not isinstance(data, list) or not all(isinstance(item, dict) for item in data):
        raise Retryable("Kajabi: a list without items")
    return data


def _id(item: Json) -> str:
    found = item.get("id")
    if not isinstance(found, str | int) or not str(found):
        raise Retryable("Kajabi: an item without an id")
    return str(found)


def _attributes(item: Json) -> dict[str, Any]:
    found = item.get("attributes")
    return found if isinstance(found, dict) else {}


def _related(item: Json, name: str) -> list[str] | None:
    """Ids of a relationship; None where the answer does not hold it."""
    relationships = item.get("relationships")
    relation = relationships.get(name) if isinstance(relationships, dict) else None
    data = relation.get("data") if isinstance(relation, dict) else None
    return [_id(one) for one in data] if isinstance(data, list) else None


def _contact(item: Json) -> Contact:
    attributes, products = _attributes(item), _related(item, "products")
    external_id = attributes.get("external_user_id")
    return Contact(
        _id(item),
        str(attributes.get("email") or "").strip().lower(),
        str(external_id) if external_id is not None else None,
        products=None if products is None else frozenset(products),
    )
