"""Model cards: what a model was fitted on, how it did on what it had not seen, and where it may speak."""
