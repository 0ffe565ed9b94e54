"""How far marks may move: the shrunk covariance by hand, what is left out, and that nothing sizes by it."""

from pathlib import Path

import duckdb
import numpy as np
import pytest

from polyb0t.research.comovement import LEAST, STEP_US, Lot, mark_risk, recorded_mids, shrunk_covariance


def a_lot(name: str, shares: float = 100.0, price: float = 0.5) -> Lot:
    return Lot(name, name, shares, price)


def walk(seed: int, steps: int = 200, shared: float = 0.0, size: float = 0.1) -> dict[int, float]:
    """A price whose log-odds take normal steps, a part of them those of seed 0."""
    own = np.random.default_rng(seed).standard_normal(steps)
    common = np.random.default_rng(0).standard_normal(steps)
    path = np.cumsum(size * (np.sqrt(shared) * common + np.sqrt(1 - shared) * own))
    return {n: float(1 / (1 + np.exp(-x))) for n, x in enumerate(path)}


class TestShrinkage:
    def test_two_columns_by_hand(self) -> None:
        """Rows (2,2) (-2,-2) (1,-1) (-1,1): S = [[2.5, 1.5], [1.5, 2.5]].

        m = 2.5; d = |S - mI|^2 / 2 = 2.25. |x|^4 sums to 2 x 64 + 2 x 4 = 136, |S|^2 = 17, so the error is
        (136 - 4 x 17) / 16 / 2 = 2.125, and the share 2.125 / 2.25.
        """
        returns = np.array([[2.0, 2.0], [-2.0, -2.0], [1.0, -1.0], [-1.0, 1.0]])
        covariance, share = shrunk_covariance(returns)
        assert share == pytest.approx(2.125 / 2.25)
        assert covariance == pytest.approx(np.array([[2.5, 1.5 * (1 - share)], [1.5 * (1 - share), 2.5]]))

    def test_against_the_definition(self) -> None:
        returns = np.random.default_rng(3).standard_normal((80, 6)) * np.arange(1, 7)
        covariance, share = shrunk_covariance(returns)
        x = returns - returns.mean(axis=0)
        sample = sum(np.outer(row, row) for row in x) / 80
        mean = np.trace(sample) / 6
        distance = ((sample - mean * np.eye(6)) ** 2).sum() / 6
        error = sum(((np.outer(row, row) - sample) ** 2).sum() for row in x) / 80**2 / 6
        assert share == pytest.approx(min(error, distance) / distance)
        assert covariance == pytest.approx(share * mean * np.eye(6) + (1 - share) * sample)

    def test_it_is_nearer_to_the_truth_than_the_sample(self) -> None:
        returns = np.random.default_rng(4).standard_normal((60, 40))
        covariance, share = shrunk_covariance(returns)
        sample = np.cov(returns.T, bias=True)
        assert 0.5 < share <= 1
        assert ((covariance - np.eye(40)) ** 2).sum() < ((sample - np.eye(40)) ** 2).sum() / 5

    @pytest.mark.parametrize("shape", [(1, 3), (5, 0)])
    def test_what_has_no_covariance(self, shape: tuple[int, int]) -> None:
        with pytest.raises(ValueError, match="no covariance"):
            shrunk_covariance(np.zeros(shape))


class TestMarks:
    def test_one_lot_by_hand(self) -> None:
        """0.1 a step at 50 cents: a hundred shares move 2.5 pUSD a step, 5 a day, 8.2 on one day of twenty."""
        found = mark_risk([a_lot("a")], {"a": walk(1, 4_000)})
        assert found is not None
        assert found.day_loss == pytest.approx(8.22, rel=0.05)
        assert found.observations == 3_999

    def test_what_moves_together_is_named_and_loses_more(self) -> None:
        lots = [a_lot("a"), a_lot("b")]
        apart = mark_risk(lots, {"a": walk(1), "b": walk(2)})
        together = mark_risk(lots, {"a": walk(1, shared=0.9), "b": walk(2, shared=0.9)})
        assert apart is not None
        assert together is not None
        assert together.day_loss > apart.day_loss * 1.2
        assert apart.pairs == ()
        assert [(a, b) for a, b, rho in together.pairs if rho > 0.7] == [("a", "b")]

    def test_too_little_of_one_leaves_that_one_out(self) -> None:
        found = mark_risk([a_lot("a"), a_lot("b")], {"a": walk(1), "b": walk(2, LEAST)})
        assert found is not None
        assert found.left_out == ("b",)
        assert mark_risk([a_lot("b")], {"b": walk(2, LEAST)}) is None  # one change fewer than needed
        assert mark_risk([a_lot("b")], {"b": walk(2, LEAST + 1)}) is not None

    def test_a_gap_is_no_change(self) -> None:
        seen = {step: price for step, price in walk(1, 100).items() if step % 2}
        assert mark_risk([a_lot("a")], {"a": seen}) is None


def test_the_last_middle_of_each_six_hours_is_read(tmp_path: Path) -> None:
    day = tmp_path / "books" / "2026-11-22"
    day.mkdir(parents=True)
    rows = [(1, "a", [400_000], [420_000]), (2, "a", [500_000], [520_000]), (STEP_US, "a", [], [520_000])]
    rows += [(STEP_US + 1, "a", [600_000], [620_000]), (3, "other", [1], [2])]
    told = ", ".join(f"({at}::BIGINT, '{a}', {b}::INTEGER[], {c}::INTEGER[])" for at, a, b, c in rows)
    names = "(at_us, asset, bid_prices_e6, ask_prices_e6)"
    duckdb.sql(f"COPY (SELECT * FROM (VALUES {told}) t{names}) TO '{day / 'one.parquet'}' (FORMAT parquet)")
    assert recorded_mids(tmp_path, ["a", "b"]) == {"a": {0: 0.51, 1: 0.61}, "b": {}}
    assert recorded_mids(tmp_path / "nowhere", ["a"]) == {"a": {}}
