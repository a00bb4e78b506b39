"""Reading forms as a browser does."""

import pytest

from linkpay.cli.pages import Page, refresh_target

URL = "https://pay.example.com/demo/buy/back?plan=monthly"
FORM = """
<h1>Order <b>A calm back</b></h1><p class="field-problem">Fill <i>in</i> your name.</p>
<form method="POST" action="/demo/buy/back?lang=nl">
  <input type="hidden" name="token" value="s&amp;cret"><input name="name" value="">
  <input type="radio" name="plan" value="monthly" checked><input type="radio" name="plan" value="once">
  <input type="checkbox" name="agree" value="yes"><input type=checkbox name="news" checked>
  <select name="bank"><option value="">Any</option><option value="ing" selected>ING</option></select>
  <select name="land"><option value="nl">NL</option><option value="be">BE</option></select>
  <button name="switch" value="en">English</button><input type="submit" name="go" value="Pay">
</form>
<input name="outside" value="not in the form">
"""


def test_a_form_holds_what_a_browser_would_send() -> None:
    (form,) = Page(FORM, URL).forms
    assert (form.method, form.action) == ("post", "https://pay.example.com/demo/buy/back?lang=nl")
    assert form.values == {
        "token": "s&cret", "name": "", "plan": "monthly", "news": "on", "bank": "ing", "land": "nl",
    }  # fmt: skip


def test_choosing_and_ticking_change_what_is_sent() -> None:
    (form,) = Page(FORM, URL).forms
    assert form.tick("agree")
    assert form.choose("plan", "once")
    assert (form.fields()["agree"], form.fields()["plan"]) == (["yes"], "once")


def test_of_boxes_with_one_name_those_are_sent_that_were_ticked() -> None:
    boxes = "".join(f'<input type=checkbox name=bump value="{one}">' for one in ("book", "call", "tea"))
    (form,) = Page(f"<form>{boxes}</form>", URL).forms
    assert (form.tick("bump", "book"), form.tick("bump", "tea"), form.tick("bump", "cake")) == (
        True,
        True,
        False,
    )
    assert form.fields() == {"bump": ["book", "tea"]}


def test_what_is_not_offered_cannot_be_chosen() -> None:
    (form,) = Page(FORM, URL).forms
    assert not form.choose("plan", "weekly")
    assert form.values["plan"] == "monthly"


def test_a_form_without_an_action_goes_back_to_its_page() -> None:
    (form,) = Page("<form><input name=q></form>", URL).forms
    assert (form.action, form.method) == (URL, "get")


def test_a_page_says_its_problems_or_else_its_heading() -> None:
    assert Page(FORM, URL).said() == "Fill in your name."
    assert Page("<h1>Check your <em>e-mail</em></h1><p>More.</p>", URL).said() == "Check your e-mail"


def test_a_page_that_goes_on_by_itself_is_noticed() -> None:
    page = Page('<meta http-equiv="refresh" content="3; url=\'/next?n=1\'">', URL)
    assert page.goes_to == "https://pay.example.com/next?n=1"
    assert Page("<p>stays</p>", URL).goes_to is None


@pytest.mark.parametrize(
    ("content", "target"), [("5", URL), ("0;URL=/x", "https://pay.example.com/x"), ("", URL)]
)
def test_refresh_targets(content: str, target: str) -> None:
    assert refresh_target(content, URL) == target
