#!/bin/sh
# Lint, types, then every test: most side by side, those that measure or start everything after them.
set -eu
python=.venv/bin/python
$python -m ruff check .
$python -m ruff format --check .
$python -m mypy
$python -m pytest -m "not alone" -n 2 --dist loadfile --no-loadscope-reorder
exec $python -m pytest -m alone
