"""What a member will have been told of her debits on the days to come, by the rule that holds them back.

Each debit of a course is judged as it will be judged: told already, told in a mail that is written some days
before it, or late, so that it waits.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta

from linkpay.domain.notice import Debit, Rhythm, Told, verdict, write_from
from linkpay.services import coming, notices
from linkpay.services.coming import Next
from linkpay.store.db import Tx
from linkpay.store.tables import Site, Subscription


@dataclass(frozen=True, slots=True)
class Telling:
    """What becomes of a debit: its notice is written on `mailed_on`, None where all was told, and it may be
    asked for from `first_day` on."""

    mailed_on: date | None
    first_day: date


@dataclass
class Bulletin:
    """All that was told, and what is told on the way. Without a mandate nothing has to be."""

    mandate_id: int | None
    days: int
    told: list[Told]
    first: Next | None
    judged: dict[int, Telling] = field(default_factory=dict)

    def judge(self, ahead: Next, since: date) -> Telling:
        """What becomes of a debit that nobody looks at before `since`; asked again, it says the same."""
        if self.mandate_id is None or ahead.cents == 0:
            return Telling(None, ahead.due_on)
        if ahead.index not in self.judged:
            self.judged[ahead.index] = self._judge(self.mandate_id, self._as_planned(ahead), since)
        return self.judged[ahead.index]

    def _as_planned(self, ahead: Next) -> Next:
        """The first one with all that was decided for it: its plan and its day may have yet to change."""
        return self.first if self.first is not None and self.first.index == ahead.index else ahead

    def _judge(self, mandate_id: int, ahead: Next, since: date) -> Telling:
        rhythm = Rhythm(ahead.anchor_on, ahead.interval)
        debit = Debit(mandate_id, ahead.cents, ahead.due_on, rhythm)
        on = max(since, write_from(ahead.due_on, self.days))
        found = verdict(debit, self.told, days=self.days, today=on)
        if found.told:
            return Telling(None, found.first_day)
        every = ahead.interval if ahead.goes_on and found.first_day == ahead.due_on else None
        self.told.append(Told(mandate_id, ahead.cents, found.first_day, on, every))
        return Telling(on, found.first_day)


def begun(tx: Tx, site: Site, subscription: Subscription) -> Bulletin:
    """What this member was told so far."""
    mandate = notices.sepa_mandate(tx, subscription)
    if mandate is None:
        return nothing_told()
    return Bulletin(
        mandate.id, notices.days_agreed(tx, site, subscription), notices.known(tx, site, subscription),
        coming.collection(tx, subscription),
    )  # fmt: skip


def nothing_told() -> Bulletin:
    """For what needs no telling: a card, or a course of which only the next day is asked."""
    return Bulletin(None, 0, [], None)


def next_look(day: date) -> date:
    """The first day on which somebody looks at the debit after one that was asked for on a day."""
    return day + timedelta(days=1)
