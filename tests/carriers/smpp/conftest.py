"""The tests of SMPP need what SMPP needs: an installation without smpplib has no such carrier."""

import importlib.util

if importlib.util.find_spec("smpplib") is None:
    collect_ignore_glob = ["test_*.py"]
