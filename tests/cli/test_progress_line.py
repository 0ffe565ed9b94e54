"""Somebody who waits sees how far it is; a file or a pipe sees nothing of it."""

import io

from polyb0t.cli.progress_line import progress_line
from polyb0t.cli.terminal import Terminal


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_line_is_written_anew_and_is_gone_in_the_end(monkeypatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    err = Screen()
    with progress_line(Terminal(out=io.StringIO(), err=err, columns=40)) as line:
        assert line is not None
        line.tell("Replaying: 2026-03-02 04:00, 8% of the time, 0 fills")
        line.tell("too soon for another")

    assert err.getvalue() == "\r\x1b[KReplaying: 2026-03-02 04:00, 8% of the \r\x1b[K"


def test_nothing_is_written_where_nobody_would_see_it(monkeypatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    with progress_line(Terminal(out=io.StringIO(), err=io.StringIO())) as line:
        assert line is None
    monkeypatch.setenv("TERM", "dumb")
    with progress_line(Terminal(out=io.StringIO(), err=Screen())) as line:
        assert line is None
