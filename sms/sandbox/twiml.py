"""TwiML documents, parsed and nothing more."""

from dataclasses import dataclass
from urllib.parse import urljoin
from xml.etree import ElementTree

LARGEST = 65_536
"""Bytes of a document: Twilio's limit."""
NESTED = ("Play", "Say", "Pause")
KNOWN = ("Play", "Say", "Pause", "Gather", "Record", "Redirect", "Hangup", "Reject")


class BadTwiml(Exception):
    """Twilio's error code and what is wrong with the document."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Verb:
    """One verb: its name, attributes, text and nested verbs."""

    name: str
    attributes: dict[str, str]
    text: str = ""
    inside: tuple["Verb", ...] = ()
    words: str = ""
    """The comment just before a verb: what a Play will be heard to say, for the page."""

    def get(self, name: str, default: str = "") -> str:
        """Return an attribute."""
        return self.attributes.get(name, default)

    def number(self, name: str, default: int, least: int = 0, most: int = 14400) -> int:
        """Return a numeric attribute within its limits; raises BadTwiml (12200) where it is none."""
        raw = self.attributes.get(name)
        if raw is None or raw == "auto":
            return default
        if not raw.isascii() or not raw.isdigit():
            raise BadTwiml(12200, f"{self.name} {name}={raw[:20]!r} is no whole number")
        return min(max(int(raw), least), most)

    def flag(self, name: str, default: bool) -> bool:
        """Return a true/false attribute."""
        return self.attributes.get(name, str(default)).lower() == "true"


@dataclass(frozen=True)
class Document:
    """A document and the address it came from, against which its addresses are resolved."""

    url: str
    verbs: tuple[Verb, ...]

    def address(self, relative: str) -> str:
        """Return an absolute address; an empty one is the document's own."""
        return urljoin(self.url, relative.strip()) if relative.strip() else self.url


def parse(body: bytes, url: str) -> Document:
    """Return the document; raises BadTwiml."""
    if len(body) > LARGEST:
        raise BadTwiml(11750, "the document is larger than 64 KB")
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise BadTwiml(12100, "a document type is not allowed")
    try:
        builder = ElementTree.TreeBuilder(insert_comments=True)
        root = ElementTree.fromstring(body.strip(), ElementTree.XMLParser(target=builder))  # noqa: S314 - no entities get this far
    except ElementTree.ParseError as error:
        raise BadTwiml(12100, f"document parse failure: {error}") from None
    if root.tag != "Response":
        raise BadTwiml(12102, "the root element is not Response")
    return Document(url, _verbs(root))


def _verbs(parent: ElementTree.Element) -> tuple[Verb, ...]:
    found, words = [], ""
    for element in parent:
        if element.tag is ElementTree.Comment:
            words = (element.text or "").strip()
            continue
        found.append(_verb(element, words))
        words = ""
    return tuple(found)


def _verb(element: ElementTree.Element, words: str) -> Verb:
    if element.tag not in KNOWN:
        raise BadTwiml(12200, f"{str(element.tag)[:40]} is no verb that the sandbox knows")
    gather = element.tag == "Gather"
    inside = _verbs(element) if gather else ()
    for verb in inside:
        if verb.name not in NESTED:
            raise BadTwiml(12200, f"{verb.name} may not stand in a Gather")
    text = "" if gather else "".join(element.itertext())
    return Verb(str(element.tag), dict(element.attrib), text.strip(), inside, words)
