"""The words by which somebody opts out, in again, or asks for help: always the whole message, never a part of it."""

import re
import unicodedata

STOP_WORDS = frozenset(
    [
        "stop",
        "stopp",
        "stoppen",
        "stopall",
        "abmelden",
        "abmeldung",
        "abbestellen",
        "abbestellung",
        "austragen",
        "end",
        "ende",
        "quit",
        "cancel",
        "unsubscribe",
        "optout",
        "kuendigen",
        "loeschen",
        "keinesms",
    ]
)
START_WORDS = frozenset(["start", "starten", "anmelden", "unstop", "subscribe", "optin"])
HELP_WORDS = frozenset(["help", "hilfe", "info"])

_UNMISTAKABLE = STOP_WORDS - {"end", "ende", "quit", "cancel", "kuendigen", "loeschen"} | {
    "stopsms",
    "smsstop",
    "keinesmsmehr",
    "keineweiterensms",
    "keinenachrichten",
    "keinenachrichtenmehr",
    "keineweiterennachrichten",
    "keinewerbung",
    "keinewerbungmehr",
    "nomoresms",
    "nomoremessages",
    "nomoretexts",
    "stoptexting",
    "stoptextingme",
    "removeme",
}
"""What stays an opt-out with a "please" round it; "cancel please" rather means an appointment."""

_polite = re.compile(r"^(?:bitte|please|pls)+|(?:bitte|danke|please|thanks|thankyou|vielendank)+$")


def normalised(text: str) -> str:
    """Reduce a whole message to bare lower-case letters: " Stopp!! " -> stopp, "Keine SMS" -> keinesms."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    folded = folded.replace("ä", "ae").replace("ö", "oe").replace("ü", "ue")
    return "".join(c for c in folded if c.isalnum())


def is_stop(text: str) -> bool:
    """True where the whole message is one of the opt-out words; "Stopp den Termin" is not, nor is "Stopp?"."""
    bare = normalised(text)
    if bare in STOP_WORDS:
        return True
    return "?" not in text and _polite.sub("", bare) in _UNMISTAKABLE


def is_start(text: str) -> bool:
    """True where the whole message asks to be written to again."""
    return normalised(text) in START_WORDS


def is_help(text: str) -> bool:
    """True where the whole message asks for help."""
    return normalised(text) in HELP_WORDS


def wish(text: str) -> str:
    """Return "stop", "start", "help" or "none"."""
    if is_stop(text):
        return "stop"
    if is_start(text):
        return "start"
    return "help" if is_help(text) else "none"
