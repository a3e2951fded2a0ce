"""A carrier is built from its table in the configuration; what is wrong there is said in one line."""

from pathlib import Path

import pytest

import sms.carriers
from sms.carriers import build, settings_of
from sms.carriers.contract import Carrier, CarrierConfigError, Feature, Setting
from sms.config import CarrierConfig
from tests.carriers.conftest import SID, TOKEN

KINDS = sorted(
    path.stem
    for path in Path(sms.carriers.__file__).parent.glob("*.py")
    if "\nSETTINGS = (" in path.read_text("utf-8")
)


def configured(kind: str = "twilio", **options: object) -> CarrierConfig:
    return CarrierConfig("first", kind, options={"account_sid": SID, "auth_token": TOKEN, **options})


def test_twilio_is_among_the_kinds() -> None:
    assert "twilio" in KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_says_what_its_settings_are(kind: str) -> None:
    for setting in settings_of(kind):
        assert isinstance(setting, Setting)
        assert setting.description
        assert not (setting.secret and setting.default), "a secret has no default"


def test_an_adapter_is_a_carrier_with_its_own_name() -> None:
    carrier = build(configured())
    assert isinstance(carrier, Carrier)
    assert carrier.name == "first"
    assert {Feature.sms, Feature.voice, Feature.find_sent} <= carrier.features
    assert carrier.settings == settings_of("twilio")


WRONG = [
    ("no such kind", configured("carrier_pigeon"), "there is no kind of carrier called 'carrier_pigeon'"),
    ("a file that is no carrier", configured("contract"), "'contract' is no kind of carrier"),
    ("the wire", configured("wire"), "'wire' is no kind of carrier"),
    ("a way out", configured("../config"), "there is no kind of carrier called '../config'"),
    ("another package", configured("os.path"), "there is no kind of carrier called 'os.path'"),
    ("unknown setting", configured(tokn="x"), "tokn is no setting of it. Known: account_sid, auth_token"),
    ("missing", configured(account_sid=None), "account_sid is missing"),
    ("empty", configured(auth_token=""), "auth_token is missing"),
    ("only commas", configured(auth_token=" , "), "auth_token is missing"),
    ("wrong", configured(account_sid="SK" + "0" * 32), "account_sid is not right, expected AC and 32 hex"),
    ("trailing newline", configured(account_sid=SID + "\n"), "account_sid is not right"),
    ("not text", configured(account_sid=7), "account_sid is not right"),
    ("a header of its own", configured(auth_token="a\r\nX: y"), "auth_token is not right"),
    ("a list of numbers", configured(auth_token=[1]), "auth_token is not right"),
    ("a table", configured(auth_token={"a": "b"}), "auth_token is a list of strings"),
    ("an address with a path", configured(base_url="https://x.example/api"), "base_url is not right"),
    ("another scheme", configured(base_url="file://x"), "base_url is not right"),
    ("credentials in it", configured(base_url="https://a:b@x.example"), "base_url is not right"),
    ("zero seconds", configured(read_timeout=0), "read_timeout is a number above 0"),
    ("endless", configured(read_timeout=float("inf")), "read_timeout is a number above 0 and at most 20 ("),
    ("no number", configured(read_timeout=float("nan")), "read_timeout is a number above 0"),
    ("too patient", configured(connect_timeout=11), "connect_timeout is a number above 0 and at most 10 ("),
    ("text", configured(read_timeout="15"), "read_timeout is a number above 0"),
    ("yes", configured(read_timeout=True), "read_timeout is a number above 0"),
    ("half a key", configured(api_key_sid="SK" + "0" * 32), "api_key_sid and api_key_secret belong together"),
]


@pytest.mark.parametrize(("config", "says"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_a_wrong_table_is_named_in_one_line(config: CarrierConfig, says: str) -> None:
    with pytest.raises(CarrierConfigError) as wrong:
        build(config)
    line = str(wrong.value)
    assert line.startswith("carrier first: ")
    assert says in line
    assert "\n" not in line


def test_a_secret_is_not_repeated_in_the_line() -> None:
    with pytest.raises(CarrierConfigError) as wrong:
        build(configured(auth_token="geheim und falsch"))
    assert "geheim" not in str(wrong.value)


def test_several_tokens_may_be_a_list_or_one_string() -> None:
    for tokens in (["new", "old"], "new,old", "new, old,"):
        carrier = build(configured(auth_token=tokens))
        assert len(carrier.signatures.by_token) == 2
