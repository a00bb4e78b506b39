"""What must be true after every story, read from the sandbox's books and compared with ours."""

from collections import Counter
from collections.abc import Collection

from linkpay.domain.snapshots import PaymentStatus
from linkpay.store.tables import Attention, Charge, Grant, Inbox, LedgerEntry, Member, Offer, Outbox, Payment
from linkpay.store.tables.people import Access
from tests.flows import told
from tests.flows.books import KEY
from tests.flows.stage import Stage


def check(stage: Stage, *, troubles: int = 0) -> None:
    """Every statement of the design's list that one moment can show. `troubles` are expected ones."""
    money(stage)
    access(stage)
    told.check(stage)
    nothing_left(stage, troubles)


def money(stage: Stage, on_way: Collection[str] = (), lost: Collection[int] = ()) -> None:
    """Ours is Mollie's, to the cent. Of payments that are `on_way` back Mollie may have counted more than we;
    of charges that are `lost` more may have gone out than came in."""
    kept: Counter[int] = Counter()
    seen = set()
    with stage.database.read() as tx:
        ours = {payment.uid: payment for payment in tx.query(Payment)}
        adopted = {payment.mollie_id: payment for payment in ours.values()}
        for listed in stage.bank_view.list_payments(KEY, limit=1000):
            payment = adopted.get(listed.id) or ours.get(listed.metadata.get("linkpay", ""))
            if payment is None and listed.metadata.get("cart") == "old":
                continue  # of the time before a take-over
            assert payment is not None, f"{listed.id} at Mollie is nobody's"
            seen.add(listed.id)
            assert payment.mollie_id == listed.id, f"{listed.id} is a second payment of attempt {payment.id}"
            if listed.status is PaymentStatus.PAID:
                net = listed.amount.cents - listed.refunded_cents - listed.charged_back_cents
                booked = sum(e.amount_cents for e in tx.query(LedgerEntry).filter_by(payment_id=payment.id))
                kept[payment.charge_id] += booked
                is_ours = booked == net or (listed.id in on_way and booked > net)
                assert is_ours, f"ledger {booked}, Mollie {net} for {listed.id}"
        assert seen == {p.mollie_id for p in ours.values() if p.mollie_id}
        for charge in tx.query(Charge):
            # What came past Mollie is nowhere but in our ledger.
            outside = sum(
                e.amount_cents for e in tx.query(LedgerEntry).filter_by(charge_id=charge.id, payment_id=None)
            )
            held = kept[charge.id] + outside
            assert held <= charge.amount_cents, f"charge {charge.id} kept {held}"
            assert held >= 0 or charge.id in lost, f"charge {charge.id} kept {held}"
            assert charge.money.kept_cents == held, f"charge {charge.id} says {charge.money.kept_cents}"


def access(stage: Stage) -> None:
    """Kajabi lets in whom we want in, and nobody else."""
    wanted = set()
    with stage.database.read() as tx:
        ours = {offer.kajabi_offer_id for offer in tx.query(Offer)}
        rows = tx.query(Grant, Member, Offer).join(Member, Member.id == Grant.member_id)
        for grant, member, offer in rows.join(Offer, Offer.id == Grant.offer_id):
            assert grant.applied is grant.wanted
            assert grant.applied_version == grant.version
            if grant.wanted is Access.GRANTED:
                wanted.add((member.email, offer.kajabi_offer_id))
    members = stage.sandbox.call("GET", "/_sandbox/kajabi/members")
    inside = {(m["email"], o["id"]) for m in members for o in m["offers"] if o["state"] == "granted"}
    inside = {one for one in inside if one[1] in ours}
    assert inside == wanted, f"in are {inside}, should be {wanted}"


def nothing_left(stage: Stage, troubles: int) -> None:
    """All work is done, and so many troubles are open."""
    due = stage.due()
    assert due == [], f"still due: {due}"
    with stage.database.read() as tx:
        assert tx.query(Inbox).filter(Inbox.done_at.is_(None)).count() == 0
        assert tx.query(Outbox).filter(Outbox.parked_at.is_not(None)).count() == 0
        open_troubles = [item.detail for item in tx.query(Attention).filter_by(solved_at=None)]
    assert len(open_troubles) == troubles, open_troubles
