"""What stands above a thread in which a survey is under way, with what an agent can do about it."""

from sms.models import Conversation
from sms.modules import Banner
from sms.modules.survey import answering
from sms.modules.survey.models import Run


def N_(word: str) -> str:
    """Mark a word for translation; it is translated when it is shown."""
    return word


PAUSED = N_("Survey %(strong)s is paused here.")
ASKING = N_("Survey %(strong)s waits for an answer here.")
IN_LINE = N_("Survey %(strong)s waits until another question is answered.")
TAKE_OVER, RESUME, STOP = N_("Take over"), N_("Resume"), N_("End")


def banners(conversation: Conversation) -> list[Banner]:
    """Return one line for each survey that is under way in a thread; one that has not begun says nothing yet."""
    return [b for run in answering.open_in(conversation) if (b := _banner(run)) is not None]


def _banner(run: Run) -> Banner | None:
    own, name = f"/surveys/runs/{run.id}", run.survey.name
    if run.state == "paused":
        return Banner(PAUSED, name, ((f"{own}/resume", RESUME), (f"{own}/stop", STOP)))
    if run.state == "asking":
        return Banner(ASKING, name, ((f"{own}/pause", TAKE_OVER), (f"{own}/stop", STOP)))
    return Banner(IN_LINE, name, ((f"{own}/stop", STOP),)) if run.why == "in_line" else None
