"""`python -m prodready`."""

from __future__ import annotations

import sys

from prodready.cli import main

if __name__ == "__main__":
    sys.exit(main())
