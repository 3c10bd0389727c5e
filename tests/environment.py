"""Settings for the tests: set before Django reads any, whatever the caller's environment holds.

Each run has a home of its own, with an embedded PostgreSQL of its own, and leaves nothing behind.
"""

from __future__ import annotations

import atexit
import base64
import os
import shutil
import tempfile

import hypothesis

# The same examples in every run, so that whoever breaks a rule sees it; `make prove-rules` looks for new ones.
hypothesis.settings.register_profile("same", derandomize=True)
hypothesis.settings.load_profile("default" if "RULES" in os.environ else "same")

for name in [one for one in os.environ if one.startswith(("WORKESTRA_", "_WORKESTRA_"))]:
    del os.environ[name]

HOME = tempfile.mkdtemp(prefix="workestra-test-")
os.environ.update(
    WORKESTRA_HOME=HOME,
    WORKESTRA_SECRET_KEY="t" * 50,
    WORKESTRA_TOKEN_KEYS="k1:" + base64.b64encode(b"1" * 32).decode(),
    WORKESTRA_PUBLIC_URL="http://localhost:8000",
    WORKESTRA_MICROSOFT_CLIENT_ID="00000000-0000-4000-8000-000000000000",
    WORKESTRA_MICROSOFT_CLIENT_SECRET="sandbox-secret",
    WORKESTRA_MICROSOFT_AUTHORITY="http://127.0.0.1:9/common",
    WORKESTRA_GRAPH_URL="http://127.0.0.1:9/v1.0",
)
atexit.register(shutil.rmtree, HOME, ignore_errors=True)
