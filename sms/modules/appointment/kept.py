"""Files that somebody looks at before they are taken in: kept for a day under a random name, for one account."""

import contextlib
import re
import secrets
import time
from pathlib import Path

from sms.refusal import NotFound

KEPT_SECONDS = 24 * 3600
_token = re.compile(r"[0-9a-f]{32}", re.ASCII)


def keep(folder: Path, account_id: int, data: bytes) -> str:
    """Keep a file and return the token that leads to it; files older than a day go."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):  # another process clears up as well
            if time.time() - old.stat().st_mtime > KEPT_SECONDS:
                old.unlink()
    token = secrets.token_hex(16)
    (folder / f"{account_id}-{token}").write_bytes(data)
    return token


def kept(folder: Path, account_id: int, token: str) -> bytes:
    """Return a kept file; raises NotFound for another account's, an unknown and an old one."""
    path = folder / f"{account_id}-{token}"
    if not _token.fullmatch(token) or not path.is_file():
        raise NotFound
    return path.read_bytes()
