#!/bin/sh
# What the tests need besides Python packages: a Chromium, and the e-mail samples of CPython's own test suite.
# Both come from Debian, through apt-get, where they are not there yet.
set -eu

samples() {
    [ -d /usr/lib/python3.11/test/test_email/data ]
}

browser() {
    command -v chromium >/dev/null || command -v chromium-browser >/dev/null
}

missing=""
browser || missing="$missing chromium"
samples || missing="$missing libpython3.11-testsuite"
[ -n "$missing" ] || exit 0

root=""
if [ "$(id -u)" != 0 ]; then
    root="sudo"
    command -v sudo >/dev/null || { echo "The tests need:$missing. Ask an administrator to install it." >&2; exit 1; }
fi
command -v apt-get >/dev/null || { echo "The tests need:$missing. Install it by this system's own means." >&2; exit 1; }
echo "Installing$missing for the tests ..."
# A list of packages that is days old names files that are no longer there: fetch it anew only if needed.
install() { $root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends -qq $missing; }
install >/dev/null 2>&1 || { $root apt-get update -qq && install >/dev/null; }
