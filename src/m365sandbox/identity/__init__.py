"""Microsoft's identity platform, version 2.0, as far as web apps with delegated permissions need it (SBX 1)."""

from .routes import routes
from .state import Identity

__all__ = ["Identity", "routes"]
