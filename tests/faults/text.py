"""The sentences of docs/reliability.md that no run changes."""

from typing import Final

HEAD: Final = """
# Reliability

<!-- Written by `make faults`; edit tests/faults/text.py instead. -->

What polyb0t promises about orders, and what happened when everything around it was broken on purpose.
Reproduce it with `make faults` (one shard, up to 90 minutes; `make faults SEED=7 SHARD=1/2` for others,
`DATABASE=postgres` for PostgreSQL). A short form runs in `make test`, and a single history, at the commit of its row, with
`python -m tests.faults --seed S --shard N/100000000 --histories 1`, where N is one more than its number.

A **history** is a fresh database and a fresh account on the sandbox's exchange, at least one approval, at least
one fault, then everything put right and run to rest. It is judged from the exchange's ledger and the
database alone:

- *doubled*: an intent with two orders at the exchange, a request sent twice, more spent than was signed, two
  people told that theirs was the approval;
- *lost*: the exchange has an order or a trade, and our books say that it has ended otherwise, or know nothing;
- *invented*: our books show something alive or traded that the exchange does not have;
- *unapproved*: permitted without the approval of exactly that content, after a rejection, a trip or a halt;
- *late*: permitted at or after `execute_by` by database time, or accepted more than the exchange's tolerance later;
- *unexplained*: a millionth of money or shares that no fill explains, a broken journal, time that goes back,
  money that stays reserved, an intent that never ends, a write by an engine that had lost its lease.

*open* counts orders that were still unproven at the end, money reserved: that is no broken promise, and it is
shown so that nobody has to guess. *Certain after* is the time from the permit to the first proof, in the
histories' own time.
"""

POINTS: Final = """
## Points

The first group of scenarios, and the crash while an order is cancelled, strike at a point: before and after every call
to the exchange, before every transaction, before its commit and after it, before and after the anchor is written. The
points are not listed by anybody: each kind of trade is gone through once without a fault and counts them, so one more
commit in the product is one more point. Every history takes another one:
"""

FOUND: Final = """
## What it found

While these classes were written, two histories broke a promise, and the product was changed; each is a test now
(`tests/test_absence.py`):

- an order matched at once, and the exchange restarted and forgot it before its trades were read: it stayed matched here
  with no fill, and the money that it had spent had no explanation. What is not found any more and had matched is now
  looked for among the trades of its market (`2b934ff`);
- an order filled in part, rested, and vanished: its own fills were taken for a sign that it was still there, so that its
  money stayed reserved and its market blocked for ever. Fills that are known prove nothing new now (`2b934ff`).
"""

MODEL: Final = """
## The model

`python -m tests.model` explores every interleaving of a small scope to the end: one intent, two engines with a
reconcile thread each, a lease, an exchange that fills, kills or refuses, a network that loses, delays and doubles,
crashes, suspensions, a trip and its clearing, a restored backup. With all rules no history breaks a promise.
`python -m tests.model <rule>` switches one off and prints the shortest history that does:
"""

FOOT: Final = """
## What these histories are, and what they are not

- The executor, the reconciler, the stores, the signatures, the parsing of every answer and the sandbox's exchange
  are the product's own, in one process. The sandbox is called through its ASGI door, so the sockets under the
  requests are not part of these histories.
- SQLite with `synchronous=FULL`, WAL and all else as in production, on a memory file system where there is one, so
  an fsync costs nothing here and a power cut is not simulated. Waits for locks are 4 ms in place of 1 s.
- PostgreSQL is a server of its own for each process of the suite, without fsync. It is emptied between histories to
  what its first use left. Its `clock_timestamp()` is hidden behind one that reads a row, so that time can be moved;
  waits for locks are 4 ms in place of 500, and a transaction may be idle for a minute, because the suite runs beside
  other work. A full disk is SQLite's alone.
- The account's socket is the exchange's own news, bent on their way, through the product's parsing and intake; its two
  threads and the connection under them are not part of these histories.
- Time is moved by hand; nothing is scaled.
- A crash is an exception that nothing catches at the point; what was in memory is thrown away.

Real processes under kill -9 and SIGSTOP, and approvals over HTTP and at the command line, have a part of their own
below; deciders here call the store that both use.
"""
