"""create_app(): wires the pretend phone network's pages and interfaces. No rules."""

from flask import Flask, Response

from sms.config import Settings
from sms.sandbox.control import control
from sms.sandbox.network import Network
from sms.sandbox.rest_calls import rest

LARGEST_REQUEST = 1_000_000


def create_app(settings: Settings) -> Flask:
    """Build the sandbox's app; `app.extensions["network"]` is to be started and stopped by its server."""
    app = Flask("sms.sandbox", static_folder="../static", static_url_path="/static")
    app.config.update(MAX_CONTENT_LENGTH=LARGEST_REQUEST, MAX_FORM_MEMORY_SIZE=LARGEST_REQUEST)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.extensions["network"] = Network(settings)
    for blueprint in (rest, control):
        app.register_blueprint(blueprint)
    app.get("/healthz")(healthz)
    return app


def healthz() -> Response:
    """Say that the process is alive."""
    return Response("ok\n", mimetype="text/plain")
