"""Settings: what they change on pages, that keys are tried, kept sealed and never shown, and who did what."""

import io
from datetime import timedelta

import pytest

from linkpay.domain.roles import Role
from linkpay.store import sites
from linkpay.store.tables import Inbox, Mail, Site
from tests.domain.test_picture import png
from tests.flows.books import KEY
from tests.flows.shop import BOX
from tests.flows.stage import Stage
from tests.web.owner.conftest import Team
from tests.web.owner.desk import acts, send
from tests.web.visitor import forms_of, words_of

PAGE = "/owner/studio/settings"
BUY = "/studio/buy/members"


def site(stage: Stage) -> Site:
    with stage.database.read() as tx:
        return sites.get(tx, stage.shop.site_id)


def test_the_colour_and_the_logo_are_on_the_pages_of_buyers(team: Team, stage: Stage) -> None:
    owner, buyer = team.signed_in(), team.new_visitor()
    assert send(owner, PAGE, f"{PAGE}/accent", accent="#ffe08a").status_code == 303
    assert "nearest shade" in words_of(owner.look(PAGE))
    assert "/studio/look.css?v=ffe08a" in buyer.look(BUY).text
    sheet = buyer.look("/studio/look.css?v=ffe08a")
    assert sheet.mimetype == "text/css"
    assert "--accent: #" in sheet.text
    token = forms_of(owner.look(PAGE))[0].fields["form_token"]
    for content, status in ((b"<svg/>", 422), (png(60, 20), 303)):
        sent = {"form_token": token, "logo": (io.BytesIO(content), "logo.png")}
        assert owner.client.post(f"{PAGE}/logo", data=sent).status_code == status
    logo = buyer.look("/studio/logo")
    assert (logo.mimetype, logo.data) == ("image/png", png(60, 20))
    assert logo.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert "/studio/logo?v=" in buyer.look(BUY).text
    assert send(owner, PAGE, f"{PAGE}/logo", drop="yes").status_code == 303
    assert buyer.look("/studio/logo").status_code == 404
    assert acts(stage) == ["accent_changed", "logo_changed", "logo_dropped"]


def test_name_and_language_change_and_what_is_wrong_is_said(team: Team, stage: Stage) -> None:
    owner = team.signed_in()
    kept = send(
        owner, PAGE, f"{PAGE}/about", name="Studio Noord", locale="en", creditor_id="nl12zzz123456780000"
    )
    assert kept.status_code == 303
    assert "Studio Noord" in words_of(team.new_visitor().look(BUY))
    assert site(stage).creditor_id == "NL12ZZZ123456780000"
    wrong = send(owner, PAGE, f"{PAGE}/about", name="", support_email="nobody", login_url="ftp://x")
    assert wrong.status_code == 422
    assert all(said in words_of(wrong) for said in ("name that buyers know", "e-mail address", "https://"))


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("https://www.example.com/page\nshop.example.com", ["https://www.example.com", "https://shop.example.com"]),
        ("", []),
        ("http://www.example.com", None),
        ("https://*.example.com", None),
        ("https://example.com; script-src *", None),
        ("https://user@example.com", None),
    ],
)  # fmt: skip
def test_only_origins_may_hold_the_checkout(
    team: Team, stage: Stage, typed: str, kept: list[str] | None
) -> None:
    answer = send(team.signed_in(), PAGE, f"{PAGE}/parents", parents=typed)
    assert answer.status_code == (422 if kept is None else 303)
    assert site(stage).embed_parents == (kept or [])


def test_a_mollie_key_is_tried_replaced_and_never_shown(team: Team, stage: Stage) -> None:
    owner = team.signed_in()
    assert send(owner, PAGE, f"{PAGE}/mollie", mollie_key="nonsense").status_code == 422
    stage.disturb("status:503", "methods", count=9)
    refused = send(owner, PAGE, f"{PAGE}/mollie", mollie_key="test_anotherkeyofthesame")
    assert "Your key was not changed" in words_of(refused)
    assert "test_anotherkeyofthesame" not in refused.text
    stage.calm()
    assert send(owner, PAGE, f"{PAGE}/mollie", mollie_key="test_anotherkeyofthesame").status_code == 303
    assert sites.mollie_key(site(stage), BOX) == "test_anotherkeyofthesame"
    shown = owner.look(PAGE).text
    assert "test_…same" in shown
    assert "test_anotherkeyofthesame" not in shown


def test_a_key_that_does_not_fit_the_members_is_refused(team: Team, stage: Stage) -> None:
    stage.buy("anna@example.com")
    owner = team.signed_in()
    other = send(owner, PAGE, f"{PAGE}/mollie", mollie_key="test_someoneelsesaccount")
    assert "another Mollie account" in words_of(other)
    live = send(owner, PAGE, f"{PAGE}/mollie", mollie_key="live_thesameaccountlive")
    assert live.status_code == 422
    assert sites.mollie_key(site(stage), BOX) == KEY


def test_kajabis_key_is_tried_and_can_be_removed(team: Team, stage: Stage) -> None:
    made = stage.sandbox.call("POST", "/_sandbox/kajabi/sites", {"name": "Studio"})
    owner, page = team.signed_in(), f"{PAGE}/kajabi"
    typed = {"kajabi_site": made["id"], "kajabi_client": made["client_id"]}
    assert "refuses this key" in words_of(send(owner, PAGE, page, kajabi_secret="wrong", **typed))
    assert send(owner, PAGE, page, kajabi_secret=made["client_secret"], **typed).status_code == 303
    assert made["client_secret"] not in owner.look(PAGE).text
    assert sites.is_connected(site(stage))
    assert send(owner, PAGE, page, drop="yes").status_code == 303
    assert not sites.is_connected(site(stage))
    assert acts(stage) == ["kajabi_key_replaced", "kajabi_key_dropped"]


def test_old_messages_and_the_words_of_old_mails_go_and_the_rest_stays(team: Team, stage: Stage) -> None:
    owner = team.signed_in()
    assert send(owner, PAGE, f"{PAGE}/retention", messages="29", mails="399").status_code == 422
    assert send(owner, PAGE, f"{PAGE}/retention", messages="30", mails="400").status_code == 303
    stage.buy("anna@example.com", "once")
    with stage.database.read() as tx:
        assert tx.query(Inbox).filter(Inbox.done_at.is_not(None)).count()
    stage.pass_time(timedelta(days=31))
    stage.work()
    with stage.database.read() as tx:
        assert not tx.query(Inbox).count()
        assert tx.query(Mail).filter(Mail.text != "").count()
    stage.pass_time(timedelta(days=400))
    stage.work()
    with stage.database.read() as tx:
        assert not tx.query(Mail).filter(Mail.text != "").count()
        assert tx.query(Mail).filter(Mail.sent_at.is_not(None)).count()


def test_the_logbook_tells_who_did_what_and_only_of_this_site(team: Team, stage: Stage) -> None:
    stage.open_shop("elsewhere", "test_anotherstageofitsown")
    owner = team.signed_in()
    send(owner, "/owner/studio/policies", grace_days="3")
    send(owner, "/owner/studio/colleagues", "/owner/studio/colleagues/invite", email="nina@example.com")
    words = words_of(team.signed_in(Role.READ_ONLY).look("/owner/studio/audit"))
    assert "owner@studio.example.com changed policies: Grace after a failed payment" in words
    assert "invited a colleague: nina@example.com, support" in words


def test_support_and_readers_see_no_settings(team: Team) -> None:
    for role in (Role.SUPPORT, Role.READ_ONLY):
        assert team.signed_in(role).look(PAGE).status_code == 403
