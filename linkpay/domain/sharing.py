"""Offers that open the same things at Kajabi: a revoke of one there closes what they share.

Products are names or ids, alike for all offers of a site; where they are not known, nothing is shared.
"""

from collections.abc import Collection, Mapping
from typing import TypeVar

Key = TypeVar("Key")


def nothing_to_close(products: Collection[str], others: Collection[Collection[str]]) -> bool:
    """Whether a revoke would close nothing but what the member has by other offers as well.

    Then it is better left undone: the other offers never blink.
    """
    kept = {product for other in others for product in other}
    return bool(products) and kept.issuperset(products)


def closed_with(products: Collection[str], others: Mapping[Key, Collection[str]]) -> list[Key]:
    """Which of the member's other offers a revoke closes a part of, so that they must be opened anew.

    Opening one anew closes and opens the whole of it, so the others need nothing on its account.
    """
    gone = set(products)
    return [key for key, other in others.items() if not gone.isdisjoint(other)]
