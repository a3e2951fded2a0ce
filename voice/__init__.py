"""A text message read aloud over the phone: words, speech engines, call script, attempts. Carrier-neutral."""

LANGUAGES = ("de", "en")


def language(locale: str | None) -> str:
    """Return "de" or "en" for any locale name ("en_GB", "de-AT"); German where it is neither."""
    short = (locale or "").replace("-", "_").split("_")[0].lower()
    return short if short in LANGUAGES else "de"
