"""POST /preview: what a text would become and cost. Nothing is stored."""

from sms import checking
from sms.gsm import segments
from sms.models import Account
from sms.refusal import Refused
from sms.views.api import shapes
from sms.views.api.frame import Answer, call
from sms.views.api.inputs import PreviewRequest


@call(
    "POST", "/preview", "Count a text, look at a number and a sender",
    body=PreviewRequest, shapes={200: shapes.PreviewShape}, problems=(413, 415, 422),
    example={"text": "Ihr Termin: morgen, 9:30 Uhr.", "to": "0171 3920054", "sender": "Müller"},
)  # fmt: skip
def preview(account: Account, body: PreviewRequest) -> Answer:
    """What a text would become: encoding, units and billed parts, the kind of the number and of the sender.

    The composer's meter uses the same code. A number or a sender that cannot be used is told in `error`, with 200.
    """
    made = checking.preview(account, body.text, body.to, body.sender or "", body.fields)
    trouble = segments.problem(made.text)
    if trouble and trouble != "empty":
        raise Refused("text", trouble, limit=segments.MAX_CHARACTERS)
    return Answer(200, shapes.preview(made))
