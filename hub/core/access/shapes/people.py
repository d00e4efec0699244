"""The shapes of signing in, of sessions and of people. Answers about signing in are in camelCase, as the documents have
them that Floorhub was designed from; all others are in snake_case."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar, Literal
from uuid import UUID

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from hub.api.description import example
from hub.api.pages import NextCursor
from hub.api.shapes import Change, Input, Output
from hub.core.access.service.people import NewPerson
from hub.errors import FieldProblem

Role = Literal["admin", "operator", "viewer"]
Reach = Literal["all", "granted"]
_EXAMPLE, _ANOTHER = "correct horse battery", "another good sentence"
_AGAIN, _ONCE = "fhr_0123456789", "fhl_0123456789"
_LOGIN = "What the person signs in with; upper and lower case are the same."
_PASSWORD = "At least 8 characters; not one of the commonest, and not the login."  # noqa: S105 - it describes one
_NAME = "A name for people, which nobody else has."
_ROLE = "`admin`: everything; `operator`: command and read; `viewer`: read."
_REACH = "`all` clients, or only those that were `granted`. An administrator reaches all."
_LONGEST_LOGIN, _LONGEST_PASSWORD, _LONGEST_TOKEN = 200, 1_024, 200
_SCREEN = "The screen that the program runs on; a refresh that names another one is refused."


class CamelOutput(Output):
    """An answer in camelCase."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class SignIn(Input):
    """Who signs in, as a program or as a page."""

    login: str = Field(min_length=1, max_length=_LONGEST_LOGIN, description=_LOGIN, examples=["mina"])
    password: str = Field(min_length=1, max_length=_LONGEST_PASSWORD, description="The person's password.")
    screen_id: str | None = Field(None, min_length=1, max_length=100, description=_SCREEN)
    session: Literal["token", "page"] = Field(
        "token", description="`token`: answer with tokens; `page`: with a cookie. The header `X-Floorhub-Session` too."
    )

    EXAMPLES: ClassVar = {
        "minimal": example("A program", login="mina", password=_EXAMPLE),
        "full": example("A screen", login="mina", password=_EXAMPLE, screen_id="SCREEN-001", session="token"),
    }


class Refresh(Input):
    """A refresh token, which can be used once."""

    refresh_token: str = Field(min_length=1, max_length=_LONGEST_TOKEN, description="The one that came last.")
    screen_id: str | None = Field(None, min_length=1, max_length=100, description=_SCREEN)

    EXAMPLES: ClassVar = {
        "minimal": example("A program", refresh_token=_AGAIN),
        "full": example("A screen", refresh_token=_AGAIN, screen_id="SCREEN-001"),
    }


class SignOut(Input):
    """Which session ends, where the request does not say it by its bearer token or cookie."""

    refresh_token: str | None = Field(
        None, min_length=1, max_length=_LONGEST_TOKEN, description="A refresh token of the session."
    )

    EXAMPLES: ClassVar = {
        "minimal": example("The session that the request shows"),
        "full": example("The session of a refresh token", refresh_token=_AGAIN),
    }


class PasswordChange(Input):
    """The password of before, and the one from now on."""

    current_password: str = Field(min_length=1, max_length=_LONGEST_PASSWORD, description="The password of now.")
    new_password: str = Field(min_length=1, max_length=_LONGEST_PASSWORD, description=_PASSWORD)

    EXAMPLES: ClassVar = {
        "minimal": example("Another password", current_password=_EXAMPLE, new_password=_ANOTHER),
        "full": example("Another password", current_password=_EXAMPLE, new_password=_ANOTHER),
    }


class Confirmation(Input):
    """The password again."""

    password: str = Field(min_length=1, max_length=_LONGEST_PASSWORD, description="The person's password.")

    EXAMPLES: ClassVar = {
        "minimal": example("The password again", password=_EXAMPLE),
        "full": example("The password again", password=_EXAMPLE),
    }


class FirstAdministrator(Input):
    """Who becomes the first administrator."""

    token: str = Field(min_length=1, max_length=_LONGEST_TOKEN, description="What stands after `#token=` in the link.")
    login: str = Field(min_length=1, max_length=_LONGEST_LOGIN, description=_LOGIN, examples=["mina"])
    name: str | None = Field(None, min_length=1, max_length=200, description=f"{_NAME} Default: the login.")
    password: str = Field(min_length=1, max_length=_LONGEST_PASSWORD, description=_PASSWORD)

    EXAMPLES: ClassVar = {
        "minimal": example("Somebody", token=_ONCE, login="mina", password=_EXAMPLE),
        "full": example("Somebody with a name", token=_ONCE, login="mina", name="Mina Kim", password=_EXAMPLE),
    }

    def to_request(self) -> NewPerson:
        """As the service takes it."""
        return NewPerson(self.login, self.name, "admin", "all", self.password)


class LinkSpent(Input):
    """A link for a password, and the password."""

    token: str = Field(min_length=1, max_length=_LONGEST_TOKEN, description="What an administrator passed on.")
    password: str = Field(min_length=1, max_length=_LONGEST_PASSWORD, description=_PASSWORD)

    EXAMPLES: ClassVar = {
        "minimal": example("A first password", token=_ONCE, password=_EXAMPLE),
        "full": example("A first password", token=_ONCE, password=_EXAMPLE),
    }


class Tokens(CamelOutput):
    """What a program gets."""

    access_token: str = Field(description="For `Authorization: Bearer`; a JWT.")
    refresh_token: str = Field(description="Good once, for 24 hours: POST /api/auth/refresh answers with the next two.")
    expires_in: int = Field(description="Seconds that the access token is good for: 900.")


class PagePrincipal(CamelOutput):
    """Who has signed in."""

    id: UUID = Field(description="The principal's id.")
    name: str = Field(description=_NAME)
    login: str = Field(description=_LOGIN)
    role: Role = Field(description=_ROLE)
    reach: Reach = Field(description=_REACH)


class PageSignedIn(CamelOutput):
    """What a page gets, with the cookie."""

    csrf_token: str = Field(description="For the header `X-CSRF-Token` of every request that changes something.")
    expires_at: datetime = Field(description="When the session ends at the latest; without use it ends after an hour.")
    principal: PagePrincipal = Field(description="The person whose session it is.")


class WhoAmI(CamelOutput):
    """Who asks, and what he may do."""

    kind: Literal["user", "integration"] = Field(description="A person, or a program of a site.")
    id: UUID = Field(description="The principal's id.")
    name: str = Field(description=_NAME)
    login: str | None = Field(description="Of a person who has signed in.")
    role: Role = Field(description=_ROLE)
    reach: Reach = Field(description=_REACH)
    permissions: list[str] = Field(description="What role and key allow; where, is a matter of grants.")
    key_id: UUID | None = Field(description="The key that was shown.")
    session_id: UUID | None = Field(description="The session that was shown.")
    csrf_token: str | None = Field(description="Of a page: for the header `X-CSRF-Token`.")
    password_confirmed_at: datetime | None = Field(description="When the password was last given in this session.")
    sign_in_expires_at: datetime | None = Field(description="When the session ends at the latest.")


class UserSession(Output):
    """A sign-in of somebody that lives."""

    id: UUID = Field(description="The session's id.")
    kind: Literal["page", "token"] = Field(description="A page, or a program with tokens.")
    address: str | None = Field(description="From where it was begun.")
    user_agent: str | None = Field(description="What the browser or program called itself.")
    screen_id: str | None = Field(description="The screen that it is bound to.")
    created_at: datetime = Field(description="When it was begun.")
    seen_at: datetime = Field(description="When it was last used, to the minute.")
    expires_at: datetime = Field(description="When it ends at the latest.")


class SessionOutput(UserSession):
    """One of your own sign-ins that live."""

    model_config = CamelOutput.model_config
    current: bool = Field(description="Whether it is the one that asks.")


class SessionList(CamelOutput):
    """The sessions of one person, the one used last first."""

    items: list[SessionOutput] = Field(description="All of them.")


class FirstAdministratorState(CamelOutput):
    """Whether a first administrator is awaited."""

    open: bool = Field(description="true: no person is an administrator yet.")


class UserInput(Input):
    """A person who shall sign in."""

    login: str = Field(min_length=1, max_length=_LONGEST_LOGIN, description=_LOGIN, examples=["mina"])
    name: str | None = Field(None, min_length=1, max_length=200, description=f"{_NAME} Default: the login.")
    role: Role = Field(description=_ROLE)
    reach: Reach = Field("all", description=_REACH)
    password: str | None = Field(
        None, min_length=1, max_length=_LONGEST_PASSWORD, description=f"{_PASSWORD} Without it: see password-link."
    )

    EXAMPLES: ClassVar = {
        "minimal": example("Somebody who reads", login="mina", role="viewer"),
        "full": example(
            "An operator of what is granted",
            login="mina",
            name="Mina Kim",
            role="operator",
            reach="granted",
            password=_EXAMPLE,
        ),
    }

    def to_request(self) -> NewPerson:
        """As the service takes it."""
        return NewPerson(self.login, self.name, self.role, self.reach, self.password)


class UserChange(Change):
    """What to change; a field that is left out stays as it is."""

    login: str | None = Field(None, min_length=1, max_length=_LONGEST_LOGIN, description=_LOGIN)
    name: str | None = Field(None, min_length=1, max_length=200, description=_NAME)
    role: Role | None = Field(None, description=_ROLE)
    reach: Reach | None = Field(None, description=_REACH)
    disabled: bool | None = Field(None, description="true: may not sign in any more, and is signed out.")

    EXAMPLES: ClassVar = {
        "minimal": example("Another role", role="viewer"),
        "full": example("Everything", login="mina", name="Mina Kim", role="operator", reach="granted", disabled=False),
    }

    @classmethod
    def conflicts(cls, given: Mapping[str, Any]) -> Iterator[FieldProblem]:
        """See `Input`."""
        yield from super().conflicts(given)
        if not given:
            yield FieldProblem("", "nothing_to_change", {"names": tuple(cls.model_fields)})


class UserOutput(Output):
    """A person."""

    id: UUID = Field(description="The principal's id.")
    name: str = Field(description=_NAME)
    login: str = Field(description=_LOGIN)
    role: Role = Field(description=_ROLE)
    reach: Reach = Field(description=_REACH)
    disabled: bool = Field(description="Whether signing in is refused.")
    has_password: bool = Field(description="false: this person cannot sign in yet.")
    created_at: datetime = Field(description="When the person was added.")
    updated_at: datetime = Field(description="When name, login, role, reach or password were last changed.")
    password_changed_at: datetime | None = Field(description="When the password was last changed.")
    seen_at: datetime | None = Field(description="When a session of the person was last used.")


class UserPage(Output):
    """A page of people."""

    items: list[UserOutput] = Field(description="The people of this page.")
    next_cursor: NextCursor


class UserSessions(Output):
    """The sessions of one person, the one used last first."""

    items: list[UserSession] = Field(description="All of them.")


class NewPassword(Input):
    """A password that an administrator sets."""

    password: str = Field(min_length=1, max_length=_LONGEST_PASSWORD, description=_PASSWORD)

    EXAMPLES: ClassVar = {
        "minimal": example("A new password", password=_EXAMPLE),
        "full": example("A new password", password=_EXAMPLE),
    }


class PasswordLink(Output):
    """A secret with which a person sets the password, once."""

    token: str = Field(description="For POST /api/auth/password-link. Shown once.")
    expires_at: datetime = Field(description="Until when it is good.")
