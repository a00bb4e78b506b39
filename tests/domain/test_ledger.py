"""Facts come out once and sum to what Mollie holds, in whatever order a payment is seen."""

from collections.abc import Sequence as Listing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from linkpay.domain.ledger import Entry, EntryKind, facts, is_paid_anew
from linkpay.domain.money import Money
from linkpay.domain.snapshots import (
    ChargebackSnapshot,
    PaymentSnapshot,
    PaymentStatus,
    RefundSnapshot,
    Sequence,
)

K, P = EntryKind, PaymentStatus
START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
CAME_TO_NOTHING = ("failed", "canceled")
NEW = PaymentSnapshot(
    id="tr_madeup", status=P.OPEN, mode="test", amount=Money(5000), sequence=Sequence.RECURRING,
    created_at=START,
)  # fmt: skip


@dataclass
class Life:
    """A payment at Mollie and every state it was ever in, `snapshots[-1]` being the present one."""

    snapshots: list[PaymentSnapshot] = field(default_factory=lambda: [NEW])

    @property
    def now(self) -> PaymentSnapshot:
        return self.snapshots[-1]

    @property
    def at(self) -> datetime:
        return START + timedelta(hours=len(self.snapshots))

    def become(self, **changes: object) -> None:
        self.snapshots.append(replace(self.now, **changes))  # type: ignore[arg-type] # names of its fields

    def happen(self, what: str, cents: int) -> None:
        """One thing a bank or an owner does, where it is possible."""
        seen = self.now
        if seen.status is not P.PAID:
            if what == "pending" and seen.status is P.OPEN:
                self.become(status=P.PENDING)
            elif what == "paid" and seen.status in (P.OPEN, P.PENDING):
                self.become(status=P.PAID, paid_at=self.at)
            elif what == "fails" and seen.status in (P.OPEN, P.PENDING):
                self.become(status=P.FAILED, failure_code="AM04")
        elif what == "fails" and not seen.refunds and not seen.chargebacks:
            self.become(status=P.FAILED, failure_code="AM04", paid_at=None)
        elif what == "refund":
            number = len(seen.refunds) + 1
            self.become(
                refunds=(*seen.refunds, RefundSnapshot(f"re_{number}", Money(cents), "pending", self.at))
            )
        elif what in ("refunded", *CAME_TO_NOTHING) and seen.refunds:
            *others, last = seen.refunds
            if last.status == "pending":
                self.become(refunds=(*others, replace(last, status=what)))
        elif what == "chargeback":
            number = len(seen.chargebacks) + 1
            taken = ChargebackSnapshot(f"chb_{number}", Money(cents), "MD06", self.at)
            self.become(chargebacks=(*seen.chargebacks, taken))
        elif what == "reversed" and seen.chargebacks:
            *before, newest = seen.chargebacks
            if newest.reversed_at is None:
                self.become(chargebacks=(*before, replace(newest, reversed_at=self.at)))


WHAT = st.sampled_from(
    ["pending", "paid", "paid", "fails", "refund", "refunded", "failed", "canceled", "chargeback", "reversed"]
)


@st.composite
def lives(draw: st.DrawFn) -> Life:
    life = Life()
    for what, cents in draw(st.lists(st.tuples(WHAT, st.integers(1, 5000)), max_size=14)):
        life.happen(what, cents)
    return life


def book(sightings: Listing[PaymentSnapshot]) -> list[Entry]:
    """The ledger after these sightings, one after the other."""
    entries: list[Entry] = []
    for seen in sightings:
        entries += facts(seen, {entry.ref for entry in entries})
    return entries


def total(entries: Listing[Entry], *kinds: EntryKind) -> int:
    return sum(entry.amount.cents for entry in entries if entry.kind in kinds)


def agree(entries: Listing[Entry], life: Life) -> bool:
    """Whether the ledger holds what Mollie says now."""
    paid = life.now.amount.cents if life.now.status is P.PAID else 0
    refunded = sum(r.amount.cents for r in life.now.refunds if r.status not in CAME_TO_NOTHING)
    taken = sum(c.amount.cents for c in life.now.chargebacks if c.reversed_at is None)
    return (
        total(entries, K.PAYMENT, K.PAYMENT_UNDONE),
        total(entries, K.REFUND, K.REFUND_UNDONE),
        total(entries, K.CHARGEBACK, K.CHARGEBACK_UNDONE),
    ) == (paid, -refunded, -taken)


@given(lives())
def test_after_every_sighting_the_ledger_holds_what_mollie_says(life: Life) -> None:
    for upto in range(1, len(life.snapshots) + 1):
        assert agree(book(life.snapshots[:upto]), Life(life.snapshots[:upto]))


@given(lives(), st.data())
def test_some_sightings_in_any_order_and_then_the_present_one_give_the_right_sums(
    life: Life, data: st.DataObject
) -> None:
    stale = data.draw(st.lists(st.sampled_from(life.snapshots), max_size=20))
    assert agree(book([*stale, life.now]), life)


@given(lives(), st.data())
def test_doubled_and_reordered_sightings_give_the_same_entries(life: Life, data: st.DataObject) -> None:
    stale = data.draw(st.permutations(life.snapshots * 2))
    shuffled = book([*stale, life.now])
    assert sorted(shuffled, key=lambda e: e.ref) == sorted(book(life.snapshots), key=lambda e: e.ref)


@given(lives(), st.data())
def test_no_reference_is_ever_booked_twice(life: Life, data: st.DataObject) -> None:
    entries = book(data.draw(st.lists(st.sampled_from(life.snapshots), max_size=30)))
    assert len({entry.ref for entry in entries}) == len(entries)


@given(lives(), st.data())
def test_a_sighting_seen_again_brings_nothing(life: Life, data: st.DataObject) -> None:
    seen = data.draw(st.sampled_from(life.snapshots))
    assert facts(seen, {entry.ref for entry in facts(seen, ())}) == []


@given(lives())
def test_money_in_is_positive_and_money_out_negative_and_never_out_before_in(life: Life) -> None:
    entries = book(life.snapshots)
    for entry in entries:
        brings = entry.kind in (K.PAYMENT, K.REFUND_UNDONE, K.CHARGEBACK_UNDONE)
        assert (entry.amount.cents > 0) == brings
        assert entry.occurred_at.tzinfo is not None
    assert not entries or entries[0].kind is K.PAYMENT


def test_a_chargeback_seen_at_once_with_the_payment_is_booked_behind_it() -> None:
    life = Life()
    life.happen("paid", 0)
    life.happen("chargeback", 5000)
    assert [(e.kind, e.amount.cents) for e in facts(life.now, ())] == [
        (K.PAYMENT, 5000),
        (K.CHARGEBACK, -5000),
    ]


def test_a_debit_that_was_paid_and_then_failed_is_undone_and_not_removed() -> None:
    life = Life()
    life.happen("paid", 0)
    life.happen("fails", 0)
    assert [(e.kind, e.ref) for e in book(life.snapshots)] == [
        (K.PAYMENT, "tr_madeup"),
        (K.PAYMENT_UNDONE, "tr_madeup/undone"),
    ]
    assert facts(life.now, ()) == []


def test_money_that_was_undone_and_is_there_again_is_known_and_no_fact_of_its_own() -> None:
    life = Life()
    for what in ("paid", "fails"):
        life.happen(what, 0)
        assert not is_paid_anew(life.now, {entry.ref for entry in book(life.snapshots)})
    again, refs = replace(life.now, status=P.PAID), {entry.ref for entry in book(life.snapshots)}
    assert is_paid_anew(again, refs)
    assert not is_paid_anew(again, {NEW.id})
    assert facts(again, refs) == []


def test_a_fact_has_the_moment_that_mollie_names_and_else_the_nearest_one() -> None:
    paid_at, ended_at = START + timedelta(days=2), START + timedelta(days=5)
    paid = replace(NEW, status=P.PAID, paid_at=paid_at)
    assert [entry.occurred_at for entry in facts(paid, ())] == [paid_at]
    assert [entry.occurred_at for entry in facts(replace(paid, paid_at=None), ())] == [START]
    bounced = replace(NEW, status=P.FAILED, ended_at=ended_at)
    assert [entry.occurred_at for entry in facts(bounced, {NEW.id})] == [ended_at]
    assert [entry.occurred_at for entry in facts(replace(bounced, ended_at=None), {NEW.id})] == [START]


def test_a_card_that_was_proven_for_nothing_moved_no_money_and_one_cent_is_money() -> None:
    proven = replace(NEW, status=P.PAID, paid_at=START)
    assert facts(replace(proven, amount=Money(0)), ()) == []
    assert [entry.amount for entry in facts(replace(proven, amount=Money(1)), ())] == [Money(1)]


def test_a_refund_is_booked_while_it_stands_and_undone_when_it_was_booked_and_came_to_nothing() -> None:
    def seen(status: str) -> PaymentSnapshot:
        refund = RefundSnapshot("re_1", Money(2000), status, START)
        return replace(NEW, status=P.PAID, paid_at=START, refunds=(refund,))

    for status in ("pending", "refunded"):
        (booked,) = facts(seen(status), {NEW.id})
        assert (booked.kind, booked.ref, booked.amount) == (K.REFUND, "re_1", Money(-2000))
    for status in CAME_TO_NOTHING:
        assert facts(seen(status), {NEW.id}) == []
        (undone,) = facts(seen(status), {NEW.id, "re_1"})
        assert (undone.kind, undone.ref, undone.amount) == (K.REFUND_UNDONE, "re_1/undone", Money(2000))
