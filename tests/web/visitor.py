"""A visitor without a script: reads forms out of pages and presses their buttons."""

import html
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

from flask.testing import FlaskClient
from werkzeug.test import TestResponse


@dataclass
class Form:
    """A form as a browser would send it: where to, and the fields with their values."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._select, self._area = "", ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self.forms[-1].fields[self._area] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._area = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(given.get("action", "")))
        if self.forms:
            self._hold_choice(tag, given)
        if tag != "input" or not self.forms or "name" not in given:
            return
        if given.get("type") in ("radio", "checkbox") and "checked" not in given:
            return
        self.forms[-1].fields[given["name"]] = given.get("value", "")

    def _hold_choice(self, tag: str, given: dict[str, str]) -> None:
        """What a list or a text area holds."""
        fields = self.forms[-1].fields
        if tag == "select":
            self._select = given.get("name", "")
        elif tag == "option" and self._select and (self._select not in fields or "selected" in given):
            fields[self._select] = given.get("value", "")
        elif tag == "textarea":
            self._area = given.get("name", "")
            fields[self._area] = ""


def forms_of(page: TestResponse) -> list[Form]:
    """Every form of a page."""
    parser = _Forms()
    parser.feed(page.text)
    return parser.forms


def form_of(page: TestResponse, nth: int = 0) -> Form:
    """A form of a page: the first, unless another is asked for."""
    forms = forms_of(page)
    assert forms, f"no form on this page: {words_of(page)}"
    return forms[nth]


def words_of(page: TestResponse) -> str:
    """What a person reads on a page, with plain spaces."""
    body = re.sub(r"<(style|title|svg)\b.*?</\1>", "", page.text, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).replace("\xa0", " ").split())


class Visitor:
    """One browser with its cookies."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def look(self, url: str, **headers: str) -> TestResponse:
        """Open an address."""
        return self.client.get(url, headers=headers)

    def press(self, page: TestResponse, nth: int = 0, /, **typed: str | None) -> TestResponse:
        """Send the page's (`nth`) form with what was typed; None leaves a field out."""
        form = form_of(page, nth)
        fields = form.fields | {name: value for name, value in typed.items() if value is not None}
        for name, value in typed.items():
            if value is None:
                fields.pop(name, None)
        return self.client.post(form.action, data=fields)

    def order(self, url: str = "/studio/buy/members", /, **typed: str | None) -> TestResponse:
        """Fill in the order form and press pay."""
        given: dict[str, str | None] = {"name": "Anna de Vries", "email": "anna@example.com", "agree": "yes"}
        return self.press(self.look(url), **given | typed)
