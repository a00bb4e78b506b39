"""Nothing of who she was stays, wherever her name or address went; and she can see all of it before."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from linkpay.errors import Permanent
from linkpay.ports import Letter
from linkpay.services import blocks, gifts, moves
from linkpay.services.gifts import Present
from linkpay.store import erasing, people
from linkpay.store.tables import BulkRun, Event, Inbox, SavedView, Site, Upsell
from tests.flows.stage import Stage
from tests.web.owner.conftest import Team
from tests.web.portal.guests import ANNA, PORTAL, newest_link, sign_in
from tests.web.portal.traces import forget, traces
from tests.web.visitor import Visitor, form_of, forms_of

New = Callable[[], Visitor]
NAME = "Anna de Vries"
OTHER = "other@example.com"
EVA = "eva@example.com"


def ask_to_move(visitor: Visitor, stage: Stage, email: str) -> str:
    """Ask for another address; the path of the link that confirms it."""
    visitor.press(visitor.look(f"{PORTAL}/email"), -1, email=email)
    stage.work()
    return newest_link(stage)


def say_why(visitor: Visitor, stage: Stage, words: str) -> None:
    """Cancel for a reason of the list, with words of her own beside it."""
    url = f"{PORTAL}/subscriptions/{stage.subscription(ANNA).token}/cancel"
    form = next(one for one in forms_of(visitor.look(url)) if "seen" in one.fields)
    visitor.client.post(url, data=form.fields | {"reason": "other", "more": words})
    stage.work()


def tell_by_kajabi(stage: Stage, body: str, kind: str = "application/json") -> None:
    stage.post_raw("kajabi", body.encode(), kind)
    stage.work()


def test_an_address_that_she_never_confirmed_is_forgotten(anna: Visitor, stage: Stage) -> None:
    ask_to_move(anna, stage, OTHER)
    forget(anna, stage)
    assert traces(stage, ANNA, NAME, OTHER) == []


def test_every_address_that_she_had_is_forgotten(anna: Visitor, new_visitor: New, stage: Stage) -> None:
    link = ask_to_move(anna, stage, OTHER)
    elsewhere = new_visitor()
    elsewhere.press(elsewhere.look(link))
    stage.work()
    forget(elsewhere, stage, OTHER)
    assert traces(stage, ANNA, NAME, OTHER) == []


def test_every_address_of_who_only_pays_is_forgotten(anna: Visitor, new_visitor: New, stage: Stage) -> None:
    with stage.database.write() as tx:
        number = stage.subscription(ANNA).id
        moves.set_member(tx, number, EVA, "Eva", "owner", stage.clock.now())
        her = people.by_email(tx, stage.shop.site_id, ANNA)
        assert her is not None
        her.email = her.external_user_id = "somebody@example.com"
    stage.work()
    link = ask_to_move(anna, stage, OTHER)
    elsewhere = new_visitor()
    elsewhere.press(elsewhere.look(link))
    stage.work()
    forget(elsewhere, stage, EVA)
    assert traces(stage, ANNA, OTHER) == []
    assert traces(stage, EVA) != []


def test_her_words_beside_a_reason_are_forgotten_and_the_reason_is_not(anna: Visitor, stage: Stage) -> None:
    say_why(anna, stage, "I am ill, call 0612345678")
    assert traces(stage, "0612345678") != []
    forget(anna, stage)
    assert traces(stage, "0612345678") == []
    with stage.database.read() as tx:
        assert tx.query(Event).filter_by(kind="cancel_asked").one().data["reason"] == "other"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/x-www-form-urlencoded",
         "event=purchase.created&payload[offer_id]=99&payload[member_email]=anna%40example.com"
         "&payload[member_name]=Anna+de+Vries"),
        ("application/x-www-form-urlencoded",
         "payload=%7B%22name%22%3A%22Anna+de+Vries%22%2C%22email%22%3A%22anna%5Cu0040example.com%22%7D"),
        ("application/json", r'{"payload":{"name":"Anna de Vries","email":"anna\u0040example.com"}}'),
        ("application/json", r'{"payload":"{\"name\":\"Anna de Vries\",\"at\":\"anna\\u0040example.com\"}"}'),
        ("application/json", r'{"note":"Hello,\nANNA@example.com","name":"Anna de Vries"}'),
        ("application/json", '{"name":"Anna de Vries","email":"new@x.test","external_user_id":"cart-17"}'),
    ],
)  # fmt: skip
def test_messages_of_kajabis_are_emptied_however_they_write_her(
    anna: Visitor, stage: Stage, kind: str, body: str
) -> None:
    with stage.database.write() as tx:
        her = people.by_email(tx, stage.shop.site_id, ANNA)
        assert her is not None
        her.external_user_id = "cart-17"
    tell_by_kajabi(stage, body, kind)
    tell_by_kajabi(stage, '{"name":"Joanna","email":"joanna@example.com","external_user_id":"cart-170"}')
    forget(anna, stage)
    assert traces(stage, "Anna de Vries", "Anna+de+Vries") == []
    with stage.database.read() as tx:
        kept = [one.body for one in tx.query(Inbox).filter_by(source="kajabi").order_by(Inbox.id)]
    assert [b"joanna" in body for body in kept] == [False, True]


def test_what_a_mail_server_said_of_her_is_forgotten(
    visitor: Visitor, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_letter: Letter) -> None:
        raise Permanent(f"mail server 550: 5.1.1 <{ANNA}>: {'Recipient address rejected' * 20}", status=550)

    with monkeypatch.context() as patch:
        patch.setattr(stage.mailer, "send", refuse)
        stage.buy(ANNA)
        stage.work()
    sign_in(visitor, stage)
    assert "outbox.last_error" in {where for where, _ in traces(stage, ANNA)}
    forget(visitor, stage)
    assert traces(stage, ANNA) == []


class _Echo:
    """Kajabi, repeating whom it let in."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def apply(self, order: Any) -> Any:
        """What Kajabi answers, with her in it."""
        body = json.dumps({"member": {"name": order.name, "email": order.email}})
        return replace(self.inner.apply(order), body=body)


def test_what_kajabi_repeated_of_her_is_forgotten(visitor: Visitor, stage: Stage) -> None:
    stage.replace_part("access", _Echo(stage.parts.access))
    stage.buy(ANNA)
    sign_in(visitor, stage)
    assert "access_grant.answer_body" in {where for where, _ in traces(stage, ANNA)}
    forget(visitor, stage)
    assert traces(stage, ANNA, NAME) == []


def test_an_address_beyond_ascii_is_forgotten_also_as_mail_servers_write_it(
    visitor: Visitor, new_visitor: New, stage: Stage
) -> None:
    email, ascii_email = "anna@müller.de", "anna@xn--mller-kva.de"
    stage.buy(email)
    other = new_visitor()
    page = other.press(other.look("/studio/withdraw"), name="Anna", email=email, reference="For Anna's")
    other.press(page, confirmed="yes")
    stage.advance(days=3)  # nobody pressed the link: the owner is asked, with her address in it
    assert "attention.data" in {where for where, _ in traces(stage, email)}
    with stage.database.write() as tx:
        tx.query(Inbox).first().last_error = f"550 <{ascii_email}> is unknown"  # type: ignore[union-attr]
    sign_in(visitor, stage, email)
    forget(visitor, stage, email)
    assert traces(stage, email, ascii_email, "For Anna's") == []


@pytest.mark.parametrize("words", [ANNA, NAME.upper()])
def test_a_view_that_was_kept_to_find_her_goes(
    anna: Visitor, new_visitor: New, stage: Stage, words: str
) -> None:
    owner = Team(stage, new_visitor).signed_in()
    token = form_of(owner.look("/owner/account")).fields["form_token"]
    for name, search in (("hers", words), ("all the others", "joanna@example.com"), ("first name", "anna")):
        form = {"form_token": token, "name": name, "q": search}
        owner.client.post("/owner/studio/members/views", data=form)
    with stage.database.write() as tx:
        tx.add(
            BulkRun(site_id=stage.shop.site_id, act="pause", actor="owner:1", wanted={"search": words},
                    params={"reason": f"as {ANNA} asked"}, created_at=stage.clock.now())
        )  # fmt: skip
    forget(anna, stage)
    with stage.database.read() as tx:
        assert [one.name for one in tx.query(SavedView)] == ["all the others", "first name"]
    assert traces(stage, f" {ANNA}", NAME) == []


def test_what_an_owner_wrote_about_her_is_forgotten(anna: Visitor, stage: Stage) -> None:
    with stage.database.write() as tx:
        site, now = tx.get_one(Site, stage.shop.site_id), stage.clock.now()
        gifts.give(tx, site, Present(ANNA, "members", reason="sister of Beatrix"), "owner:1", now)
        her = people.by_email(tx, site.id, ANNA)
        assert her is not None
        blocks.block(tx, her.id, "Anna de Vries shares with Beatrix", "owner:1", now, stop_billing=False)
        blocks.unblock(tx, her.id, "owner:1", now)
    stage.work()
    forget(anna, stage)
    assert traces(stage, "Beatrix") == []


def test_links_by_which_she_could_buy_are_removed(anna: Visitor, stage: Stage) -> None:
    held = stage.subscription(ANNA)
    with stage.database.write() as tx:
        tx.add(
            Upsell(site_id=held.site_id, hash="a" * 64, customer_id=held.customer_id, plan_id=held.plan_id,
                   expires_at=stage.clock.now(), created_at=stage.clock.now())
        )  # fmt: skip
    forget(anna, stage)
    with stage.database.read() as tx:
        assert tx.query(Upsell).count() == 0


def test_mails_to_who_pays_for_her_name_her_no_more(anna: Visitor, new_visitor: New, stage: Stage) -> None:
    with stage.database.write() as tx:
        moves.set_member(tx, stage.subscription(ANNA).id, EVA, "Eva", "owner", stage.clock.now())
    stage.work()
    eva = new_visitor()
    sign_in(eva, stage, EVA)
    assert {"mail.text", "mail.html"} <= {where for where, _ in traces(stage, EVA)}
    forget(eva, stage, EVA)
    assert traces(stage, EVA) == []
    assert "mail.to" in {where for where, _ in traces(stage, ANNA)}


def test_the_mails_that_name_who_is_let_in_are_known() -> None:
    folder = Path(erasing.__file__).parents[1] / "services" / "mails"
    naming = {path.stem for path in folder.glob("*/*.txt") if "member_email" in path.read_text("utf-8")}
    assert naming == set(erasing.MAILS_THAT_NAME)


def test_her_download_tells_of_gifts_and_blocks(anna: Visitor, stage: Stage) -> None:
    with stage.database.write() as tx:
        site, now = tx.get_one(Site, stage.shop.site_id), stage.clock.now()
        gifts.give(tx, site, Present(ANNA, "members", reason="she sang"), "owner:1", now)
    held = json.loads(anna.look(f"{PORTAL}/data/download").text)
    assert {"started", "gift_given"} <= {one["kind"] for one in held["events"]}


def test_her_download_tells_of_her_earlier_addresses(anna: Visitor, new_visitor: New, stage: Stage) -> None:
    link = ask_to_move(anna, stage, OTHER)
    elsewhere = new_visitor()
    elsewhere.press(elsewhere.look(link))
    stage.work()
    held = json.loads(elsewhere.look(f"{PORTAL}/data/download").text)
    assert [one["email"] for one in held["member"]] == [ANNA, OTHER]
    assert [one["wanted"] for one in held["access"]] == ["revoked", "granted"]
    assert {"access_moved", "access_moved_here"} <= {one["kind"] for one in held["events"]}
    assert ANNA in {one["to"] for one in held["other_mails"]}


def test_a_download_tells_nothing_of_who_has_her_access_now(anna: Visitor, stage: Stage) -> None:
    with stage.database.write() as tx:
        her = people.by_email(tx, stage.shop.site_id, ANNA)
        assert her is not None
        moves.move_access(tx, her.id, EVA, "owner:1", stage.clock.now())
    stage.work()
    held = json.loads(anna.look(f"{PORTAL}/data/download").text)
    assert [one["email"] for one in held["member"]] == [ANNA]
