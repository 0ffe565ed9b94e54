"""A Polymarket on this machine: the same wire, no account, no internet, no money."""
