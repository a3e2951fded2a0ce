"""What an agent does in a thread with the survey that is under way there: take over, resume, end."""

from flask import redirect
from flask.typing import ResponseReturnValue
from flask_login import current_user

from sms.modules.survey import answering
from sms.modules.survey.models import Run
from sms.modules.survey.views.frame import blueprint


@blueprint.post("/runs/<int:run_id>/pause")
def take_over(run_id: int) -> ResponseReturnValue:
    """Pause the survey for this person, so that an agent can talk with them."""
    run = answering.run_of(current_user.account_id, run_id)
    answering.pause(run, current_user)
    return _back(run)


@blueprint.post("/runs/<int:run_id>/resume")
def give_back(run_id: int) -> ResponseReturnValue:
    """Ask the question that waited once more."""
    run = answering.run_of(current_user.account_id, run_id)
    answering.resume(run, current_user)
    return _back(run)


@blueprint.post("/runs/<int:run_id>/stop")
def stop(run_id: int) -> ResponseReturnValue:
    """End the survey for this person."""
    run = answering.run_of(current_user.account_id, run_id)
    answering.stop(run, current_user)
    return _back(run)


def _back(run: Run) -> ResponseReturnValue:
    return redirect(f"/conversations/{run.conversation_id}" if run.conversation_id else "/surveys", 303)
