"""Accounts: making them, telling who logs in, changing passwords."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.audit.service import record
from portal.people.models import User
from portal.platform.errors import Invalid
from portal.platform.language import gettext, known
from portal.platform.passwords import Passwords, initial_password

USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
EMAIL = re.compile(r"[^@\s,;<>\"]{1,64}@[^@\s,;<>\"]{1,189}")
PASSWORD_LENGTH = range(10, 257)


def clean_username(text: str) -> str:
    """Return a username as it is stored: lower case, without blanks around it.

    Raises Invalid with the rule that was broken.
    """
    username = text.strip().lower()
    if not USERNAME.fullmatch(username):
        raise Invalid(
            gettext(
                "the username %(username)r cannot be used; take 1 to 64 of a-z, 0-9, dot, dash and "
                "underscore, a letter or digit first",
                username=text,
            )
        )
    return username


def clean_email(text: str) -> str:
    """Return an e-mail address without blanks around it, or "" if there is none."""
    email = text.strip()
    if email and not EMAIL.fullmatch(email):
        raise Invalid(
            gettext("%(text)r is not an e-mail address; write name@example.org", text=text)
        )
    return email


def clean_name(text: str) -> str:
    """Return a person's name in one line, without control and direction characters."""
    kept = (c for c in unicodedata.normalize("NFC", text) if unicodedata.category(c)[0] != "C")
    name = " ".join("".join(kept).split())
    if not name:
        raise Invalid(gettext("the name is empty; write the person's name"))
    if len(name) > 200:
        raise Invalid(gettext("the name is longer than 200 characters; shorten it"))
    return name


def check_password(password: str) -> None:
    """Raise Invalid unless the password's length is allowed."""
    if len(password) not in PASSWORD_LENGTH:
        raise Invalid(
            gettext(
                "a password has %(least)s to %(most)s characters; this one has %(count)s",
                least=PASSWORD_LENGTH.start,
                most=PASSWORD_LENGTH.stop - 1,
                count=len(password),
            )
        )


def find_user(session: Session, username: str) -> User | None:
    """Return the account of a username, in whatever case it was typed."""
    return session.scalar(select(User).where(User.username == username.strip().lower()))


def create_user(
    session: Session,
    passwords: Passwords,
    *,
    username: str,
    display_name: str,
    password: str,
    now: datetime,
    email: str = "",
    is_admin: bool = False,
    must_change_password: bool = False,
) -> User:
    """Add an account and return it, its id set.

    Raises Invalid if the username is taken or a value breaks its rule.
    """
    username = clean_username(username)
    check_password(password)
    if find_user(session, username) is not None:
        raise Invalid(
            gettext("the username %(username)r is taken; choose another", username=username)
        )
    user = User(
        username=username,
        email=clean_email(email),
        display_name=clean_name(display_name),
        password_hash=passwords.hash(password),
        must_change_password=must_change_password,
        is_admin=is_admin,
        created_at=now,
    )
    session.add(user)
    session.flush()
    return user


def authenticate(
    session: Session, passwords: Passwords, username: str, password: str
) -> User | None:
    """Return the account if it is open and the password right, in the same time for any name.

    Only reads; see `refresh_hash`.
    """
    user = find_user(session, username)
    open_account = user is not None and user.active
    right = passwords.matches(user.password_hash if user and open_account else None, password)
    return user if right else None


def refresh_hash(session: Session, passwords: Passwords, user_id: int, password: str) -> None:
    """Hash a password just proven right anew if the cost has changed since it was set."""
    user = session.get_one(User, user_id)
    if passwords.outdated(user.password_hash) and passwords.matches(user.password_hash, password):
        user.password_hash = passwords.hash(password)


def set_initial_password(passwords: Passwords, user: User) -> str:
    """Give an account a new first password and return it; every session of the account ends."""
    password = initial_password()
    user.password_hash = passwords.hash(password)
    user.must_change_password = True
    return password


def change_password(
    session: Session, passwords: Passwords, user_id: int, *, current: str, new: str
) -> User:
    """Set a new password; every session of the account but the caller's next one ends.

    Raises Invalid if the current password is wrong or the new one breaks the rules.
    """
    user = session.get_one(User, user_id)
    if not passwords.matches(user.password_hash, current):
        raise Invalid(gettext("the current password is wrong; type the one you logged in with"))
    check_password(new)
    if new == current:
        raise Invalid(gettext("the new password is the old one; choose another"))
    user.password_hash = passwords.hash(new)
    user.must_change_password = False
    return user


def change_account(
    session: Session, user_id: int, *, email: str, language: str | None, now: datetime
) -> bool:
    """Change what a person sets of their own account; the caller commits. Tells whether it did.

    `language` is a code, None for what the browser asks for. Raises Invalid if there is no such
    language, or if the e-mail is none.
    """
    if language is not None and known(language) is None:
        raise Invalid(gettext("choose a language from the list"))
    user = session.get_one(User, user_id)
    before = {"e-mail": user.email, "language": user.language or ""}
    user.email, user.language = clean_email(email), language
    after = {"e-mail": user.email, "language": user.language or ""}
    changes = {key: [before[key], after[key]] for key in before if before[key] != after[key]}
    if changes:
        record(
            session,
            at=now,
            actor_id=user_id,
            action="account.change",
            subject=f"user:{user_id}",
            changes=changes,
        )
    return bool(changes)
