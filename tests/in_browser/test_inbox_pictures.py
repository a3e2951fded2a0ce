"""The pages beside the drawing: pictures in tests/.artifacts, and nothing for axe to find."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.in_browser import morning
from tests.in_browser.conftest import shot

SIZES = {"1440": (1440, 900), "1024": (1024, 768), "390": (390, 844)}


@pytest.fixture(scope="module")
def talk(site):
    from sms.models import Account, User

    people = site.people
    account, anna, jonas = (
        Account.get_by_id(people.account),
        User.get_by_id(people.anna),
        User.get_by_id(people.jonas),
    )
    morning.rows(account, anna, jonas)
    return morning.thread_of_states(account, anna, jonas)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", list(SIZES))
@pytest.mark.parametrize("what", ["list", "thread", "contact", "new", "edit-contact"])
def test_axe_finds_nothing_and_nothing_scrolls_sideways(visitors, anna, talk, width, scheme, what):
    paths = {
        "list": "/inbox?view=open",
        "thread": f"/conversations/{talk.id}?view=open",
        "contact": f"/conversations/{talk.id}?panel=contact",
        "new": "/new",
        "edit-contact": f"/conversations/{talk.id}/contact/edit",
    }
    size = SIZES[width]
    page = visitors.open(
        anna, paths[what], viewport={"width": size[0], "height": size[1]}, color_scheme=scheme
    )
    shot(page, f"inbox-{what}-{width}-{scheme}")
    found = Axe().run(page)
    assert not found.response["violations"], found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert visitors.complaints == []
