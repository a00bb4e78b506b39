"""People who manage the stage's site, and browsers in which they are signed in."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from argon2 import PasswordHasher
from werkzeug.test import TestResponse

from linkpay.domain.roles import Role
from linkpay.services import signin
from linkpay.store import owners
from tests.flows.stage import Stage
from tests.web.visitor import Visitor

PASSWORD = "a sentence is easy to keep"
# Hashing takes long on purpose, for who guesses. Tests sign in thousands of times, and guess nothing.
QUICK = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
HASH = QUICK.hash(PASSWORD)


@dataclass
class Team:
    """Makes people and signs them in."""

    stage: Stage
    new_visitor: Callable[[], Visitor]

    def person(self, email: str, role: Role | None = Role.OWNER) -> int:
        """Somebody who knows the password, with this role on the stage's site."""
        now = self.stage.clock.now()
        with self.stage.database.write() as tx:
            owner = owners.owner_for(tx, email, now)
            owner.password_hash, owner.locale = HASH, "en"
            if role is not None:
                owners.put_role(tx, self.stage.shop.site_id, owner.id, role, now)
            return owner.id

    def enter(self, email: str, password: str = PASSWORD) -> tuple[Visitor, TestResponse]:
        """A browser that sent the sign-in form, and the answer."""
        visitor = self.new_visitor()
        return visitor, visitor.press(visitor.look("/owner/sign-in"), email=email, password=password)

    def signed_in(self, role: Role = Role.OWNER) -> Visitor:
        """A browser of somebody in this role."""
        email = f"{role.value.replace('_', '-')}@studio.example.com"
        self.person(email, role)
        visitor, answer = self.enter(email)
        assert answer.status_code == 303
        return visitor


@pytest.fixture
def team(stage: Stage, new_visitor: Callable[[], Visitor], monkeypatch: pytest.MonkeyPatch) -> Team:
    """People whose passwords are hashed in no time, also when one is hashed anew as she signs in."""
    monkeypatch.setattr(signin, "_HASHER", QUICK)
    return Team(stage, new_visitor)
