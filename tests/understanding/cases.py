"""Reads the lists of answers: data written by hand, apart from the code."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent


class Case(NamedTuple):
    """One answer and what a German speaker takes it for."""

    place: str
    kind: str
    setting: dict[str, Any]
    text: str
    expected: str


def cases(folder: str) -> Iterator[Case]:
    """Yield all cases of a folder's lists."""
    for file in sorted((HERE / folder).glob("*.txt")):
        yield from _file(file)


def _file(file: Path) -> Iterator[Case]:
    kind, setting = "", {}
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("@"):
            kind, setting = _setting(line)
            continue
        expected, _, texts = line.partition("\t")
        for text in texts.split(" ¦ "):
            if text.strip():
                yield Case(f"{file.name}:{number}", kind, setting, text.replace("⏎", "\n"), expected)


def _setting(line: str) -> tuple[str, dict[str, Any]]:
    kind, locale, *_ = line[1:].split()
    setting: dict[str, Any] = {"locale": locale}
    parts = line[1:].strip().split(" ", 2)
    rest = parts[2] if len(parts) > 2 else ""
    if rest.startswith("options="):
        return kind, setting | {"options": rest.removeprefix("options=").split("|")}
    for pair in rest.split():
        name, _, value = pair.partition("=")
        if name in ("min", "max"):
            setting[name] = int(value)
        elif name == "today":
            setting[name] = date.fromisoformat(value)
        else:
            setting.setdefault("words", {})[name] = value.split("|")
    return kind, setting


def shown(found: Any) -> str:
    """Return an Understood in the words of the lists."""
    if found.outcome != "value":
        return found.outcome
    if isinstance(found.value, list):
        return ",".join(map(str, found.value)) or "none"
    return str(found.value)
