"""The whole web application on a stage, as the tests of the pages have it."""

from tests.web.conftest import app, new_visitor, stage, visitor

__all__ = ["app", "new_visitor", "stage", "visitor"]
