"""A local chain with the contracts that pay: for practice with real transactions, and for tests."""
