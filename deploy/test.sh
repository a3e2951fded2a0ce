#!/bin/sh
# Lint, types, then every test: most side by side, those that measure or start everything after them. First on SQLite,
# then what has to do with a database on PostgreSQL too, where a server is (FADEN_TEST_POSTGRES_URL); always where CI=true.
set -eu
python=.venv/bin/python
# A few hundred processes are started: none of them compiles everything anew.
unset PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX="${PYTHONPYCACHEPREFIX:-$PWD/.cache/bytecode}"

every_test() {
    $python -m pytest -m "not alone" -n 2 --dist loadfile --no-loadscope-reorder
    $python -m pytest -m alone
}

$python -m ruff check .
$python -m ruff format --check .
$python -m mypy
every_test
if why=$($python -m tests.database); then
    echo "faden: the same on PostgreSQL" >&2
    export FADEN_TEST_DATABASE=postgresql
    every_test
else
    echo "faden: nothing was tested on PostgreSQL. $why" >&2
    case ${CI:-} in 1 | true | yes) exit 1 ;; esac
fi
