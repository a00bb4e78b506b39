"""What people try to smuggle through inputs, made by small grammars; and whether a page kept it harmless."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import product
from urllib.parse import quote

#: In every piece of markup, so that it is known again wherever it comes out.
MARK = "zq7"
#: A sum that only somebody who calculates writes out.
_SUM, RESULT = "7919*7907", "62615533"


def _sql() -> Iterator[str]:
    opening = ("'", '"', "')", "1", "1)", "`", "\\'", "%27")
    middle = (
        " OR 1=1", " OR 'a'='a", " UNION SELECT NULL", " UNION SELECT email FROM owners",
        "; DROP TABLE members", "; UPDATE charges SET paid_cents=0", " AND 1=CAST(id AS int)",
        "||(SELECT version())",
        "; PRAGMA writable_schema=1", " ORDER BY 99",
    )  # fmt: skip
    yield from map("".join, product(opening, middle, ("", " --", "#", "/*", ";")))


def _templates() -> Iterator[str]:
    shapes = (
        "{{%s}}",
        "{%% print(%s) %%}",
        "${%s}",
        "#{%s}",
        "<%%= %s %%>",
        "{%s}",
        "%%(%s)s",
        "{{%s|safe}}",
        "@(%s)",
    )
    yield from (shape % inner for shape in shapes for inner in (_SUM, "config", "self.__class__", "0"))


def _commands() -> Iterator[str]:
    yield from (
        f"{head}{tail}"
        for head in ("; ", "| ", "&& ", "`", "$(", "\n")
        for tail in ("id", "cat /etc/passwd", "sleep 0", "exit")
    )


def _paths() -> Iterator[str]:
    for depth, (step, target) in product(
        (1, 4, 9), product(("../", "..\\", "%2e%2e/", "....//"), ("etc/passwd", "var/env", "x\0.png"))
    ):
        yield step * depth + target


def _headers() -> Iterator[str]:
    for end, line in product(
        ("\r\n", "\n", "\r", "%0d%0a", "\u2028"),
        ("Set-Cookie: a=1", "Location: //x.example", "Bcc: x@x.example", "\r\n<p>"),
    ):
        yield f"a@example.com{end}{line}"


def _odd() -> Iterator[str]:
    yield from (
        "*)(uid=*))(|(uid=*",
        "' or '1'='1' or ''='",
        '{"$gt": ""}',
        '{"$where": "1"}',
        "[$ne]=1",
        "__proto__",
        "%s%s%s%n",
        "%x" * 20,
    )
    yield from (
        "\0",
        "\x00admin",
        "\ufeff",
        "\u202e",
        "\ud7ff",
        "\U0010ffff",
        "a\u0300" * 40,
        "ﷺ" * 30,
        "İ",
        "ß",
        "\x1b[31m",
        "\x7f",
    )
    yield from ("NaN", "Infinity", "-0", "1e309", "0x10", "9" * 40, "-1", "２０", "true", "null", "[]", "{}")
    yield from (
        '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
        "(a+)+$",
        "a" * 5_000,
        "a@" * 300,
    )


def formulas() -> list[str]:
    """What spreadsheets run."""
    heads = ("=", "+", "-", "@", "\t=", "\r=", "\n=", "＝", "＋", "－", "＠")
    tails = ("1+1", "cmd|'/c calc'!A0", 'HYPERLINK("//x.example","x")', "SUM(A1:A9)", "@x", '1","=2')
    return [head + tail for head in heads for tail in tails]


def injections() -> list[str]:
    """At least 500, none twice."""
    return list(
        dict.fromkeys([*_sql(), *_templates(), *_commands(), *_paths(), *_headers(), *_odd(), *formulas()])
    )


_ELEMENTS = (
    f"<{MARK}>", f"<svg onload={MARK}()>", f"<img src=x onerror={MARK}()>", f"<script>{MARK}()</script>",
    f"<a href=javascript:{MARK}()>x</a>", f"<iframe src=//{MARK}></iframe>",
    f"<details open ontoggle={MARK}()>", f"<math><{MARK}>", f"<body onpageshow={MARK}()>",
    f"<input autofocus onfocus={MARK}()>",
    f"<style>@import '//{MARK}'</style>", f"<!--{MARK}-->", f"<base href=//{MARK}>",
    f"<form action=//{MARK}>", f"<meta http-equiv=refresh content='0;url=//{MARK}'>",
    f"<object data=//{MARK}>", f"<link rel=stylesheet href=//{MARK}>",
)  # fmt: skip
_WAYS_OUT = (
    "",
    '">',
    "'>",
    ">",
    "-->",
    "</title>",
    "</textarea>",
    "</script>",
    "</style>",
    "</option></select>",
    "]]>",
    "{{''}}",
)


def markup() -> list[str]:
    """At least 300 ways to have a page hold or run what we did not write, none twice."""
    found = [way + element for way, element in product(_WAYS_OUT, _ELEMENTS)]
    found += [
        f"{quote_}{space}onmouseover={MARK}(){space}x={quote_}"
        for quote_, space in product(('"', "'", "", "`", "&quot;"), (" ", "\t", "/", "\n"))
    ]
    for element in _ELEMENTS:
        found += [
            element.upper().replace(MARK.upper(), MARK),
            element.replace(" ", "/"),
            quote(element),
            quote(quote(element)),
        ]
        found += [
            element.replace("<", "&lt;"),
            element.replace("<", "＜"),
            element.replace("<", "<\0"),
            element.replace("<", "+ADw-"),
        ]
    found += [
        f"{scheme}:{MARK}()"
        for scheme in (
            "javascript",
            "JaVaScRiPt",
            "java\tscript",
            " javascript",
            "vbscript",
            "data:text/html,<script>",
        )
    ]
    return list(dict.fromkeys(found))


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.harm: list[str] = []
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag if tag in ("script", "style") else ""
        if MARK in tag:
            self.harm.append(f"<{tag}>")
        for name, value in attrs:
            self._judge(tag, name, value or "")

    def _judge(self, tag: str, name: str, value: str) -> None:
        target = "".join(value.split()).lower()
        runs = target.startswith(("javascript:", "vbscript:", "data:text"))
        foreign = target.removeprefix("0;url=").startswith(f"//{MARK}")
        leads = name in ("href", "src", "action", "formaction", "data", "content")
        if MARK in name or name.startswith("on") or name == "srcdoc" or (leads and (runs or foreign)):
            self.harm.append(f"<{tag} {name}={value!r}>")

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside and MARK in data:
            self.harm.append(f"<{self._inside}>{data}")

    def handle_comment(self, data: str) -> None:
        if MARK in data:
            self.harm.append(f"<!--{data}-->")


#: A tag that holds the mark outside the quotes, as a browser reads it that takes a slash for a space.
_VALUE, _TAG = re.compile(r'="[^"]*"'), re.compile(rf"<[a-zA-Z!/?][^<>]*{MARK}[^<>]*>")


def harm_in(page: str) -> list[str]:
    """What of all that a page holds as markup, and not as text."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return reader.harm + _TAG.findall(_VALUE.sub("", page))


def is_formula(cell: str) -> bool:
    """Whether a spreadsheet would run a cell; a number is none."""
    number = cell.removeprefix("-").replace(".", "", 1)
    return (
        cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"))
        and not number.isdecimal()
    )
