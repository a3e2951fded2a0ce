#!/bin/sh
# Makes .venv from a lock file (hashes checked), once: the copy of the lock in .venv tells what is installed.
# Everything runs as `.venv/bin/python -m ...`, so the folder may be moved afterwards.
set -eu
lock=$1
venv=.venv

say() { echo "faden: $*" >&2; }

installed() {
    [ -x "$venv/bin/python" ] && "$venv/bin/python" -c '' 2>/dev/null || return 1
    # What the tests need contains what running needs.
    cmp -s "$lock" "$venv/$(basename "$lock")" && return 0
    [ "$lock" = requirements.lock ] && cmp -s "$lock" "$venv/with-tests.of"
}

usable() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    for name in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11 python /usr/bin/python3; do
        command -v "$name" >/dev/null 2>&1 && usable "$name" && { command -v "$name"; return; }
    done
    say "Python 3.11 or newer is needed, and none was found. On Debian 12 or Ubuntu 24.04: apt-get install python3"
    exit 1
}

make_venv() {
    python=$(find_python)
    rm -rf "$venv"
    "$python" -m venv "$venv" >/dev/null 2>&1 && return
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        say "python3-venv is missing; installing it"
        version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "python$version-venv" >/dev/null
        rm -rf "$venv"
        "$python" -m venv "$venv" && return
    fi
    say "$python cannot make a virtual environment. On Debian or Ubuntu: apt-get install python3-venv"
    exit 1
}

installed && exit 0
[ -x "$venv/bin/python" ] && "$venv/bin/python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null &&
    "$venv/bin/python" -m pip --version >/dev/null 2>&1 || make_venv
say "installing the packages of $lock (once, about a minute)"
rm -f "$venv/requirements.lock" "$venv/requirements-test.lock" "$venv/with-tests.of"
"$venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check --no-input --require-hashes -r "$lock"
cp "$lock" "$venv/$(basename "$lock")"
[ "$lock" = requirements.lock ] || cp requirements.lock "$venv/with-tests.of"
