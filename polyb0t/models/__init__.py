"""What is concluded: pure decisions over observed values."""
