"""The documents tell what is there: settings, commands, files, addresses."""

import re
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import pytest
from flask import Flask

from app import create_app
from sms import carriers, config

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])


@pytest.fixture
def site(settings: config.Settings, database_file: Path) -> Flask:
    return create_app(settings)


def test_settings_table_lists_what_the_program_reads():
    listed = re.findall(r"^\| `([A-Z_]+)` \|", README, re.MULTILINE)
    assert listed == ["PORT", "HOST", *config.KNOWN]


@pytest.mark.parametrize("name", ["FADEN_DATA", "FADEN_QUEUE_URL", "FADEN_VOICE_ENGINES"])
def test_defaults_of_the_table_are_those_of_the_program(name: str):
    assert re.search(rf"^\| `{name}` \| `([^`]+)` \|", README, re.MULTILINE)[1] == config.KNOWN[name]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: d.name)
def test_every_file_that_a_document_points_to_is_there(document: Path):
    text = document.read_text("utf-8")
    links = [link for link in re.findall(r"\]\(([^)]+)\)", text) if not link.startswith("http")]
    missing = [link for link in links if not (document.parent / link).exists()]
    assert not missing
    files = re.findall(r"`((?:sms|voice|docs|tests)/[\w/]+(?:\.py|/))`", text)
    assert not [file for file in files if not (ROOT / file).exists()]


@pytest.mark.parametrize("kind", ["twilio", "websms", "smpp"])
def test_carriers_of_the_readme_can_be_built(kind: str):
    tables = [tomllib.loads(block) for block in re.findall(r"```toml\n(.+?)```", README, re.DOTALL)]
    (table,) = (t["carrier"][0] for t in tables if t.get("carrier", [{}])[0].get("kind") == kind)
    environ = dict.fromkeys(("TWILIO_AUTH_TOKEN", "WEBSMS_TOKEN", "WEBSMS_SECRET"), "0" * 32)
    built = carriers.build(config._carrier(table, {**environ, "SMPP_PASSWORD": "geheim"}))
    built.close()


def test_webhook_addresses_of_the_readme_are_routes(site: Flask):
    paths = re.findall(r"`https://sms\.example\.com(/carriers/[^`]+)`", README)
    assert len(paths) == 4
    routes = site.url_map.bind("sms.example.com")
    for path in paths:
        assert routes.match(path.partition("?")[0], method="POST")


def test_addresses_of_the_readme_answer(site: Flask):
    browser = site.test_client()
    for path in ("/healthz", "/readyz", "/metrics", "/api/docs", "/dev/mail"):
        assert path in README
        assert browser.get(path).status_code != 404, path


def test_commands_of_the_readme_are_there(site: Flask):
    commands = re.findall(r"^faden ([a-z-]+)(?: ([a-z-]+))?", README, re.MULTILINE)
    assert len(commands) >= 7
    for name, below in commands:
        command = site.cli.commands[name]
        assert not below or below in command.commands, (name, below)


def test_make_targets_of_the_readme_are_there():
    makefile = (ROOT / "Makefile").read_text()
    for target in set(re.findall(r"`make (\w+)`", README)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_picture_is_well_formed_and_says_what_it_shows():
    picture = ElementTree.parse(ROOT / "docs" / "how-it-fits.svg").getroot()
    assert picture.get("role") == "img"
    assert picture.find("{http://www.w3.org/2000/svg}desc").text


def test_changelog_is_dated():
    dates = re.findall(r"^## (\d{4}-\d\d-\d\d)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert dates == sorted(dates, reverse=True)
    assert dates
