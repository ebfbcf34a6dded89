"""The ``portal`` command: set an instance up, fill it, run it."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import IO, Any, TypeVar

import click
from sqlalchemy.orm import Session

from grader.api import Catalogue, ProctorError
from portal.audit.service import record
from portal.competition.fresh import set_fresh
from portal.competition.labels import set_labels
from portal.courses.members import reset_password
from portal.courses.models import Role
from portal.courses.service import create_term, enrol, find_term, known_term
from portal.demo import build_demo
from portal.labs.variants import choose_variants
from portal.people.models import User
from portal.people.service import create_user, find_user
from portal.platform.backup import make_backup, restore_backup
from portal.platform.config import (
    DATABASE_VARIABLE,
    PortalConfig,
    create_instance,
    instance_folder,
    load_config,
)
from portal.platform.db import make_engine, read_session, utc_now, write_session
from portal.platform.engine import prepare
from portal.platform.errors import Invalid
from portal.platform.passwords import Passwords, initial_password
from portal.platform.schema import check_schema, upgrade
from portal.runs.queues import QUEUES
from portal.serving import serve, work
from portal.settings.changes import apply_term, plan_term
from portal.settings.coursefile import next_term, read_course, write_course
from portal.settings.rubrics import course_settings
from portal.standings.keeping import rebuild

instance_option = click.option(
    "--instance",
    type=click.Path(file_okay=False, path_type=Path),
    default=instance_folder,
    show_default="$PORTAL_INSTANCE, else ./instance",
    help="The folder of this installation: database, uploads, secrets.",
)

Command = TypeVar("Command", bound=Callable[..., Any])


@click.group()
@click.version_option(package_name="proctor-autograder")
def cli() -> None:
    """Run Proctor's portal: courses, submissions, grades."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")


@cli.command()
@instance_option
@click.option("--admin", default="admin", show_default=True, help="Username of the first account.")
def init(instance: Path, admin: str) -> None:
    """Set an installation up, or bring an older one to this version.

    Makes the folder and its secrets, brings the database to the newest schema and creates an
    administrator, whose first password is printed once. Running it again keeps everything.
    """
    config = initialise(instance.resolve())
    password = first_admin(config, admin, utc_now())
    click.echo(f"The portal is ready in {config.instance}.")
    if password:
        click.echo(f"Administrator: {admin}\nFirst password (shown once): {password}")


@cli.command("create-user")
@instance_option
@click.argument("username")
@click.option("--name", required=True, help="The person's name.")
@click.option("--email", default="", help="The person's e-mail address.")
@click.option("--admin", is_flag=True, help="May do everything in every term.")
@click.option("--term", "term_slug", help="Enrol the person in this term.")
@click.option(
    "--role", type=click.Choice([role.value for role in Role]), default="student", show_default=True
)
@click.password_option(help="Asked for if left out.")
def create_user_command(
    instance: Path,
    username: str,
    name: str,
    email: str,
    admin: bool,
    term_slug: str | None,
    role: str,
    password: str,
) -> None:
    """Create an account, and enrol it in a term if one is named."""
    config = _ready(instance)
    with write_session(make_engine(config.database_url)) as session:
        user = create_user(
            session,
            Passwords(config.password_cost),
            username=username,
            display_name=name,
            email=email,
            password=password,
            is_admin=admin,
            now=utc_now(),
        )
        if term_slug:
            enrol(session, find_term(session, term_slug), user, Role(role))
    click.echo(f"Created {username}.")


@cli.command("reset-password")
@instance_option
@click.argument("username")
def reset_password_command(instance: Path, username: str) -> None:
    """Give an account a new first password, printed once, and end its sessions."""
    config = _ready(instance)
    with write_session(make_engine(config.database_url)) as session:
        person = _account(session, username)
        password = reset_password(session, person, actor_id=None, now=utc_now())
    click.echo(f"First password of {username} (shown once): {password}")


@cli.command("close-account")
@instance_option
@click.argument("username")
@click.option("--reopen", is_flag=True, help="Open it again.")
def close_account_command(instance: Path, username: str, reopen: bool) -> None:
    """Close an account: nobody can log in to it, and all that it did stays."""
    config = _ready(instance)
    with write_session(make_engine(config.database_url)) as session:
        user = _account(session, username)
        user.active = reopen
        record(
            session,
            at=utc_now(),
            actor_id=None,
            action="account.reopen" if reopen else "account.close",
            subject=f"user:{user.id}",
        )
    click.echo(f"{'Opened' if reopen else 'Closed'} {username}.")


@cli.command()
@instance_option
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def backup(instance: Path, folder: Path) -> None:
    """Copy this installation into FOLDER while it is in use; again, only what is new.

    The copy holds the secrets: keep it as safe as the installation.
    """
    made = make_backup(_ready(instance), folder.resolve(), now=utc_now())
    click.echo(
        f"{folder}: the database ({made.database_bytes / 1e6:.1f} MB) and {made.files} files, "
        f"{made.copied} of them copied now."
    )


@cli.command()
@instance_option
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def restore(instance: Path, folder: Path) -> None:
    """Make an installation from the backup in FOLDER, in a folder that is not there yet."""
    made = restore_backup(
        folder.resolve(), instance.resolve(), os.environ.get(DATABASE_VARIABLE) or None
    )
    click.echo(f"Restored {made.files} files and the database to {instance}.")


@cli.command("rebuild-standings")
@instance_option
@click.pass_context
def rebuild_standings_command(context: click.Context, instance: Path) -> None:
    """Work out anew where every student stands, and say what was kept otherwise.

    There is nothing to say unless rows were changed around the portal. Exits with 1 if there is.
    """
    differences = rebuild(make_engine(_ready(instance).database_url))
    for one in differences:
        said = ", ".join(one.columns) or "the whole row"
        click.echo(f"enrolment {one.enrolment_id}, offering {one.offering_id}: {said}")
    click.echo(f"{len(differences)} standings differed; all are right now.")
    if differences:
        context.exit(1)


@cli.command("create-term")
@instance_option
@click.argument("slug")
@click.option("--title", required=True, help="What people read, e.g. 'Deep Learning, autumn 2026'.")
@click.option("--timezone", required=True, help="The course's zone, e.g. Asia/Shanghai.")
@click.option("--first-day", type=click.DateTime(["%Y-%m-%d"]), required=True)
@click.option("--lab", "labs", multiple=True, help="An assignment, once per lab and in order.")
@click.option("--competition", help="The assignment of the competition.")
def create_term_command(
    instance: Path,
    slug: str,
    title: str,
    timezone: str,
    first_day: datetime,
    labs: tuple[str, ...],
    competition: str | None,
) -> None:
    """Create a term by the standard scheme: 5 labs x 14, competition 25, feedback 5."""
    config = _ready(instance)
    catalogue = Catalogue(config.home)
    chosen = [catalogue.get(lab).assignment for lab in labs]
    with write_session(make_engine(config.database_url)) as session:
        create_term(
            session,
            slug=slug,
            title=title,
            timezone=timezone,
            labs=chosen,
            first_day=first_day.date(),
            competition=catalogue.get(competition).assignment if competition else None,
        )
    click.echo(f"Created {slug} with {len(chosen)} of 5 labs.")


@cli.command("choose-variant")
@instance_option
@click.argument("term")
@click.argument("lab")
@click.argument("variants", nargs=-1)
def choose_variant_command(instance: Path, term: str, lab: str, variants: tuple[str, ...]) -> None:
    """Choose the variant of a term's lab, before anybody hands in.

    One name counts for everybody. Of several, each student is drawn one, by chance but always
    the same. No name at all brings back the lab's default.
    """
    config = _ready(instance)
    assignment = Catalogue(config.home).get(lab).assignment
    with write_session(make_engine(config.database_url)) as session:
        offering = choose_variants(session, term, assignment, variants)
        title = offering.title
    if len(variants) > 1:
        click.echo(f"{title}: each student is drawn one of {', '.join(variants)}.")
    else:
        click.echo(f"{title}: the variant is {variants[0] if variants else 'the default'}.")


@cli.command("set-labels")
@instance_option
@click.argument("term")
@click.argument("slug")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def set_labels_command(instance: Path, term: str, slug: str, file: Path) -> None:
    """Install the labels of a term's competition SLUG, where only the portal can read them.

    They stand in place of those in the folder reference. Entries that were scored by other labels
    are scored anew.
    """
    config = _ready(instance)
    engine = make_engine(config.database_url)
    count = set_labels(config, engine, Catalogue(config.home), term, slug, file)
    click.echo(f"Installed the labels of {slug} in {term}; {count} entries were scored anew.")


@cli.command("set-fresh")
@instance_option
@click.argument("term")
@click.argument("slug")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--drawn",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The term's own set, as grader draw left it.",
)
def set_fresh_command(instance: Path, term: str, slug: str, folder: Path, drawn: Path) -> None:
    """Install a fresh set, on which staff run entries of competition SLUG again.

    FOLDER is a set that nobody has seen, drawn with --set 2 or higher. Both sets are checked and
    then copied to where only the portal can read them.
    """
    config = _ready(instance)
    installed = set_fresh(
        config,
        make_engine(config.database_url),
        Catalogue(config.home),
        term,
        slug,
        drawn=drawn,
        fresh=folder,
        now=utc_now(),
    )
    click.echo(f"Installed a fresh set of {installed.rows} rows for {slug} in {term}.")


@cli.command("export-course")
@instance_option
@click.argument("term")
@click.option(
    "--output",
    type=click.File("w", encoding="utf-8", atomic=True),
    default="-",
    help="The file to write; printed if left out.",
)
def export_course_command(instance: Path, term: str, output: IO[str]) -> None:
    """Write a term's settings as a course file."""
    config = _ready(instance)
    with read_session(make_engine(config.database_url)) as session:
        output.write(write_course(course_settings(session, find_term(session, term))))


@cli.command("import-course")
@instance_option
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
def import_course_command(instance: Path, file: Path, dry_run: bool) -> None:
    """Give a term the settings of a course file, and make the term if there is none."""
    config = _ready(instance)
    wanted = read_course(file.read_bytes())
    catalogue = Catalogue(config.home)
    engine = make_engine(config.database_url)
    with read_session(engine) as session:
        plan = plan_term(session, catalogue, known_term(session, wanted.slug), wanted)
    for one in plan.changes:
        click.echo(f"{one.where}: {one.label}: {one.before} -> {one.after}")
    if not plan.changes:
        click.echo("The term has these settings already.")
    if plan.problems:
        raise Invalid("nothing can be changed: " + "; ".join(plan.problems))
    if dry_run:
        return
    with write_session(engine) as session:
        term = known_term(session, wanted.slug)
        apply_term(session, catalogue, term, wanted, actor_id=None, now=utc_now())
    click.echo("Done.")


@cli.command("copy-term")
@instance_option
@click.argument("old")
@click.argument("new")
@click.option("--title", required=True, help="What people read, e.g. 'Deep Learning, spring 2027'.")
@click.option("--first-day", type=click.DateTime(["%Y-%m-%d"]), required=True)
def copy_term_command(instance: Path, old: str, new: str, title: str, first_day: datetime) -> None:
    """Make a term like another one, all dates moved, with nobody in it and nothing published."""
    config = _ready(instance)
    catalogue = Catalogue(config.home)
    with write_session(make_engine(config.database_url)) as session:
        if known_term(session, new) is not None:
            raise Invalid(f"a term {new!r} exists already; choose another short name")
        like = course_settings(session, find_term(session, old))
        wanted = next_term(like, slug=new, title=title, first_day=first_day.date())
        apply_term(session, catalogue, None, wanted, actor_id=None, now=utc_now())
    click.echo(f"Created {new}; publish its labs when they are ready.")


def _serving_options(command: Command) -> Command:
    """Add the options of the commands that serve."""
    options = (
        click.option("--host", default="127.0.0.1", show_default=True),
        click.option("--port", default=8000, show_default=True),
        click.option("--threads", default=16, show_default=True, help="Requests at a time."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@cli.command()
@instance_option
@_serving_options
@click.option("--serve/--no-serve", "serving", default=True, help="Serve and grade it at once.")
def demo(instance: Path, host: str, port: int, threads: int, serving: bool) -> None:
    """Set up a demo course with people and uploads, grade them and serve the portal."""
    config = initialise(instance.resolve())
    built = build_demo(config, now=utc_now())
    click.echo("\n".join(built.lines()))
    if serving:
        click.echo(f"The portal is at http://{host}:{port}/; stop it with Ctrl-C.")
        serve(config, host=host, port=port, threads=threads, with_worker=True)


@cli.command()
@instance_option
@_serving_options
@click.option(
    "--workers-inline/--no-workers-inline",
    default=True,
    show_default=True,
    help="Grade on this machine too, in a process of its own.",
)
def run(instance: Path, host: str, port: int, threads: int, workers_inline: bool) -> None:
    """Serve the portal, with a grading worker beside it."""
    serve(_ready(instance), host=host, port=port, threads=threads, with_worker=workers_inline)


@cli.command()
@instance_option
@click.option(
    "--queue",
    "queues",
    multiple=True,
    type=click.Choice(QUEUES),
    help="Grade only what waits in this queue; may be given twice. By default cpu, and gpu on a "
    "machine that has one.",
)
def worker(instance: Path, queues: tuple[str, ...]) -> None:
    """Grade what the portal has queued, until told to stop."""
    work(_ready(instance), queues)


def initialise(instance: Path) -> PortalConfig:
    """Make an instance's folder, secrets and tables; return its settings. Repeating is harmless."""
    create_instance(instance)
    config = load_config(instance)
    engine = make_engine(config.database_url)
    upgrade(engine)
    engine.dispose()
    prepare(config.database_url)
    return config


def first_admin(config: PortalConfig, username: str, now: datetime) -> str | None:
    """Create the administrator unless the account exists; return its first password."""
    password = initial_password()
    with write_session(make_engine(config.database_url)) as session:
        if find_user(session, username) is not None:
            return None
        create_user(
            session,
            Passwords(config.password_cost),
            username=username,
            display_name="Administrator",
            password=password,
            is_admin=True,
            must_change_password=True,
            now=now,
        )
    return password


def _account(session: Session, username: str) -> User:
    user = find_user(session, username)
    if user is None:
        raise Invalid(f"there is no account {username!r}")
    return user


def _ready(instance: Path) -> PortalConfig:
    config = load_config(instance.resolve())
    check_schema(make_engine(config.database_url))
    return config


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; errors of ours end with a sentence and exit code 2."""
    try:
        cli.main(arguments, prog_name="portal", standalone_mode=True)
    except ProctorError as error:
        click.echo(f"portal: {error}", err=True)
        sys.exit(2)
