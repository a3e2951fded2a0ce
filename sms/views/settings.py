"""Setup: who may see which page, and the pages that are one form each."""

from flask import Blueprint, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

blueprint = Blueprint("settings", __name__, url_prefix="/settings")


@blueprint.get("")
def start() -> ResponseReturnValue:
    """Go to the first page a person may see."""
    return redirect(url_for("settings.profile"))


@blueprint.get("/profile")
def profile() -> ResponseReturnValue:
    return current_user.name


@blueprint.post("/quick")
def quick() -> ResponseReturnValue:
    return redirect("/")
