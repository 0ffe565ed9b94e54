"""What is observed: value objects, and the ports that deliver them."""
