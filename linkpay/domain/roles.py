"""What people who manage a site may do there."""

from enum import StrEnum


class Role(StrEnum):
    """owner: everything. support: helps members. read_only: sees."""

    OWNER = "owner"
    SUPPORT = "support"
    READ_ONLY = "read_only"


class Right(StrEnum):
    """see: look at everything but secrets. help: act for members. manage: sell, set up, invite."""

    SEE = "see"
    HELP = "help"
    MANAGE = "manage"


_RIGHTS = {
    Role.OWNER: frozenset(Right),
    Role.SUPPORT: frozenset({Right.SEE, Right.HELP}),
    Role.READ_ONLY: frozenset({Right.SEE}),
}


def wider(one: Role | None, other: Role) -> Role:
    """Which of two roles may more."""
    return one if one is not None and _RIGHTS[one] > _RIGHTS[other] else other


def may(role: Role, right: Right) -> bool:
    """Whether somebody in this role may do this."""
    return right in _RIGHTS[role]
