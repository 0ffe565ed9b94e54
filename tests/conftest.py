"""What holds for every test: properties have no deadline, since a busy machine is not a fault."""

from hypothesis import settings

settings.register_profile("polyb0t", deadline=None)
settings.load_profile("polyb0t")
