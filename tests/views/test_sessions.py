"""People have a session, programs none: nothing is read from their cookies and none is set."""

from flask import Flask, session

from sms.models import User
from tests.conftest import sign_in


def test_a_program_has_no_session_even_with_a_persons_cookie(app: Flask, anna: User) -> None:
    browser = sign_in(app, anna)
    with browser:
        assert browser.get("/inbox?view=open").status_code == 200
        assert session["_user_id"]
    with browser:
        answer = browser.get("/api/v1/conversations")
        assert answer.status_code == 401
        assert "Set-Cookie" not in answer.headers
        assert not session
