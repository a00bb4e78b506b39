"""The figures that `buy --count` gives."""

from linkpay.cli.buy import rank


def test_ranks_are_values_that_were_measured() -> None:
    hundred = [float(value) for value in range(1, 101)]
    assert [rank(hundred, share) for share in (0.5, 0.95, 0.99, 1.0)] == [50, 95, 99, 100]
    assert rank([7.0], 0.5) == rank([7.0], 0.99) == 7.0
    assert rank([], 0.5) is None
