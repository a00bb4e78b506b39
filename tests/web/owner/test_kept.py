"""Large counts are made once a minute, small ones each time."""

from linkpay.web.owner.kept import Kept


class Machine:
    """A clock that a test moves, and things to count."""

    def __init__(self) -> None:
        self.now, self.counted = 0.0, 0

    def large(self) -> int:
        self.counted += 1
        return 1000 + self.counted

    def small(self) -> int:
        self.counted += 1
        return self.counted


def keeper(machine: Machine) -> Kept[int]:
    return Kept(lambda found: found > 1000, lambda: machine.now)


def test_what_is_large_is_counted_once_a_minute_by_key() -> None:
    machine = Machine()
    kept = keeper(machine)
    assert [kept.get(key, machine.large) for key in (1, 1, 2)] == [1001, 1001, 1002]
    machine.now = 59
    assert kept.get(1, machine.large) == 1001
    machine.now = 61
    assert kept.get(1, machine.large) == 1003


def test_what_is_small_is_counted_each_time() -> None:
    machine = Machine()
    kept = keeper(machine)
    assert [kept.get(1, machine.small), kept.get(1, machine.small)] == [1, 2]


def test_it_does_not_grow_for_ever() -> None:
    machine = Machine()
    kept = keeper(machine)
    for key in range(500):
        kept.get(key, machine.large)
    assert len(kept._held) <= 100
