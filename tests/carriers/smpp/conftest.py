"""The tests of SMPP need what SMPP needs: an installation without smpplib has no such carrier."""

import importlib.util

collect_ignore_glob = [] if importlib.util.find_spec("smpplib") else ["test_*.py"]
if importlib.util.find_spec("smpp34") is None:
    collect_ignore_glob.append("test_smpp_second_centre.py")
