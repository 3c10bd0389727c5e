"""`python -m workestra.project.embedded_witness HOME`: stops the server once nobody uses it, killed or not."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from workestra.project import embedded

if __name__ == "__main__":
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    embedded.watch(home=Path(sys.argv[1]))
