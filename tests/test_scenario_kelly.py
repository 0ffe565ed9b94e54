"""Scenario Kelly: the golden vector, the closed form of one outcome, and what has to hold for any event."""

import math
import random
from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polyb0t.core.units import ONE, ZERO
from polyb0t.data.markets import FeeSchedule
from polyb0t.models.fees import cost_per_share
from polyb0t.models.scenario_kelly import GAP, Ends, Stakes, Token, best_stakes
from polyb0t.models.sizing import kelly
from tests.support.decisions import d

FEE = FeeSchedule(d("0.04"), d(1))
NO_FEE = FeeSchedule(d(0), d(1))
Q = tuple(d(q) for q in (".46", ".24", ".15", ".10", ".05"))
ASKS = tuple(d(ask) for ask in (".41", ".25", ".12", ".12", ".08"))


def pays_if(end: int, ends: int, *, yes: bool = True) -> tuple[bool, ...]:
    """A YES pays in one end, a NO in all others."""
    return tuple((s == end) is yes for s in range(ends))


def each_yes(fee: FeeSchedule, ends: int = len(Q)) -> list[Token]:
    return [Token(pays_if(s, ends), cost_per_share(ask, fee)) for s, ask in enumerate(ASKS)]


def four_places(stakes: Stakes) -> list[str]:
    return [f"{spent:.4f}" for spent in stakes.spent]


def growth(ends: Ends, tokens: Sequence[Token], spent: Sequence[Decimal]) -> float:
    wealth = [
        before + sum((x / t.cost if t.pays[s] else ZERO) - x for x, t in zip(spent, tokens, strict=True))
        for s, before in enumerate(ends.wealth)
    ]
    return sum(
        float(chance) * math.log(w) if w > 0 else -math.inf
        for chance, w in zip(ends.chances, wealth, strict=True)
        if chance > 0
    )


class TestGolden:
    def test_the_vector_of_smoczynski_and_tomkins(self) -> None:
        stakes = best_stakes(Ends(Q, (ONE,) * 5), each_yes(FEE), ONE)
        assert four_places(stakes) == ["0.1779", "0.0669", "0.0665", "0.0165", "0.0000"]
        assert stakes.exact

    def test_their_rule_gives_the_same(self) -> None:
        """f = q - R x c over the outcomes with q / c above R, R = (1 - sum of q) / (1 - sum of c)."""
        costs = [token.cost for token in each_yes(FEE)]
        reserve = (ONE - sum(Q[:4])) / (ONE - sum(costs[:4]))
        assert Q[4] / costs[4] < reserve < min(q / c for q, c in zip(Q[:4], costs[:4], strict=True))
        stakes = best_stakes(Ends(Q, (ONE,) * 5), each_yes(FEE), ONE)
        for spent, q, cost in zip(stakes.spent[:4], Q, costs, strict=False):
            assert abs(spent - (q - reserve * cost)) < d("1e-8")

    def test_kellys_golden_number(self) -> None:
        cost = cost_per_share(d("0.60"), FEE)
        stakes = best_stakes(Ends((d("0.66"), d("0.34")), (ONE, ONE)), [Token((True, False), cost)], ONE)
        assert four_places(stakes) == ["0.1291"]
        assert abs(stakes.spent[0] - kelly(d("0.66"), cost)) < d("1e-8")

    def test_an_exhaustive_set_under_one_pusd_takes_all_the_cash_and_no_more(self) -> None:
        stakes = best_stakes(Ends(Q, (ONE,) * 5), each_yes(NO_FEE), d("0.8"))
        assert d("0.799999") < sum(stakes.spent) < d("0.8")

    def test_the_same_set_with_another_end_is_no_full_set(self) -> None:
        """A hundredth for an end in which none of them pays, and most of the money stays."""
        chances = (*(q * d("0.99") for q in Q), d("0.01"))
        stakes = best_stakes(Ends(chances, (ONE,) * 6), each_yes(NO_FEE, 6), ONE)
        assert sum(stakes.spent) < d("0.75")


class TestHoldings:
    ALONE = Ends((d("0.66"), d("0.34")), (d(100), d(100)))
    YES, NO = Token((True, False), d("0.60")), Token((False, True), d("0.41"))

    def stake(self, *wealth: str, token: Token = YES) -> Decimal:
        ends = Ends(self.ALONE.chances, tuple(d(w) for w in wealth))
        return best_stakes(ends, [token], d(100)).spent[0]

    def test_shares_of_the_same_outcome_count_in_full(self) -> None:
        """Six pUSD were spent on ten shares: just so much less is spent now."""
        assert abs(self.stake("100", "100") - self.stake("104", "94") - 6) < d("1e-6")

    def test_shares_of_the_other_outcome_are_netted(self) -> None:
        """Ten NO shares make ten YES shares good for: what they pay together is certain."""
        assert self.stake("95.9", "105.9") > self.stake("100", "100")

    def test_a_position_that_is_large_enough_is_left_alone(self) -> None:
        assert self.stake("110", "85") == 0

    def test_an_end_that_ruins_us_already_is_not_bet_against(self) -> None:
        assert self.stake("100", "0") == 0
        assert self.stake("0", "100") == 0


def an_event(seed: int) -> tuple[Ends, list[Token], Decimal]:
    """Up to seven exclusive outcomes, some YES and NO of them, holdings of any kind."""
    dice = random.Random(seed)
    count = dice.randint(2, 7)
    weights = [Decimal(dice.randint(1, 999)) for _ in range(count)]
    chances = tuple(weight / sum(weights) for weight in weights)
    wealth = tuple(Decimal(dice.randint(30, 200)) for _ in range(count))
    tokens = []
    for end, chance in enumerate(chances):
        for yes in (True, False):
            fair = chance if yes else ONE - chance
            cost = min(d("0.99"), max(d("0.01"), fair + Decimal(dice.randint(-60, 60)) / 1000))
            if dice.random() < 0.7:
                tokens.append(Token(pays_if(end, count, yes=yes), cost))
    return Ends(chances, wealth), tokens, Decimal(dice.randint(10, 100))


class TestAnyEvent:
    @given(seed=st.integers(0, 10**9))
    @settings(max_examples=80, deadline=None)
    def test_never_more_than_the_cash_never_less_than_nothing_and_as_good_as_it_says(self, seed: int) -> None:
        ends, tokens, cash = an_event(seed)
        stakes = best_stakes(ends, tokens, cash)
        assert all(spent >= 0 for spent in stakes.spent)
        assert sum(stakes.spent) <= cash
        assert stakes.gap <= GAP

    @given(seed=st.integers(0, 10**9))
    @settings(max_examples=40, deadline=None)
    def test_no_other_spending_grows_faster(self, seed: int) -> None:
        ends, tokens, cash = an_event(seed)
        best = best_stakes(ends, tokens, cash)
        grown = growth(ends, tokens, best.spent)
        dice = random.Random(seed)
        for _ in range(30):
            parts = [Decimal(dice.random()) for _ in tokens]
            scale = cash * Decimal(dice.random()) / max(ONE, sum(parts, ZERO))
            other = [part * scale * Decimal(dice.random() < 0.5) for part in parts]
            near = [x * d("0.9") + y * d("0.1") for x, y in zip(best.spent, other, strict=True)]
            assert growth(ends, tokens, other) <= grown + 1e-9
            assert growth(ends, tokens, near) <= grown + 1e-9

    @given(q=st.integers(1, 99), cost=st.integers(1, 99))
    def test_one_outcome_is_the_closed_form(self, q: int, cost: int) -> None:
        chance, price = Decimal(q) / 100, Decimal(cost) / 100
        ends = Ends((chance, ONE - chance), (ONE, ONE))
        (spent,) = best_stakes(ends, [Token((True, False), price)], ONE).spent
        assert abs(spent - kelly(chance, price)) < d("1e-5")
        assert spent == 0 or chance > price  # nothing without an edge

    @given(q=st.integers(5, 90), better=st.integers(1, 5), held=st.integers(0, 20), cost=st.integers(5, 90))
    def test_more_confidence_never_buys_less_and_more_held_never_buys_more(
        self, q: int, better: int, held: int, cost: int
    ) -> None:
        def stake(percent: int, shares: int) -> Decimal:
            chance, price = Decimal(percent) / 100, Decimal(cost) / 100
            wealth = (100 + shares * (ONE - price), 100 - shares * price)
            return best_stakes(
                Ends((chance, ONE - chance), wealth), [Token((True, False), price)], d(80)
            ).spent[0]

        crumb = d("1e-4")
        assert stake(q + better, held) >= stake(q, held) - crumb
        assert stake(q, held) <= stake(q, 0) + crumb

    def test_the_answer_does_not_depend_on_the_order_of_the_tokens(self) -> None:
        ends, tokens, cash = an_event(7)
        forward = best_stakes(ends, tokens, cash).spent
        backward = best_stakes(ends, tokens[::-1], cash).spent[::-1]
        assert all(abs(a - b) < d("1e-4") for a, b in zip(forward, backward, strict=True))


class TestRefused:
    @pytest.mark.parametrize("chances", [("0.5", "0.4"), ("1.1", "-0.1"), ("0.5",)])
    def test_what_is_no_distribution(self, chances: tuple[str, ...]) -> None:
        with pytest.raises(ValueError, match=r"distribution|every end"):
            Ends(tuple(d(chance) for chance in chances), (ONE, ONE))

    @pytest.mark.parametrize("cost", ["0", "1", "-0.1", "1.01"])
    def test_what_is_no_cost(self, cost: str) -> None:
        with pytest.raises(ValueError, match="a share costs"):
            Token((True, False), d(cost))
