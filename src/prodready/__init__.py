"""prodready: finds the code that makes a Python web app unsafe for real users."""

from __future__ import annotations

__version__ = "0.1.0"
