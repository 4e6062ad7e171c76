"""How properties are tested: no deadline for one example, since several people may share the cores."""

from hypothesis import settings

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
