"""polyb0t: a machine proposes trades on Polymarket, a person decides, exactly that is executed."""

__version__ = "0.1.0"
