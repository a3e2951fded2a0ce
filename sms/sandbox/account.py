"""The made-up Twilio account of the sandbox, kept in FADEN_DATA so that a restart forgets nothing."""

import json
import os
import secrets
from pathlib import Path

from sms.config import CarrierConfig, Number

NAME = "sandbox"
NUMBERS = (
    Number("+491713920010", sms=True, voice=False),
    Number("+491713920011", sms=True, voice=False),
    Number("+491713920012", sms=True, voice=False),
    Number("+493023125100", sms=False, voice=True),
)


def credentials(data: Path) -> tuple[str, str]:
    """Return (account sid, auth token), made up at the first call; safe when two processes start at once."""
    path = data / "sandbox-account.json"
    fresh = {"sid": "AC" + secrets.token_hex(16), "token": secrets.token_hex(16)}
    draft = path.with_suffix(f".{os.getpid()}.tmp")
    draft.touch(0o600)
    draft.write_text(json.dumps(fresh))
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    kept = json.loads(path.read_text())
    return kept["sid"], kept["token"]


def carrier_config(data: Path, base_url: str) -> CarrierConfig:
    """Return the carrier table that lets the real Twilio adapter talk to the sandbox."""
    sid, token = credentials(data)
    options = {"base_url": base_url, "account_sid": sid, "auth_token": token}
    return CarrierConfig(NAME, "twilio", 1, 100.0, NUMBERS, options)
