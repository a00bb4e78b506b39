"""The whole web application on a stage, with people who manage its site."""

from tests.web.conftest import app, new_visitor, stage, visitor
from tests.web.owner.conftest import team

__all__ = ["app", "new_visitor", "stage", "team", "visitor"]
