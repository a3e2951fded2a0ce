"""A test client that behaves like a browser with our pages and reads every page it is shown like a strict proofreader."""

from html.parser import HTMLParser
from typing import Any

from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from werkzeug.test import TestResponse

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
UNLABELLED = {"hidden", "submit", "button", "image", "reset"}


class Page(HTMLParser):
    """What the proofreader notes of a page."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.ids: list[str] = []
        self.labels: set[str] = set()
        self.controls: list[dict[str, str | None]] = []
        self.references: list[tuple[str, str]] = []
        self.problems: list[str] = []
        self.title = ""
        self.lang: str | None = None
        self.scripts: list[dict[str, str | None]] = []
        self.headings = 0
        self._open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        own = dict(attrs)
        self._note(tag, own)
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._note(tag, dict(attrs))

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self._open or self._open[-1] != tag:
            where = " > ".join(self._open[-4:])
            self.problems.append(f"</{tag}> closes nothing at {where}")
            if tag in self._open:
                while self._open.pop() != tag:
                    pass
            return
        self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "title" and "svg" not in self._open:
            self.title += data

    def _note(self, tag: str, own: dict[str, str | None]) -> None:
        if "id" in own:
            self.ids.append(own["id"] or "")
        if "style" in own:
            self.problems.append(f"<{tag}> has a style attribute, which the CSP blocks: {own['style']}")
        for name in own:
            if name.startswith("on"):
                self.problems.append(f"<{tag}> has the inline handler {name}")
        for name in ("for", "aria-labelledby", "aria-describedby", "aria-controls", "form"):
            for target in (own.get(name) or "").split():
                self.references.append((f"<{tag} {name}>", target))
        if tag == "html":
            self.lang = own.get("lang")
        elif tag == "script":
            self.scripts.append(own)
        elif tag == "h1":
            self.headings += 1
        elif tag == "label" and own.get("for"):
            self.labels.add(own["for"] or "")
        elif tag == "img" and "alt" not in own:
            self.problems.append("<img> without alt")
        elif tag in ("input", "select", "textarea") and own.get("type") not in UNLABELLED:
            self._check_control(tag, own)
        elif tag == "style":
            self.problems.append("<style> is blocked by the CSP")

    def _check_control(self, tag: str, own: dict[str, str | None]) -> None:
        own["inside"] = "label" if "label" in self._open else None
        own["tag"] = tag
        self.controls.append(own)


def problems(response: TestResponse) -> list[str]:
    """Return what is wrong with an HTML answer, in sentences."""
    html = response.get_data(as_text=True)
    page = Page(html)
    found = list(page.problems)
    found += [f"the id {i!r} is there twice" for i in sorted({i for i in page.ids if page.ids.count(i) > 1})]
    found += [
        f"{tag}: the control {_name(own)} has no label"
        for own in page.controls
        if (tag := own["tag"]) and not _labelled(own, page)
    ]
    csp = response.headers.get("Content-Security-Policy", "")
    found += [
        f"a script without the page's nonce: {s}"
        for s in page.scripts
        if f"'nonce-{s.get('nonce')}'" not in csp
    ]
    if "<html" not in html:
        return found
    found += [
        f"{where} names {target!r}, which is not on the page"
        for where, target in page.references
        if target not in page.ids
    ]
    if not page.title.strip():
        found.append("the page has no title")
    if page.lang not in ("de", "en"):
        found.append(f"the page has lang={page.lang!r}")
    if page.headings != 1:
        found.append(f"the page has {page.headings} h1")
    if page._open:
        found.append(f"never closed: {page._open}")
    return found


def _name(own: dict[str, str | None]) -> str:
    return own.get("name") or own.get("id") or "?"


def _labelled(own: dict[str, str | None], page: Page) -> bool:
    if own["inside"] or own.get("aria-label") or own.get("aria-labelledby") or own.get("title"):
        return True
    return bool(own.get("id")) and own["id"] in page.labels


class Browser(FlaskClient):
    """Sends the CSRF token with what it writes (csrf=False: not), and fails on a page that is not well made."""

    def open(self, *args: Any, csrf: bool = True, **kwargs: Any) -> TestResponse:
        method = str(kwargs.get("method", "GET")).upper()
        if csrf and method not in ("GET", "HEAD", "OPTIONS"):
            headers = dict(kwargs.get("headers") or {})
            kwargs["headers"] = {"X-CSRFToken": self._token(), **headers}
        kwargs.setdefault("buffered", True)  # so that what a view does after its answer is done
        response = super().open(*args, **kwargs)
        if response.mimetype == "text/html" and response.status_code not in (301, 302, 303, 307, 308):
            found = problems(response)
            assert not found, f"{method} {response.request.path}:\n- " + "\n- ".join(found)
        return response

    def _token(self) -> str:
        with self.session_transaction() as session:
            session.setdefault("csrf_token", "0" * 40)
            raw = session["csrf_token"]
        return URLSafeTimedSerializer(str(self.application.secret_key), salt="wtf-csrf-token").dumps(raw)  # type: ignore[no-any-return]
