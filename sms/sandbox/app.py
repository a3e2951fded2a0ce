"""create_app(): wires the pretend phone network's pages and interfaces. No rules."""

from pathlib import Path

from flask import Flask, Response, request
from flask_babel import Babel, get_locale

from sms import i18n
from sms.config import Settings
from sms.sandbox.control import control
from sms.sandbox.network import Network
from sms.sandbox.page import LANGUAGES, page
from sms.sandbox.rest_calls import rest

LARGEST_REQUEST = 1_000_000
TRANSLATIONS = Path(__file__).parent / "translations"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "media-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}


def create_app(settings: Settings) -> Flask:
    """Build the sandbox's app; `app.extensions["network"]` is to be started and stopped by its server."""
    app = Flask("sms.sandbox", static_folder="../static", static_url_path="/static")
    app.config.update(
        MAX_CONTENT_LENGTH=LARGEST_REQUEST,
        MAX_FORM_MEMORY_SIZE=LARGEST_REQUEST,
        BABEL_TRANSLATION_DIRECTORIES=str(TRANSLATIONS),
    )
    app.json.sort_keys = False  # type: ignore[attr-defined]
    i18n.compile_catalogues(TRANSLATIONS)
    Babel(app, default_locale="de", locale_selector=language)
    app.jinja_env.globals["get_locale"] = get_locale
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.extensions["network"] = Network(settings)
    for blueprint in (rest, control, page):
        app.register_blueprint(blueprint)
    app.get("/healthz")(healthz)
    app.after_request(with_headers)
    return app


def language() -> str:
    """Return the language of the request: the cookie's choice, else the browser's, else German."""
    chosen = request.cookies.get("lang", "")
    return chosen if chosen in LANGUAGES else request.accept_languages.best_match(LANGUAGES) or "de"


def with_headers(response: Response) -> Response:
    """Let pages load nothing from elsewhere and run no script of their own."""
    response.headers.extend(HEADERS)
    return response


def healthz() -> Response:
    """Say that the process is alive."""
    return Response("ok\n", mimetype="text/plain")
