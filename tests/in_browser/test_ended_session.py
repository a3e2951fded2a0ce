"""What a page says once its session has ended: the way to sign in, and that only once."""

from playwright.sync_api import expect

from sms.models import User
from tests.in_browser.conftest import Visitors


def test_page_that_polls_tells_the_end_of_its_session_once(visitors: Visitors, anna: User) -> None:
    page = visitors.open(anna, "/settings/profile")
    page.context.route("**/events*", lambda route: route.abort())
    page.clock.install()
    page.goto("/inbox?view=open")
    asked: list[int] = []
    page.on("response", lambda answer: "/sync" in answer.url and asked.append(answer.status))
    with page.expect_response("**/sync*"):
        page.clock.fast_forward(10_500)
    page.context.clear_cookies()
    with page.expect_response("**/sync*"):
        page.clock.fast_forward(10_500)
    expect(page.locator("#notices")).to_contain_text("Ihre Sitzung ist beendet")
    for _ in range(3):
        page.clock.fast_forward(10_500)
        page.wait_for_timeout(200)
    assert asked.count(401) == 1
    expect(page.locator("#notices")).to_contain_text("Ihre Sitzung ist beendet")
