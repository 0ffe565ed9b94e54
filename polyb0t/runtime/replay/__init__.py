"""Replays: a paper run of the real engine on simulated time, over a history in place of an exchange."""
