"""The guided set-up: it looks for itself, says how to mend, and gives nobody access for good."""

from linkpay.domain.roles import Role
from linkpay.store import owners, sites
from linkpay.store.tables import Offer, Site
from tests.flows.stage import Stage
from tests.web.owner.conftest import Team
from tests.web.owner.desk import acts, send
from tests.web.visitor import words_of

PAGE = "/owner/studio/start"


def shelve_the_other_offer(stage: Stage) -> None:
    """The stage's second offer has no addresses."""
    with stage.database.write() as tx:
        tx.query(Offer).filter_by(slug="solo").one().archived_at = stage.clock.now()


def test_from_nothing_to_ready(team: Team, stage: Stage) -> None:
    shelve_the_other_offer(stage)
    owner = team.signed_in()
    words = words_of(owner.look(PAGE))
    assert "The key works, for trying out" in words
    assert "iDEAL" in words
    assert "Not tried yet" in words
    assert "Nothing has come yet" in words
    assert "No mail has left yet" in words
    assert send(owner, PAGE, f"{PAGE}/mail").status_code == 200
    tried = send(owner, PAGE, f"{PAGE}/grant", email="me@studio.example.com", offer=str(stage.shop.offer_id))
    assert "It works" in words_of(tried)
    (me,) = stage.sandbox.call("GET", "/_sandbox/kajabi/members?email=me@studio.example.com")
    assert [offer["state"] for offer in me["offers"]] == ["revoked"]
    stage.buy("anna@example.com")
    words = words_of(owner.look(PAGE))
    assert "Everything is ready" in words
    assert "Mollie has reached LinkPay" in words
    assert acts(stage) == ["mail_tried", "grant_tried"]


def test_what_does_not_work_says_how_to_mend_it_and_where(team: Team, stage: Stage) -> None:
    owner = team.signed_in()
    assert "An address is missing" in words_of(owner.look(PAGE))
    with stage.database.write() as tx:
        tx.get_one(Site, stage.shop.site_id).mollie_key_sealed = None
    page = owner.look(PAGE)
    assert "There is no key yet" in words_of(page)
    assert "https://my.mollie.com/dashboard/developers/api-keys" in page.text
    stage.disturb("status:500", "/webhooks/offers", "kajabi", count=9)
    tried = send(owner, PAGE, f"{PAGE}/grant", email="me@studio.example.com", offer=str(stage.shop.offer_id))
    assert "Kajabi gave no access" in words_of(tried)
    assert "did not go well" in words_of(owner.look(PAGE))


def test_a_members_own_access_is_never_tried_with(team: Team, stage: Stage) -> None:
    stage.buy("anna@example.com")
    owner = team.signed_in()
    refused = send(owner, PAGE, f"{PAGE}/grant", email="Anna@example.com", offer=str(stage.shop.offer_id))
    assert refused.status_code == 422
    assert "is a member" in words_of(refused)
    assert stage.has_access("anna@example.com")


def test_the_year_of_a_plan_is_shown(team: Team) -> None:
    words = words_of(team.signed_in(Role.READ_ONLY).look(f"{PAGE}/rehearsal?plan=monthly&lang=en"))
    assert "18 May 2026" in words
    assert "Together €500.00 came in." in words


def test_a_new_owner_makes_her_first_site_and_helpers_make_none(team: Team, stage: Stage) -> None:
    team.person("mira@studio.example.com", None)
    mira, _ = team.enter("mira@studio.example.com")
    assert "/owner/new" in mira.look("/owner/").text
    assert send(mira, "/owner/new", name="Studio", slug="studio").status_code == 422, "it is taken"
    assert send(mira, "/owner/new", name="Owner").status_code == 422, "an address of our own"
    made = send(mira, "/owner/new", name="Yoga in Zuid", locale="nl")
    assert made.headers["Location"] == "/owner/yoga-in-zuid/start"
    assert mira.look("/owner/yoga-in-zuid/start").status_code == 200
    with stage.database.read() as tx:
        site = sites.by_slug(tx, "yoga-in-zuid")
        assert site is not None
        assert [role for _, role in owners.of_site(tx, site.id)] == [Role.OWNER]
    assert team.signed_in().look("/owner/yoga-in-zuid/").status_code == 404
    assert team.signed_in(Role.SUPPORT).look("/owner/new").status_code == 403
