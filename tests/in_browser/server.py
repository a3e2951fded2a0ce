"""The web server as `flask web` runs it, but a sent answer can be taken back for a minute.

Five seconds are enough for a person and can be too few for a browser on a machine that others use as well.
"""

import sys
from datetime import timedelta

from sms import bulk

bulk.UNDO = timedelta(minutes=1)

if __name__ == "__main__":
    from flask.cli import main

    sys.argv = ["flask", "--app", "app", "web"]
    main()
