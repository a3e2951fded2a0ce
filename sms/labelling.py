"""The labels of an account: words with a dye that agents put on conversations."""

from peewee import JOIN, IntegrityError, fn

from sms.db import database
from sms.models import Account, Label, Labelling
from sms.models.account import DYES
from sms.refusal import NotFound, Refused

LONGEST_NAME = 40


def counted(account: Account) -> list[tuple[Label, int]]:
    """Return the account's labels by name, each with the number of conversations that wear it."""
    worn = fn.COUNT(Labelling.id)
    query = (
        Label.select(Label, worn.alias("worn"))
        .join(Labelling, JOIN.LEFT_OUTER)
        .where(Label.account == account)
        .group_by(Label.id)
        .order_by(Label.name)
    )
    return [(label, label.worn) for label in query]


def find(account: Account, id: int) -> Label:
    """Return the account's label of this id; raises NotFound."""
    label = Label.get_or_none(Label.id == id, Label.account == account)
    if label is None:
        raise NotFound
    return label


def save(account: Account, name: str, dye: int, label: Label | None = None) -> Label:
    """Add a label or change one; dye is 1 to 4; raises Refused at name."""
    name = " ".join(name.split())
    if not name:
        raise Refused("name", "empty")
    if not name.isprintable():
        raise Refused("name", "control_character")
    if len(name) > LONGEST_NAME:
        raise Refused("name", "too_long", limit=LONGEST_NAME)
    dye = dye if 1 <= dye <= DYES else 1
    try:
        with database.atomic():
            if label is None:
                return Label.create(account=account, name=name, dye=dye)
            Label.update(name=name, dye=dye).where(Label.id == label.id).execute()
    except IntegrityError:
        raise Refused("name", "name_taken") from None
    label.name, label.dye = name, dye
    return label


def remove(label: Label) -> None:
    """Remove a label from the account and from every conversation."""
    label.delete_instance(recursive=True)
