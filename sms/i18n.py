"""Languages: the catalogues, compiled at the start, and gettext for texts that no page asks for (mails, verbs)."""

import os
import tempfile
from collections.abc import Callable
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

LANGUAGES = {"de": "Deutsch", "en": "English"}
FOLDER = Path(__file__).parent / "translations"


def _english() -> str:
    return "en"


_locale_now: Callable[[], str] = _english


def compile_catalogues(folder: Path = FOLDER) -> None:
    """Write messages.mo where it is missing or older than messages.po; safe with several processes at once.

    German is written by hand. English is the language of the msgids, so its catalogue is made from them.
    """
    source = folder / "de" / "LC_MESSAGES" / "messages.po"
    if not source.is_file():
        return
    for language in LANGUAGES:
        target = folder / language / "LC_MESSAGES" / "messages.mo"
        if not target.is_file() or target.stat().st_mtime_ns < source.stat().st_mtime_ns:
            _write(target, _compiled(_read(source), language))


def _read(source: Path) -> Catalog:
    with source.open("rb") as file:
        return read_po(file, locale="de", domain="messages")


def _compiled(german: Catalog, language: str) -> bytes:
    catalogue = german
    if language != "de":
        catalogue = Catalog(locale=language, domain="messages")
        for message in german:
            if message.id:
                catalogue.add(message.id, message.id, context=message.context)
    out = BytesIO()
    write_mo(out, catalogue)
    return out.getvalue()


def _write(target: Path, data: bytes) -> None:
    """Replace in one step: another process reads the old file or the new one, never half of it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, suffix=".part")
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    os.chmod(name, 0o644)
    os.replace(name, target)


def follow(locale_now: Callable[[], str]) -> None:
    """Let `gettext` speak the language that a function names at each call; the application sets the request's."""
    global _locale_now
    _locale_now = locale_now


def language() -> str:
    """Return the language of the moment, 'de' or 'en'."""
    return _locale_now()


@lru_cache(maxsize=8)
def catalogue(locale: str) -> NullTranslations:
    """Return the compiled catalogue of 'de' or 'en'."""
    return Translations.load(FOLDER, [locale])


def gettext(msgid: str, locale: str | None = None, **params: Any) -> str:
    """Return the sentence in `locale` (None: the language of the moment) with its %(params)s filled in."""
    sentence = catalogue(locale or _locale_now()).ugettext(msgid)
    return sentence % params if params else sentence


def ngettext(one: str, many: str, n: int, locale: str | None = None, **params: Any) -> str:
    """Return the sentence for a count of `n`, which is also a parameter."""
    return catalogue(locale or _locale_now()).ungettext(one, many, n) % {"n": n, **params}
