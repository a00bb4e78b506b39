"""Every policy has words in both languages, and its example says what the rules do."""

import re
from dataclasses import fields, replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.environment import ROOT
from linkpay.domain import pausing
from linkpay.domain.policy import NOT_ACTED_ON, Policy
from linkpay.domain.subscription import SubscriptionState
from linkpay.services import policy_examples_life, policy_page
from linkpay.services.formats import LOCALES
from linkpay.services.policy_examples import Case
from linkpay.services.policy_words import Said, effective, sentences

ON = date(2026, 5, 3)


def _choice(name: str, default: object, metadata: Any) -> st.SearchStrategy[Any]:
    if isinstance(default, bool):
        return st.booleans()
    if isinstance(default, tuple):
        most = 31 if name == "pay_days" else 60
        return st.sets(st.integers(1 if name == "pay_days" else 0, most), max_size=4).map(
            lambda days: tuple(sorted(days))
        )
    if isinstance(default, str):
        return st.sampled_from(metadata["values"])
    return st.integers(0, metadata["most"])


POLICIES = st.builds(
    Policy, **{one.name: _choice(one.name, one.default, one.metadata) for one in fields(Policy)}
)


def said(name: str, locale: str = "en", **values: Any) -> Said:
    found = sentences(replace(Policy(), **values), locale, on=ON)
    return next(one for one in found if one.name == name)


@pytest.mark.parametrize("locale", LOCALES)
def test_no_policy_lacks_words(locale: str) -> None:
    assert sorted(one.name for one in sentences(Policy(), locale, on=ON)) == sorted(
        one.name for one in fields(Policy)
    )


@given(POLICIES, st.dates(date(2024, 1, 1), date(2032, 12, 31)), st.sampled_from(sorted(LOCALES)))
@settings(max_examples=150)
def test_any_policy_on_any_day_can_be_told(policy: Policy, on: date, locale: str) -> None:
    for one in sentences(policy, locale, on=on):
        for text in (one.title, one.value, one.sentence, one.example, one.reason, one.group):
            assert text.strip(), one.name
            assert not re.search(r"[{}]|  | [.,]|None", text), (one.name, text)
        assert one.sentence.endswith(".")
        assert one.example.endswith("."), one.example


def test_both_languages_name_the_same_policies_in_the_same_order() -> None:
    dutch, english = (sentences(Policy(), locale, on=ON) for locale in ("nl", "en"))
    assert [one.name for one in dutch] == [one.name for one in english]
    assert all(d.sentence != e.sentence for d, e in zip(dutch, english, strict=True))


def test_a_group_stands_together() -> None:
    groups = [one.group for one in sentences(Policy(), "en", on=ON)]
    assert sorted(set(groups), key=groups.index) == [
        group for at, group in enumerate(groups) if at == 0 or groups[at - 1] != group
    ]


def test_an_example_moves_with_its_value() -> None:
    assert "17 May 2026" in said("grace_days").example
    assert "24 May 2026" in said("grace_days", grace_days=21).example
    assert "8 May 2026 and 11 May 2026" in said("retry_days").example
    assert "not tried again" in said("retry_days", retry_days=()).sentence
    assert (
        "tried on 25 May 2026."
        in said("pay_days", pay_days=(24, 26), grace_days=30, retry_days=(20, 22)).example
    )
    assert "5 May 2026" in said("agreed_notice_days").example
    assert (
        "out until it is paid"
        in said("keep_access_while_debit_runs", keep_access_while_debit_runs=False).example
    )
    assert "5 are charged, 0 are let go" in said("catch_up_periods", catch_up_periods=9).example
    assert "1 are charged, 4 are let go" in said("catch_up_periods", catch_up_periods=1).example
    assert "€33.87" in said("switch_credit").example


@given(st.integers(0, 400), st.dates(date(2024, 1, 1), date(2032, 12, 31)))
def test_the_longest_pause_told_is_the_longest_that_is_allowed(days: int, on: date) -> None:
    policy = replace(Policy(), pause_days=days)
    end = policy_examples_life.EXAMPLES["pause_days"](Case(policy, on))["end"]
    assert isinstance(end, date)

    def refused(until: date) -> pausing.Refusal | None:
        return pausing.refusal(SubscriptionState.ACTIVE, on, until, policy, by_member=True)

    assert (refused(end) is None) == (days > 0)
    assert refused(end + timedelta(days=1)) is not None


def test_values_are_said_as_people_say_them() -> None:
    assert said("catch_up_gap_days").value == "1 day"
    assert said("upsell_cap_cents", upsell_cap_cents=0).value == "no limit"
    assert said("bounce_cost_cents", "nl").value.replace("\xa0", " ") == "€ 7,50"
    assert said("pay_days", "nl", pay_days=(24, 25)).value == "de 24e en de 25e"
    assert said("drift", "nl").value == "vertel het me"


def test_what_counts_says_where_it_comes_from() -> None:
    policy, sources = effective({"grace_days": 7, "retry_days": [3]}, {"grace_days": 21})
    assert (policy.grace_days, policy.retry_days) == (21, (3,))
    found = {one.name: one.source for one in sentences(policy, "en", on=ON, sources=sources)}
    assert (found["grace_days"], found["retry_days"], found["mail_days"]) == ("plan", "site", "default")


def test_the_page_of_policies_is_fresh() -> None:
    page = (ROOT / "docs" / "policies.md").read_text(encoding="utf-8")
    assert page == policy_page.markdown(), "run: python -m linkpay policies --markdown > docs/policies.md"


def test_what_nothing_acts_on_is_said_to_be_so() -> None:
    """Wording may speak of a policy; only rules, services and jobs act on it."""
    acting = "\n".join(
        path.read_text()
        for folder in ("linkpay/domain", "linkpay/services", "workers")
        for path in (ROOT / folder).rglob("*.py")
        if not path.name.startswith("policy")
    )
    idle = {one.name for one in fields(Policy) if not re.search(rf"\.{one.name}\b", acting)}
    assert idle <= NOT_ACTED_ON
    for locale, mark in (("en", "Not in use yet"), ("nl", "Nog niet in gebruik")):
        said = {one.name for one in sentences(Policy(), locale, on=ON) if one.sentence.startswith(mark)}
        assert said == NOT_ACTED_ON
