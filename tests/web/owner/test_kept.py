"""Costly counts are made once a minute, cheap ones each time."""

from collections.abc import Callable

from linkpay.web.owner.kept import Kept


class Machine:
    """A clock and a processor that a test moves."""

    def __init__(self) -> None:
        self.now = self.used = 0.0
        self.counted = 0

    def counting(self, seconds: float) -> Callable[[], int]:
        def count() -> int:
            self.used += seconds
            self.counted += 1
            return self.counted

        return count


def test_what_is_costly_is_counted_once_a_minute_by_key() -> None:
    machine = Machine()
    kept: Kept[int] = Kept(lambda: machine.used, lambda: machine.now)
    slow = machine.counting(0.3)
    assert [kept.get(1, slow), kept.get(1, slow), kept.get(2, slow)] == [1, 1, 2]
    machine.now = 59
    assert kept.get(1, slow) == 1
    machine.now = 61
    assert kept.get(1, slow) == 3


def test_what_is_cheap_is_counted_each_time() -> None:
    machine = Machine()
    kept: Kept[int] = Kept(lambda: machine.used, lambda: machine.now)
    fast = machine.counting(0.01)
    assert [kept.get(1, fast), kept.get(1, fast)] == [1, 2]


def test_it_does_not_grow_for_ever() -> None:
    machine = Machine()
    kept: Kept[int] = Kept(lambda: machine.used, lambda: machine.now)
    for key in range(500):
        kept.get(key, machine.counting(1))
    assert len(kept._held) <= 100
