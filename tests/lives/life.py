"""A life: one seed decides who buys, and what members, owners and banks do with it over the months.

Each act has dice of its own, so that the others do the same when one is left out: so a failing life is told
by the few acts that it takes. Everything runs on one thread; nothing goes wrong but what banks refuse.
"""

import random
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import NamedTuple, TypeAlias

from linkpay.errors import InputError
from tests.flows.scene import frozen
from tests.flows.stage import Stage
from tests.lives import acts, acts_of_owner, banks, judge, rest
from tests.lives.living import PEOPLE, Living, Nothing, open_life
from tests.store_fixtures import Databases

Act: TypeAlias = Callable[[Living], None]
Table: TypeAlias = Sequence[tuple[int, Act]]

#: What may happen, and how often.
ACTS: Table = (
    (7, banks.days), (9, banks.to_a_turn), (6, banks.decide), (2, banks.refuse_for_a_while),
    (2, banks.take_back), (1, banks.bring_back), (1, banks.refund_at_mollie), (1, banks.revoke_mandate),
    (2, acts.buy), (4, acts.pay), (5, acts.cancel), (3, acts.undo_cancel), (4, acts.come_back),
    (2, acts.pause), (2, acts.resume), (4, acts.switch), (2, acts.stay_on_plan), (1, acts.change_account),
    (1, acts.withdraw), (3, acts_of_owner.refund), (2, acts_of_owner.note_cash),
    (1, acts_of_owner.take_note_back), (2, acts_of_owner.give_time), (2, acts_of_owner.end_grace),
    (2, acts_of_owner.debit_again), (2, acts_of_owner.write_off), (1, acts_of_owner.give_present),
    (1, acts_of_owner.take_present_back), (1, acts_of_owner.block), (2, acts_of_owner.unblock),
)  # fmt: skip
#: So many of them are five times as likely in one life, since what is rare meets what is rare too seldom.
_FOCUS, _MORE = 7, 5
_MOST_ACTS, _TRIES = 25, 8
_QUIET = timedelta(days=60)


class Failure(NamedTuple):
    """How a life went wrong, and with which of its acts."""

    story: str
    number: int

    def kind(self) -> str:
        """What went wrong, whatever the days and numbers of it."""
        first = self.story.partition("\n")[0].partition(": ")[2]
        return "".join(letter for letter in first if not letter.isdigit())[:60]


@dataclass
class Tally:
    """What was tried. What failed is told at once."""

    tell: Callable[[str], None] = lambda _story: None
    lives: int = 0
    seconds: float = 0.0
    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)

    def add(self, life: "Life") -> None:
        """One more life."""
        self.lives += 1
        self.done += life.done
        self.refused += life.refused
        self.reasons += life.reasons

    def report(self) -> str:
        """How many lives, and how often each act was done and refused."""
        each = ", ".join(
            f"{act.__name__} {self.done[act.__name__]}/{self.refused[act.__name__]}" for _, act in ACTS
        )
        return (
            f"{self.lives} lives in {self.seconds:.0f} s, {self.lives / (self.seconds or 1):.1f} a second;"
            f" {self.done.total()} acts done and {self.refused.total()} refused for"
            f" {len(self.reasons)} reasons (done/refused: {each})"
        )


class Life(Living):
    """One seed, told from its first purchase until all is quiet."""

    def __init__(self, stage: Stage, seed: int, table: Table, left_out: frozenset[int]) -> None:
        super().__init__(stage, random.Random(seed))
        # The product's own jitter, so that a seed tells the same story twice.
        random.seed(seed)
        self.seed, self.left_out = seed, left_out
        self.people = PEOPLE[: self.dice.choice((1, 1, 1, 2))]
        self.methods = ("ideal", "creditcard") if self.chance(0.3) else ("ideal",)
        self.acts = [act for _, act in table]
        focus = self.dice.sample(self.acts, min(_FOCUS, len(table)))
        self.weights = [weight * (_MORE if act in focus else 1) for weight, act in table]
        self.number = 0
        self.done: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()

    def run(self) -> None:
        """All of it. Raises an AssertionError that tells it."""
        try:
            if self.chance(0.3):
                acts_of_owner.choose_policy(self)
            self._try(acts.first_buy)
            for number in range(1, self.dice.randint(10, _MOST_ACTS)):
                self.number = number
                if number not in self.left_out:
                    self._act(random.Random(f"{self.seed}:{number}"))
            self._come_to_rest()
            rest.right(self)
        except Exception as wrong:  # whatever it is, the story must be told
            where = traceback.extract_tb(wrong.__traceback__)[-1]
            said = f"{type(wrong).__name__} {str(wrong) or where.line} (in {where.name})"
            raise AssertionError("\n  ".join([f"seed {self.seed}: {said}", *self.told])) from wrong

    def _act(self, dice: random.Random) -> None:
        """Some act that can be done; after a few that cannot, none."""
        self.dice = dice
        for _ in range(_TRIES):
            if self._try(dice.choices(self.acts, self.weights)[0]):
                return

    def _try(self, act: Act) -> bool:
        self.say(act.__name__)
        try:
            act(self)
        except Nothing:
            self.told.pop()
            return False
        except InputError as no:
            self.refused[act.__name__] += 1
            self.reasons[no.code] += 1
            self.detail(f"refused: {no.code}")
            return False
        self.stage.work()
        self.look(self.stage)
        self.done[act.__name__] += 1
        judge.safe(self)
        return True

    def _come_to_rest(self) -> None:
        """Banks pay again, nobody does anything, and two months pass."""
        self.say("quiet")
        for customer in self.stage.sandbox.world.books.customers:
            self.stage.sandbox.call("POST", f"/_sandbox/customers/{customer.id}", {"next_debit": None})
        self.go_to(self.stage.clock.now() + _QUIET)


def live(
    databases: Databases, seeds: Sequence[int], tally: Tally, *, shortened: bool = False, table: Table = ACTS
) -> None:
    """One life per seed. Adds to the tally what failed, told by as few acts as it takes if `shortened`."""

    def lived(tally: Tally, seed: int, left_out: frozenset[int] = frozenset()) -> Failure | None:
        with scene.played() as stage:
            life = Life(stage, seed, table, left_out)
            try:
                life.run()
            except AssertionError as wrong:
                return Failure(str(wrong), life.number)
            finally:
                tally.add(life)
            return None

    with frozen(databases, open_life) as scene:
        started = time.monotonic()
        for seed in seeds:
            failure = lived(tally, seed)
            if failure is not None:
                again = partial(lived, Tally(), seed)
                tally.failed.append((_shortened(again, failure) if shortened else failure).story)
                tally.tell(f"WRONG: {tally.failed[-1]}\n")
        tally.seconds += time.monotonic() - started


def _shortened(lived: Callable[[frozenset[int]], Failure | None], failure: Failure) -> Failure:
    """The same failure without the acts that it comes without, looked for from the last to the first."""
    left_out: frozenset[int] = frozenset()
    for number in range(failure.number, 0, -1):
        shorter = lived(left_out | {number})
        if shorter is not None and shorter.kind() == failure.kind() and shorter.number <= failure.number:
            left_out, failure = left_out | {number}, shorter
    return failure
