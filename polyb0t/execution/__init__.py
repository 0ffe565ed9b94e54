"""From a proposal to a settled outcome."""
