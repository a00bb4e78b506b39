"""Reading web pages as a browser does: the forms on them, and what they say when something is wrong."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin


@dataclass(slots=True)
class Form:
    """A form: where it goes, what it holds now, and what can be chosen."""

    action: str
    method: str
    values: dict[str, str] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)
    boxes: dict[str, list[str]] = field(default_factory=dict)
    ticked: dict[str, list[str]] = field(default_factory=dict)

    def choose(self, name: str, value: str) -> bool:
        """Press the radio button `value`; False when there is none such. One that is preset stays."""
        if name not in self.choices:
            return self.values.get(name, value) == value
        if value not in self.choices[name]:
            return False
        self.values[name] = value
        return True

    def tick(self, name: str, value: str | None = None) -> bool:
        """Tick the box, of several with one name that of `value`; False when there is none such."""
        offered = self.boxes.get(name, [])
        wanted = value if value is not None else next(iter(offered), None)
        if wanted not in offered or wanted is None:
            return False
        self.ticked[name] = [*self.ticked.get(name, []), wanted]
        return True

    def fields(self) -> dict[str, str | list[str]]:
        """What a browser would send."""
        return {**self.values, **self.ticked}


class Page(HTMLParser):
    """A page taken apart: its forms, its heading, its alerts, and where it goes by itself."""

    def __init__(self, html: str, url: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.heading = ""
        self.alerts: list[str] = []
        self.goes_to: str | None = None
        self._url = url
        self._form: Form | None = None
        self._select: str | None = None
        self._into: str | None = None
        self._tag = ""
        self._depth = 0
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._listen(tag, given)
        if tag == "form":
            action = urljoin(self._url, given.get("action") or self._url)
            self._form = Form(action, given.get("method", "get").lower())
            self.forms.append(self._form)
        elif tag == "meta" and given.get("http-equiv", "").lower() == "refresh":
            self.goes_to = refresh_target(given.get("content", ""), self._url)
        elif tag == "select":
            self._select = given.get("name")
        elif self._form is not None and tag in ("input", "option"):
            self._hold(self._form, tag, given)

    def _listen(self, tag: str, given: dict[str, str]) -> None:
        """Keep the text of the first heading and of alerts."""
        classes = given.get("class", "").split()
        if self._into is not None:
            self._depth += tag == self._tag
        elif tag == "h1" and not self.heading:
            self._into, self._tag, self._depth = "heading", tag, 1
        elif given.get("role") == "alert" or "field-problem" in classes or "problem" in classes:
            self.alerts.append("")
            self._into, self._tag, self._depth = "alert", tag, 1

    def handle_endtag(self, tag: str) -> None:
        if self._into is not None and tag == self._tag:
            self._depth -= 1
            if self._depth == 0:
                self._into = None
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = None

    def handle_data(self, data: str) -> None:
        if self._into == "heading":
            self.heading = f"{self.heading} {data}".strip()
        elif self._into == "alert":
            self.alerts[-1] = " ".join(f"{self.alerts[-1]} {data}".split())

    def _hold(self, form: Form, tag: str, given: dict[str, str]) -> None:
        name, value = given.get("name", ""), given.get("value", "")
        if tag == "option":
            if self._select and (self._select not in form.values or "selected" in given):
                form.values[self._select] = value
        elif name:
            self._hold_input(form, given.get("type", "text").lower(), name, given)

    def _hold_input(self, form: Form, kind: str, name: str, given: dict[str, str]) -> None:
        value = given.get("value", "on" if kind in ("checkbox", "radio") else "")
        if kind == "radio":
            form.choices.setdefault(name, []).append(value)
        if kind == "checkbox":
            form.boxes.setdefault(name, []).append(value)
        if kind in ("submit", "button", "image", "reset", "file"):
            return
        if kind not in ("radio", "checkbox") or "checked" in given:
            form.values[name] = value

    def said(self) -> str:
        """What the page tells its reader: its alerts, or else its heading."""
        return "; ".join(alert for alert in self.alerts if alert) or self.heading or "nothing readable"


def refresh_target(content: str, url: str) -> str | None:
    """Where ``3; url=/there`` leads, seen from `url`; the same page when it names no other."""
    _, _, rest = content.partition(";")
    name, _, target = rest.strip().partition("=")
    return urljoin(url, target.strip().strip("'\"")) if name.strip().lower() == "url" else url
