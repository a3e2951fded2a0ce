"""Every sentence of the interface is there in German, whole and with the same facts in it."""

import re
from collections import Counter
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from sms import i18n

ROOT = Path(__file__).parents[1] / "sms"
GERMAN = i18n.FOLDER / "de" / "LC_MESSAGES" / "messages.po"
METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2.ext:babel_extract")]
OPTIONS = {"**/templates/**.html": {"trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}}
KEYWORDS = {
    "_": None,
    "gettext": None,
    "lazy_gettext": None,
    "N_": None,
    "ngettext": (1, 2),
    "NavEntry": (3,),
}
MODULES_OWN = ("sandbox/",)
"""Programs with a catalogue of their own."""

PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]")


def said() -> dict[str, str]:
    """Return every msgid in the code with the place where it is said."""
    return _extracted(ROOT, KEYWORDS) | _extracted(ROOT / "views" / "api", {"later": None})


def _extracted(folder: Path, keywords: dict[str, tuple[int, ...] | None]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, line, message, _comments, _context in extract_from_dir(
        str(folder), METHODS, OPTIONS, keywords, directory_filter=_own
    ):
        msgid = message[0] if isinstance(message, tuple) else message
        if msgid:
            found.setdefault(msgid, f"{name}:{line}")
    return found


def _own(folder: str) -> bool:
    relative = Path(folder).relative_to(ROOT).as_posix() + "/"
    return not relative.startswith(MODULES_OWN) and "__pycache__" not in relative


@pytest.fixture(scope="module")
def german():
    with GERMAN.open("rb") as file:
        return read_po(file, locale="de")


def test_every_sentence_in_the_code_is_there_in_german(german) -> None:
    known = {m.id if isinstance(m.id, str) else m.id[0] for m in german if m.id}
    missing = {msgid: place for msgid, place in said().items() if msgid not in known}
    assert not missing


def test_no_german_sentence_is_empty_or_doubtful(german) -> None:
    bad = []
    for message in german:
        sentences = message.string if isinstance(message.string, tuple | list) else (message.string,)
        if message.id and (message.fuzzy or not all(sentences)):
            bad.append(message.id)
    assert not bad


def test_german_sentences_hold_the_same_facts(german) -> None:
    wrong = []
    for message in german:
        if not message.id:
            continue
        ids = message.id if isinstance(message.id, tuple | list) else (message.id,)
        sentences = message.string if isinstance(message.string, tuple | list) else (message.string,)
        facts = {fact for text in ids for fact in PLACEHOLDER.findall(text)}
        for sentence in sentences:
            extra = set(PLACEHOLDER.findall(sentence)) - facts
            lost = set(PLACEHOLDER.findall(ids[-1])) - set(PLACEHOLDER.findall(sentences[-1]))
            if extra or lost:
                wrong.append((message.id, sorted(extra | lost)))
    assert not wrong


def test_no_sentence_is_translated_twice() -> None:
    ids = re.findall(r'^msgid ((?:"(?:[^"\\]|\\.)*"\s*)+)', GERMAN.read_text("utf-8"), re.MULTILINE)
    joined = ["".join(re.findall(r'"((?:[^"\\]|\\.)*)"', one)) for one in ids]
    twice = [msgid for msgid, n in Counter(joined).items() if n > 1]
    assert not twice


def test_german_speaks_to_people_with_sie(german) -> None:
    familiar = re.compile(r"\b(du|dich|dir|dein|deine|deinen|deiner|deinem|euch|euer)\b", re.IGNORECASE)
    texts = (str(m.string) for m in german if m.id)
    assert not [t for t in texts if familiar.search(t)]


def test_catalogues_compile_into_both_languages(tmp_path: Path) -> None:
    folder = tmp_path / "de" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "messages.po").write_text(GERMAN.read_text("utf-8"), "utf-8")
    i18n.compile_catalogues(tmp_path)
    for language in i18n.LANGUAGES:
        assert (tmp_path / language / "LC_MESSAGES" / "messages.mo").stat().st_size > 1000
    first = (folder / "messages.mo").stat().st_mtime_ns
    i18n.compile_catalogues(tmp_path)
    assert (folder / "messages.mo").stat().st_mtime_ns == first


def test_changed_sentences_are_compiled_anew(tmp_path: Path) -> None:
    folder = tmp_path / "de" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    source = folder / "messages.po"
    source.write_text('msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n', "utf-8")
    i18n.compile_catalogues(tmp_path)
    before = (folder / "messages.mo").read_bytes()
    with source.open("a", encoding="utf-8") as file:
        file.write('\nmsgid "thread"\nmsgstr "Faden"\n')
    i18n.compile_catalogues(tmp_path)
    assert (folder / "messages.mo").read_bytes() != before
