"""Processes that shall not outlive the one that started them, however that ends."""

from __future__ import annotations

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def end_with_parent(*, parent: int, number: int) -> None:
    """Have the kernel send this process the signal when its parent, the process `parent`, dies. Linux only."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:  # it died before we asked
            os.kill(os.getpid(), number)
