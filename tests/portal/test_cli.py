"""The command line sets an instance up once and keeps what is there."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner
from small_competition import draw_into
from sqlalchemy import select
from support.competition import SLUG, as_csv, truth, write_competition
from support.labs import write_home

from grader.authoring.new import Kind, new_lab
from grader.lab.catalogue import Catalogue
from portal.cli import cli, main
from portal.courses.models import Enrolment, Role
from portal.people.models import User
from portal.people.service import authenticate
from portal.platform.config import load_config
from portal.platform.db import make_engine, read_session
from portal.platform.errors import ConfigError
from portal.platform.passwords import Passwords


@pytest.fixture
def instance(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The place of an instance, not yet set up, for the test's own course."""
    monkeypatch.setenv("GRADER_HOME", str(home))
    monkeypatch.delenv("PORTAL_DATABASE_URL", raising=False)
    return tmp_path / "portal"


@pytest.fixture(scope="module")
def set_up(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An instance that was set up once, to be copied."""
    folder = tmp_path_factory.mktemp("instance") / "portal"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADER_HOME", str(write_home(folder.parent / "home")))
        patch.delenv("PORTAL_DATABASE_URL", raising=False)
        portal(folder, "init")
    return folder


@pytest.fixture
def ready(instance: Path, set_up: Path) -> Path:
    """An instance that is set up, for the test's own course."""
    return shutil.copytree(set_up, instance)


def portal(instance: Path, *arguments: str) -> str:
    command, *rest = arguments
    result = CliRunner().invoke(cli, [command, "--instance", str(instance), *rest])
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


def test_init_keeps_its_secrets_to_the_owner(instance: Path) -> None:
    output = portal(instance, "init")
    assert "First password (shown once)" in output
    for name in ("secret.key", "grading.key"):
        assert stat.S_IMODE((instance / name).stat().st_mode) == 0o600
    assert stat.S_IMODE(instance.stat().st_mode) == 0o700


def test_init_again_keeps_everything(instance: Path) -> None:
    portal(instance, "init")
    before = load_config(instance)
    assert "First password" not in portal(instance, "init")
    assert load_config(instance) == before


def test_a_term_and_a_person_are_created(ready: Path) -> None:
    portal(
        ready, "create-term", "t1", "--title", "T", "--timezone", "UTC", "--first-day",
        "2026-09-07", "--lab", "demo",
    )  # fmt: skip
    portal(
        ready, "create-user", "ada", "--name", "Ada", "--password", "long enough pw", "--term",
        "t1", "--role", "ta",
    )  # fmt: skip
    engine = make_engine(load_config(ready).database_url)
    with read_session(engine) as session:
        role = session.scalar(select(Enrolment.role).join(User).where(User.username == "ada"))
    engine.dispose()
    assert role is Role.TA


def test_an_error_is_a_sentence_and_exit_code_2(
    instance: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["run", "--instance", str(instance)])
    assert stop.value.code == 2
    assert "run `portal init" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["", "not hex", "abcd"])
def test_a_damaged_secret_is_named(ready: Path, content: str) -> None:
    (ready / "secret.key").write_text(content)
    with pytest.raises(ConfigError, match="secret.key"):
        load_config(ready)


def test_secrets_are_not_printed_with_the_settings(ready: Path) -> None:
    config = load_config(ready)
    assert config.secret_key not in repr(config) and repr(config.grading_key) not in repr(config)


def test_a_variant_of_a_lab_is_chosen_for_a_term(ready: Path, home: Path) -> None:
    manifest = home / "assignments" / "demo" / "assignment.toml"
    text = manifest.read_text().replace("[limits]", 'default_variant = "a"\n\n[limits]', 1)
    manifest.write_text(text + "\n[variants.a]\nsize = 1\n\n[variants.b]\nsize = 2\n")
    portal(
        ready, "create-term", "t1", "--title", "T", "--timezone", "UTC", "--first-day",
        "2026-09-07", "--lab", "demo",
    )  # fmt: skip
    assert "the variant is b" in portal(ready, "choose-variant", "t1", "demo", "b")
    assert "drawn one of a, b" in portal(ready, "choose-variant", "t1", "demo", "a", "b")
    assert "the default" in portal(ready, "choose-variant", "t1", "demo")


def test_a_term_gets_a_competition_and_labels_of_its_own(
    ready: Path, home: Path, tmp_path: Path
) -> None:
    write_competition(home)
    portal(
        ready, "create-term", "t1", "--title", "T", "--timezone", "UTC", "--first-day",
        "2026-09-07", "--competition", SLUG,
    )  # fmt: skip
    file = tmp_path / "labels.csv"
    file.write_bytes(as_csv(truth(8)))
    said = portal(ready, "set-labels", "t1", SLUG, str(file))
    assert "Installed the labels of guess in t1; 0 entries" in said
    (installed,) = (ready / "competitions").glob("*/labels.csv")
    assert installed.read_bytes() == file.read_bytes()


def test_a_fresh_set_is_installed_beside_the_terms_own(
    ready: Path, home: Path, tmp_path: Path
) -> None:
    new_lab(home, "rings", kind=Kind.COMPETITION)
    lab = Catalogue(home).get("rings")
    one, two = draw_into(lab, tmp_path / "one"), draw_into(lab, tmp_path / "two", 2)
    portal(
        ready, "create-term", "t1", "--title", "T", "--timezone", "UTC", "--first-day",
        "2026-09-07", "--competition", "rings",
    )  # fmt: skip
    fresh = ["set-fresh", "t1", "rings", str(two), "--drawn", str(one)]
    with pytest.raises(AssertionError, match="install them first with portal set-labels"):
        portal(ready, *fresh)
    portal(ready, "set-labels", "t1", "rings", str(one / "staff" / "labels.csv"))
    assert "Installed a fresh set of 1500 rows for rings in t1." in portal(ready, *fresh)
    with pytest.raises(AssertionError, match="is a term's first set"):
        portal(ready, "set-fresh", "t1", "rings", str(one), "--drawn", str(one))


def test_a_term_goes_out_as_a_file_and_comes_back_as_the_next(ready: Path, tmp_path: Path) -> None:
    portal(
        ready, "create-term", "t1", "--title", "T", "--timezone", "Asia/Shanghai", "--first-day",
        "2026-09-07", "--lab", "demo",
    )  # fmt: skip
    file = tmp_path / "t1.toml"
    portal(ready, "export-course", "t1", "--output", str(file))
    assert file.read_text() == portal(ready, "export-course", "t1")
    assert "has these settings already" in portal(ready, "import-course", str(file))
    file.write_text(file.read_text().replace('"t1"', '"t2"').replace("points = 25", "points = 20"))
    assert "Term: none -> t2" in portal(ready, "import-course", str(file), "--dry-run")
    with pytest.raises(AssertionError, match="there is no term 't2'"):
        portal(ready, "export-course", "t2")
    assert "Done." in portal(ready, "import-course", str(file))
    assert portal(ready, "export-course", "t2") == file.read_text()
    portal(ready, "copy-term", "t1", "t3", "--title", "Next", "--first-day", "2027-03-01")
    copied = portal(ready, "export-course", "t3")
    assert "opens = 2027-03-01T00:00:00" in copied and "published = true" not in copied


def test_a_course_file_that_cannot_be_changes_nothing(
    ready: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "wrong.toml"
    for text, said in (
        ("", "slug is missing"),
        ('slug = "t', "is not TOML"),
        ("x = 1", "no setting"),
    ):
        file.write_text(text)
        with pytest.raises(SystemExit) as ended:
            main(["import-course", "--instance", str(ready), str(file)])
        assert ended.value.code == 2 and said in capsys.readouterr().err


def test_a_password_is_replaced_and_an_account_closed_by_the_operator(ready: Path) -> None:
    portal(ready, "create-user", "lin", "--name", "Lin", "--password", "a" * 12)
    printed = portal(ready, "reset-password", "lin")
    config = load_config(ready)

    def may_log_in(password: str) -> bool:
        with read_session(make_engine(config.database_url)) as session:
            return (
                authenticate(session, Passwords(config.password_cost), "lin", password) is not None
            )

    new = printed.strip().rsplit(" ", 1)[1]
    assert may_log_in(new) and not may_log_in("a" * 12)
    portal(ready, "close-account", "lin")
    assert not may_log_in(new)
    portal(ready, "close-account", "lin", "--reopen")
    assert may_log_in(new)
    with pytest.raises(AssertionError, match="there is no account 'nobody'"):
        portal(ready, "reset-password", "nobody")


def test_rebuilding_standings_says_that_all_were_right(ready: Path) -> None:
    assert "0 standings differed" in portal(ready, "rebuild-standings")
