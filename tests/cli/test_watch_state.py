"""What a key means in the watch: nothing moves under the finger, and two keys approve."""

import pytest

from polyb0t.cli.watch_state import Manner, WatchState, Wish
from polyb0t.core.ids import IntentId

A, B, C = (IntentId(letter * 16) for letter in "abc")


def watching(*ids: IntentId) -> WatchState:
    state = WatchState()
    state.look(ids, 0)
    return state


class TestApproving:
    def test_two_keys_approve(self) -> None:
        state = watching(A, B)
        assert state.key("a", 1) is Wish.NOTHING
        assert state.key("y", 2) is Wish.APPROVE
        assert state.selected == A

    @pytest.mark.parametrize("key", ["n", "a", "Y", "enter", "space", "r", "j", "escape", "q", "H", "?"])
    def test_any_other_key_than_y_is_no(self, key: str) -> None:
        state = watching(A)
        state.key("a", 1)
        assert state.key(key, 2) is Wish.NOTHING
        assert state.key("y", 3) is Wish.NOTHING, "the question is over"

    @pytest.mark.parametrize(("key", "manner"), [("e", Manner.WITH_EXITS), ("s", Manner.SMALLER)])
    def test_with_exits_and_smaller_take_two_keys_as_well(self, key: str, manner: Manner) -> None:
        state = watching(A)
        assert state.key(key, 1) is Wish.NOTHING
        assert (state.asking, state.manner) == (A, manner)
        assert state.key("y", 2) is Wish.APPROVE

    def test_each_s_halves_once_more(self) -> None:
        state = watching(A)
        for key in ("s", "s", "s"):
            state.key(key, 1)
        assert (state.asking, state.halvings) == (A, 3)

    def test_another_question_after_a_no_is_about_the_whole_trade_again(self) -> None:
        state = watching(A)
        for key in ("s", "s", "n", "a"):
            state.key(key, 1)
        assert (state.manner, state.halvings) == (Manner.AS_IS, 1)

    def test_a_y_alone_does_nothing(self) -> None:
        assert watching(A).key("y", 1) is Wish.NOTHING

    def test_with_nothing_waiting_keys_do_nothing(self) -> None:
        state = watching()
        assert {state.key(key, 1) for key in ("a", "y", "r", "m", "o", "s", "e", "j", "1")} == {Wish.NOTHING}

    def test_a_trade_that_needs_a_code_is_approved_by_its_digits_and_enter_and_by_no_y(self) -> None:
        state = watching(A)
        state.key("a", 1)
        state.needs_code = True
        for key in ("1", "2", "3", "4", "backspace", "4", "5"):
            state.key(key, 2)
        assert state.key("enter", 2) is Wish.NOTHING, "a digit is missing"
        state.key("6", 2)
        assert state.code == "123456"
        assert state.key("enter", 2) is Wish.APPROVE
        state.key("a", 3)
        assert state.code == "", "a code is typed anew for each trade"
        assert state.key("y", 3) is Wish.NOTHING
        assert state.asking is None


class TestTheSelection:
    def test_it_sticks_to_the_intent_and_not_to_the_row(self) -> None:
        state = watching(A, B)
        state.key("j", 1)
        state.look([C, A, B], 2)
        assert state.selected == B

    def test_a_question_whose_trade_has_ended_asks_nothing_any_more(self) -> None:
        state = watching(A, B)
        state.key("a", 1)
        state.look([B], 2)
        assert state.asking is None
        assert state.key("y", 2.3) is Wish.NOTHING, "a late y never hits the next trade"
        assert state.key("y", 3) is Wish.NOTHING

    def test_keys_are_dead_for_a_moment_after_it_moved_by_itself(self) -> None:
        state = watching(A, B)
        state.look([B], 10)
        assert state.key("r", 10.39) is Wish.NOTHING
        assert state.key("r", 10.41) is Wish.REJECT

    def test_a_key_that_was_pressed_before_the_shift_and_read_after_it_is_dead_as_well(self) -> None:
        state = watching(A, B)
        state.look([B], 10)
        assert state.key("r", 9.8) is Wish.NOTHING

    def test_what_comes_in_at_the_top_leaves_the_keys_alive(self) -> None:
        state = watching(A)
        state.look([B, A], 10)
        assert state.key("r", 10.1) is Wish.REJECT
        assert state.selected == A

    def test_a_question_goes_over_to_the_proposal_that_replaces_its_trade_and_needs_a_y_of_its_own(
        self,
    ) -> None:
        state = watching(A, B)
        state.key("a", 1)
        state.look([B, C], 2, {A: C})
        assert (state.selected, state.asking) == (C, C)
        assert state.key("y", 2.3) is Wish.NOTHING, "that y was meant for the one before"
        assert state.asking == C, "and it is still asked"
        assert state.key("y", 2.5) is Wish.APPROVE

    def test_numbers_and_arrows_select(self) -> None:
        state = watching(A, B, C)
        for key, expected in (("3", C), ("k", B), ("up", A), ("up", A), ("down", B), ("9", B)):
            state.key(key, 1)
            assert state.selected == expected

    def test_only_what_is_new_is_new(self) -> None:
        state = watching(A)
        assert state.look([A, B], 1) == (B,)
        assert state.look([B], 2) == ()
        assert state.look([A, B], 3) == (), "seen before"


class TestHolding:
    def test_space_holds_the_list_still_and_tells_what_is_behind_it(self) -> None:
        state = watching(A, B)
        state.key("space", 1)
        state.look([C, B, A], 2)
        assert (state.places, state.behind) == ((A, B), 1)
        state.key("space", 3)
        state.look([C, B, A], 4)
        assert (state.places, state.behind) == ((C, B, A), 0)

    def test_what_ends_keeps_its_place_and_is_out_of_reach(self) -> None:
        state = watching(A, B, C)
        state.key("space", 1)
        state.look([A, C], 2)
        assert state.places == (A, B, C)
        state.key("j", 3)
        assert state.selected == C


class TestHalting:
    def test_h_twice_within_two_seconds_halts(self) -> None:
        state = watching(A)
        assert state.key("H", 1) is Wish.NOTHING
        assert state.key("H", 2.9) is Wish.HALT
        assert state.key("H", 10) is Wish.NOTHING
        assert state.key("H", 12.1) is Wish.NOTHING, "too late"
        state.key("j", 12.2)
        assert state.key("H", 12.3) is Wish.NOTHING, "something else was pressed between"

    def test_it_waits_for_no_dead_keys_and_for_no_question(self) -> None:
        state = watching(A, B)
        state.key("a", 1)
        assert state.key("H", 1.5) is Wish.NOTHING
        assert state.asking is None
        state.look([B], 2)
        assert state.key("H", 2.1) is Wish.HALT

    def test_it_needs_nothing_that_waits(self) -> None:
        state = watching()
        state.key("H", 1)
        assert state.key("H", 2) is Wish.HALT


class TestAnswers:
    def test_they_stay_for_fifteen_seconds(self) -> None:
        state = watching(A)
        state.say("k7m2 rejected.", 1)
        assert state.messages(15.9) == [("k7m2 rejected.", False)]
        assert state.messages(16) == []

    def test_the_rules_are_of_the_selected_trade(self) -> None:
        state = watching(A, B)
        state.key("d", 1)
        state.key("d", 1)
        assert state.rules == 2
        state.key("j", 1)
        assert state.rules == 0
