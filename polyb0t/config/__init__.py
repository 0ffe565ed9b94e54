"""Every knob, its unit in its name, its bound in its type. No secrets."""
