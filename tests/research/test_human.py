"""The person of a replay: how long he takes and what he says, the same for the same question."""

from statistics import median

import pytest

from polyb0t.research.replay.human import APPROVES_ALL, NOBODY, HumanModel, measured

A_DAY_US = 86_400_000_000


def words(human: HumanModel, count: int = 2_000, seconds: float = 60) -> list[tuple[float, bool] | None]:
    said = (human.word(1, f"{n}", A_DAY_US + n, seconds) for n in range(count))
    return [None if word is None else (word.after_seconds, word.approves) for word in said]


def test_he_takes_twenty_seconds_in_the_middle_and_never_longer_than_there_is():
    took = [word[0] for word in words(APPROVES_ALL) if word is not None]
    assert len(took) == 2_000
    assert 17 < median(took) < 21  # what would have taken longer than a minute is left out
    assert max(took) <= 60
    assert median(sorted(word[0] for word in words(APPROVES_ALL, seconds=600) if word)) == pytest.approx(
        20, abs=1
    )


def test_he_approves_and_rejects_as_often_as_was_said():
    said = words(HumanModel("some", 0.5, 0.2))
    assert sum(word is None for word in said) / 2_000 == pytest.approx(0.3, abs=0.03)
    assert sum(bool(word and word[1]) for word in said) / 2_000 == pytest.approx(0.5, abs=0.03)


def test_nobody_says_nothing():
    assert set(words(NOBODY, 50)) == {None}


def test_what_he_says_to_one_proposal_does_not_depend_on_any_other():
    alone = APPROVES_ALL.word(7, "asset", A_DAY_US, 60)
    words(APPROVES_ALL, 10)
    assert APPROVES_ALL.word(7, "asset", A_DAY_US, 60) == alone
    assert APPROVES_ALL.word(8, "asset", A_DAY_US, 60) != alone


def test_a_measured_person_takes_only_times_that_were_measured():
    human = measured(10, approved=[5, 9, 30, 200], rejected=[12, 40])
    took = {word[0] for word in words(human) if word is not None}
    assert took == {5, 9, 12, 30, 40}  # 200 s are more than the minute that there is
    assert sum(word is None for word in words(human)) / 2_000 == pytest.approx(0.4, abs=0.03)


def test_too_few_decisions_are_no_measurement():
    with pytest.raises(ValueError, match="4 decisions"):
        measured(9, [1, 2, 3], [4])


@pytest.mark.parametrize("parts", [(1.1, 0.0), (-0.1, 0.5), (0.7, 0.4)])
def test_parts_of_no_whole_are_refused(parts):
    with pytest.raises(ValueError, match="parts"):
        HumanModel("", *parts)
