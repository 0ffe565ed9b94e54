"""What is learnt from what was seen: the recorder, and what reads its files."""
