"""Frozen beginnings from which schedules go on, many times each, and the figures of a run."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from linkpay.domain.charge import ChargeState
from tests.flows import stories
from tests.flows.scene import Scene, frozen
from tests.flows.stage import Stage
from tests.flows.story import Story
from tests.flows.truth import check
from tests.model import director
from tests.model.director import Director
from tests.model.walk import Walk
from tests.store_fixtures import Databases

#: Where random schedules begin: an empty shop, a member the evening before her second month, one in grace.
BEGINNINGS: tuple[Callable[[Stage], None], ...] = (
    stories.nothing,
    stories.buy_and_wait,
    stories.buy_and_reach_debit,
)


def second_month(stage: Stage) -> None:
    """The evening of the second month; the bank pays as soon as it has the debit."""
    stage.advance(hours=2)
    for _ in range(20):
        waiting = [one for one in stage.sandbox.world.books.payments if one.status == "pending"]
        if waiting:
            stage.bank(waiting[0].id, "paid")
            stage.work()
            return
        stage.advance(minutes=10)
    raise AssertionError("the debit never reached Mollie")


def lose_an_answer_for_an_hour(stage: Stage) -> None:
    """The debit is made, its answer and its webhook are lost, and Mollie is away until it forgets the key."""
    stories.buy_and_wait(stage)
    deliver = stage.deliveries
    stage.deliveries = lambda _told: []
    stage.disturb("timeout_after", match="/v2/payments")
    stage.disturb("status:503", match="/v2/payments", count=1_000)
    stage.advance(hours=2, minutes=55)
    stage.calm()
    stage.deliveries = deliver


def lose_a_refund_for_an_hour(stage: Stage) -> None:
    """Paid twice, and sent back; no more is heard of that until Mollie forgets its key."""
    stories.pay_one_of_two(stage)
    stage.disturb("status:503", match="/refunds", count=1_000)
    stories.pay_both(stage)
    stage.calm()


def wait_an_hour(stage: Stage) -> None:
    """What is unknown is looked for."""
    stage.advance(hours=1)


#: Told with every single thing going wrong, at every boundary or at the first of each name.
SCRIPTS: dict[str, Story] = {
    "a purchase": stories.STORIES["a purchase"],
    "a renewal": Story(stories.buy_and_wait, second_month, stories.renewed),
    "a bounce until access ends": stories.STORIES["a bounce until access ends"],
    "two plans in two tabs, both paid": stories.STORIES["two plans in two tabs, both paid"],
    "an answer lost for an hour": Story(lose_an_answer_for_an_hour, second_month, stories.renewed),
    "a refund unheard of for an hour": Story(lose_a_refund_for_an_hour, wait_an_hour, stories.one_sent_back),
}


@dataclass
class Tally:
    """What was tried."""

    director: Director
    schedules: int = 0
    seconds: float = 0.0
    boundaries: int = 0
    #: Names of boundaries that scripts cross where nothing is wrong; the others lie behind a first trouble.
    plain: set[str] = field(default_factory=set)
    failed: list[str] = field(default_factory=list)

    def pairs(self, names: Iterable[str] | None = None) -> tuple[int, int]:
        """(boundary, fault) pairs that happened, and all that can at these boundaries; else at all met."""
        names = self.director.met if names is None else names
        possible = {(name, kind) for name in names for kind in director.kinds(name)}
        return len(possible & set(self.director.covered)), len(possible)

    def report(self) -> str:
        """One line each."""
        done, of = self.pairs()
        most = ", ".join(f"{name} {times}" for name, times in self.director.met.most_common(5))
        return (
            f"{self.schedules} schedules in {self.seconds:.0f} s,"
            f" {self.schedules / (self.seconds or 1):.1f} a second;"
            f" {self.boundaries} boundaries crossed, of {len(self.director.met)} kinds ({most}, ...);"
            f" {sum(self.director.covered.values())} things went wrong;"
            f" (boundary, fault) pairs {done} of {of}, {100 * done / (of or 1):.0f} %"
        )


@contextmanager
def _scenes(
    databases: Databases, beginnings: Sequence[Callable[[Stage], None]], boundaries: Director
) -> Iterator[list[Scene]]:
    with ExitStack() as held:
        yield [held.enter_context(frozen(databases, begin, boundaries)) for begin in beginnings]


def walk(databases: Databases, seeds: Sequence[int], tally: Tally) -> None:
    """One random schedule per seed. Adds what failed to the tally."""
    with _scenes(databases, BEGINNINGS, tally.director) as scenes:
        started = time.monotonic()
        for seed in seeds:
            with scenes[seed % len(scenes)].played() as stage:
                _tried(tally, Walk(stage, seed).run)
        tally.seconds += time.monotonic() - started


def _tried(tally: Tally, run: Callable[[], None]) -> None:
    try:
        run()
    except AssertionError as wrong:
        tally.failed.append(str(wrong))
    tally.schedules += 1
    tally.boundaries += len(tally.director.crossed)
    tally.director.stage = None


def deviate(databases: Databases, names: Sequence[str], tally: Tally, *, every: bool, two: int = 0) -> None:
    """Each script with each single thing going wrong at each boundary, and with `two` things, so many times.

    Without `every`, only what has not gone wrong yet at any boundary of that name, in this tally.
    """
    for name in names:
        script = SCRIPTS[name]
        with _scenes(databases, [_undisturbed(script)], tally.director) as (scene,):
            started = time.monotonic()
            plain = _told(tally, scene, script, {})
            tally.plain |= set(plain)
            single = [
                (number, kind)
                for number, boundary in enumerate(plain, 1)
                if every or boundary not in plain[: number - 1]
                for kind in director.kinds(boundary)
            ]
            behind: dict[str, _Way] = {}
            for number, kind in single:
                if every or (plain[number - 1], kind) not in tally.director.covered:
                    crossed = _told(tally, scene, script, {number: kind})
                    for at, boundary in enumerate(crossed[number:], number + 1):
                        behind.setdefault(boundary, _Way(number, kind, [])).add(at, number, kind)
            for boundary in sorted(behind.keys() - set(plain)):
                _deviate_behind(tally, scene, script, boundary, behind[boundary])
            for first, second in _pairs(single, two):
                _told(tally, scene, script, dict((first, second)))
            tally.seconds += time.monotonic() - started


@dataclass(frozen=True, slots=True)
class _Way:
    """By which first trouble a script comes to a boundary, and where it crosses it on that way."""

    number: int
    kind: str
    at: list[int]

    def add(self, at: int, number: int, kind: str) -> None:
        """It is crossed there, too, if that is on the same way."""
        if (number, kind) == (self.number, self.kind):
            self.at.append(at)


def _deviate_behind(tally: Tally, scene: Scene, script: Story, boundary: str, way: _Way) -> None:
    """Everything that can happen at a boundary behind a first trouble, once; not where another crosses it."""
    for kind in director.kinds(boundary):
        for at in way.at:
            if (boundary, kind) not in tally.director.covered:
                _told(tally, scene, script, {way.number: way.kind, at: kind})


def _pairs(
    single: Sequence[tuple[int, str]], count: int
) -> Iterator[tuple[tuple[int, str], tuple[int, str]]]:
    """`count` pairs out of all, spread evenly."""
    whole = [(one, two) for one in single for two in single if one[0] < two[0]]
    step = max(1, len(whole) // count) if count else 0
    yield from (whole[::step][:count] if step else [])


def _undisturbed(script: Story) -> Callable[[Stage], None]:
    def begin(stage: Stage) -> None:
        script.begin(stage)
        stage.stop_watching()

    return begin


def _told(tally: Tally, scene: Scene, script: Story, plan: dict[int, str]) -> list[str]:
    """The script with this plan; returns the boundaries that it crossed."""

    def run() -> None:
        boundaries = tally.director
        try:
            script.go_on(stage)
            boundaries.rest()
            stage.calm()
            stage.advance(minutes=76)
            happened = [(kind, *boundaries.crossed[n - 1 : n]) for n, kind in plan.items()]
            thawed = director.THAWED in happened
            if thawed and any(len(stage.mollie_ids(one.id)) > 1 for one in stage.charges(stories.ANNA)):
                _pays_all_and_keeps_one(stage)
            else:
                script.check(stage)
            check(stage)
        except AssertionError as wrong:
            where = ", ".join(f"{kind} at {n} ({boundaries.crossed[n - 1]})" for n, kind in plan.items())
            raise AssertionError(f"{where or 'undisturbed'}: {wrong}") from wrong

    with scene.played() as stage:
        tally.director.begin(stage, plan)
        _tried(tally, run)
        return list(tally.director.crossed)


def _pays_all_and_keeps_one(stage: Stage) -> None:
    """However often a period was asked for at Mollie: once the bank has brought all, it is kept once."""
    for payment in list(stage.sandbox.world.books.payments):
        if payment.status == "pending":
            stage.bank(payment.id, "paid")
    stage.work()
    stage.advance(days=3)
    charges = stage.charges(stories.ANNA)
    assert {charge.state for charge in charges} == {ChargeState.PAID}
    assert stage.kept_cents() == sum(charge.amount_cents for charge in charges)


def fresh() -> Tally:
    """An empty tally with a director of its own."""
    return Tally(Director())
