"""Every text of the sandbox is in its German catalogue, and the catalogue holds nothing else."""

from pathlib import Path

from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

SANDBOX = Path(__file__).parents[2] / "sms" / "sandbox"
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2.ext:babel_extract")]


def used():
    found = extract_from_dir(
        SANDBOX, METHODS, options_map={}, keywords={"_": None, "gettext": None, "ngettext": (1, 2)}
    )
    return {message if isinstance(message, str) else message[0] for _, _, message, _, _ in found}


def test_the_german_catalogue_is_complete_and_has_nothing_left_over():
    with open(SANDBOX / "translations/de/LC_MESSAGES/messages.po", "rb") as file:
        german = {
            m.id if isinstance(m.id, str) else m.id[0]: m.string for m in read_po(file, locale="de") if m.id
        }
    assert used() - set(german) == set()
    assert set(german) - used() == set()
    assert [
        msgid
        for msgid, string in german.items()
        if not (all(string) if isinstance(string, tuple) else string)
    ] == []


def test_placeholders_are_the_same_in_german():
    import re

    with open(SANDBOX / "translations/de/LC_MESSAGES/messages.po", "rb") as file:
        for message in read_po(file, locale="de"):
            if not message.id:
                continue
            ids = [message.id] if isinstance(message.id, str) else message.id
            strings = [message.string] if isinstance(message.string, str) else message.string
            for text in strings:
                assert set(re.findall(r"%\(\w+\)[sd]", text)) == set(re.findall(r"%\(\w+\)[sd]", ids[-1]))
