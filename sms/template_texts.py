"""Templates: the texts an agent reaches with a slash."""

from peewee import IntegrityError

from sms.clock import now
from sms.db import database
from sms.gsm import segments
from sms.models import Account, Template
from sms.refusal import NotFound, Refused

LONGEST_NAME = 60


def listing(account: Account) -> list[Template]:
    """Return the account's templates by name."""
    return sorted(Template.select().where(Template.account == account), key=lambda t: t.name.casefold())


def find(account: Account, id: int) -> Template:
    """Return the account's template of this id; raises NotFound."""
    template = Template.get_or_none(Template.id == id, Template.account == account)
    if template is None:
        raise NotFound
    return template


def save(account: Account, name: str, text: str, template: Template | None = None) -> Template:
    """Add a template or change one; raises Refused at name (empty, too_long, name_taken) or text."""
    name, text = " ".join(name.split()), segments.normalise(text.strip())
    if not name:
        raise Refused("name", "empty")
    if not name.isprintable():
        raise Refused("name", "control_character")
    if len(name) > LONGEST_NAME:
        raise Refused("name", "too_long", limit=LONGEST_NAME)
    if trouble := segments.problem(text):
        raise Refused("text", trouble, limit=segments.MAX_CHARACTERS)
    try:
        with database.atomic():
            return _store(account, name, text, template)
    except IntegrityError:
        raise Refused("name", "name_taken") from None


def _store(account: Account, name: str, text: str, template: Template | None) -> Template:
    if template is None:
        return Template.create(account=account, name=name, text=text, created_at=now())
    Template.update(name=name, text=text).where(Template.id == template.id).execute()
    template.name, template.text = name, text
    return template


def remove(template: Template) -> None:
    """Remove a template; texts that were made from it stay as they are."""
    template.delete_instance()
