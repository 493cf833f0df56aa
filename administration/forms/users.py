"""Forms over colleagues, invitations and the company's own roles."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from administration.forms.rows import RowForm
from people.models import CustomRole, Permission, Role, Team, User
from people.models.names import one_line
from people.models.users import permissions_of

ROLES_SAY: dict[str, str | Promise] = {
    Role.AGENT: gettext_lazy("Works the tickets of their teams."),
    Role.MANAGER: gettext_lazy("Sees every ticket and the reviews, and edits teams and words."),
    Role.ADMINISTRATOR: gettext_lazy("May do everything, also invite users and set roles."),
}
PERMISSIONS_SAY: dict[Permission, str | Promise] = {
    Permission.SEE_EVERY_TICKET: gettext_lazy(
        "Reads, answers and takes tickets of all teams, not only of their own."
    ),
    Permission.SEE_REVIEWS: gettext_lazy("The weekly review: volumes, times and ratings by team."),
    Permission.MERGE_CUSTOMERS: gettext_lazy("Joins two records of one person, and undoes it."),
    Permission.SHARE_VIEWS: gettext_lazy("Their saved lists appear for a team or for everyone."),
    Permission.SHARE_MACROS: gettext_lazy("Their texts and macros are there for others to use."),
    Permission.MANAGE_TEAMS: gettext_lazy("Members, working hours, holidays, assignment."),
    Permission.MANAGE_VOCABULARY: gettext_lazy("The words that requests are filed under."),
    Permission.MANAGE_MAIL: gettext_lazy(
        "Addresses, passwords of mail accounts and the words of our mails."
    ),
    Permission.SORT_MAIL: gettext_lazy("Any mail may be among it, whoever it was for."),
    Permission.MANAGE_BRAND: gettext_lazy("How pages and mails look, and how sending works."),
    Permission.MANAGE_USERS: gettext_lazy(
        "Invites, deactivates and changes roles, up to what they may themselves."
    ),
    Permission.READ_CHANGES: gettext_lazy("The log of every change in these settings."),
}


@dataclass(frozen=True, slots=True)
class RoleChoice:
    """One role as a form names it: "agent", or "own:3" for the company's own."""

    value: str
    label: str
    about: str
    role: str
    custom_role: CustomRole | None

    @classmethod
    def all(cls) -> list[RoleChoice]:
        built_in = [
            cls(role.value, str(role.label), str(ROLES_SAY[role]), role.value, None)
            for role in (Role.AGENT, Role.MANAGER, Role.ADMINISTRATOR)
        ]
        own = [
            cls(f"own:{role.pk}", role.name, permissions_in_words(role.permissions), "custom", role)
            for role in CustomRole.objects.all()
        ]
        return built_in + own

    def may_be_given_by(self, actor: User) -> bool:
        if self.role == Role.ADMINISTRATOR:
            return actor.is_administrator
        return permissions_of(self.role, self.custom_role) <= actor.permissions


def permissions_in_words(names: Iterable[str]) -> str:
    labels = [str(Permission(name).label) for name in names]
    return "; ".join(labels) if labels else _("Nothing beyond an agent.")


def explained(label: str, about: str) -> SafeString:
    """The words beside a box: what it is, and in smaller letters what it means."""
    return format_html('<span class="explained">{} <small>{}</small></span>', label, about)


def role_value(role: str, custom_role_id: int | None) -> str:
    return f"own:{custom_role_id}" if role == Role.CUSTOM else role


class RoleField(forms.ChoiceField):
    """A role, as radio buttons. Every role is accepted here, whoever asks: what may be given is the
    action's matter, which refuses on record. Only what the actor may give is offered."""

    widget = forms.RadioSelect

    def offer(self, actor: User, *, current: str = "") -> None:
        self.known = {one.value: one for one in RoleChoice.all()}
        self.choices = [
            (one.value, explained(one.label, one.about))
            for one in self.known.values()
            if one.may_be_given_by(actor) or one.value == current
        ]

    def valid_value(self, value: Any) -> bool:
        return str(value) in self.known


class _WithRole(forms.Form):
    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        data = self.cleaned_data if cleaned is None else cleaned
        field = self.fields["role_choice"]
        assert isinstance(field, RoleField)
        if chosen := field.known.get(data.get("role_choice", "")):
            data["role"], data["custom_role"] = chosen.role, chosen.custom_role
        return data


class UserForm(_WithRole, RowForm[User]):
    role_choice = RoleField(label=gettext_lazy("Role"))
    teams = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Teams"),
        queryset=Team.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )

    class Meta:
        model = User
        fields = ("name", "language", "capacity")

    field_order = ("name", "language", "capacity", "role_choice", "teams")

    def __init__(self, *args: Any, actor: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        user = self.instance
        held = role_value(user.role, user.custom_role_id)
        role = self.fields["role_choice"]
        assert isinstance(role, RoleField)
        role.offer(actor, current=held)
        role.initial = held
        teams = self.fields["teams"]
        assert isinstance(teams, forms.ModelMultipleChoiceField)
        teams.queryset = Team.objects.in_use()
        teams.initial = list(user.teams.values_list("pk", flat=True))
        self.fields["capacity"].label = _("Open tickets at most")
        self.fields["capacity"].help_text = _("Beyond this, nothing is assigned by rule.")

    def value_fields(self) -> list[str]:
        return ["name", "language", "capacity", "role", "custom_role", "teams"]

    @property
    def values(self) -> dict[str, Any]:
        data = self.cleaned_data
        # An archived team that somebody is still a member of is not offered, and not taken away.
        kept = Team.objects.filter(members=self.instance).exclude(archived_at=None)
        return {
            **{name: data[name] for name in ("name", "language", "capacity")},
            "role": data["role"],
            "custom_role": data["custom_role"],
            "teams": [*data["teams"], *kept],
        }

    def clean_name(self) -> str:
        return _a_name(self.cleaned_data["name"], limit=120)


class InvitationForm(_WithRole):
    email = forms.EmailField(label=gettext_lazy("E-mail"), max_length=254)
    name = forms.CharField(label=gettext_lazy("Name"), max_length=120, required=False)
    language = forms.ChoiceField(
        label=gettext_lazy("Language of the mail"), choices=settings.LANGUAGES
    )
    role_choice = RoleField(label=gettext_lazy("Role"), initial=Role.AGENT)
    teams = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Teams"),
        queryset=Team.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )

    def __init__(self, *args: Any, actor: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        role = self.fields["role_choice"]
        assert isinstance(role, RoleField)
        role.offer(actor)
        teams = self.fields["teams"]
        assert isinstance(teams, forms.ModelMultipleChoiceField)
        teams.queryset = Team.objects.in_use()
        self.fields["language"].initial = actor.language


class JoinForm(forms.Form):
    """What somebody who was invited says of themselves."""

    name = forms.CharField(label=gettext_lazy("Your name"), max_length=120)
    password = forms.CharField(
        label=gettext_lazy("Password"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=gettext_lazy("At least 10 characters. A few words in a row are good."),
        strip=False,
        max_length=1000,
    )
    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=settings.LANGUAGES)

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email

    def clean_name(self) -> str:
        return _a_name(self.cleaned_data["name"], limit=120)

    def clean_password(self) -> str:
        from django.contrib.auth.password_validation import validate_password

        password: str = self.cleaned_data["password"]
        name = str(self.cleaned_data.get("name", ""))
        validate_password(password, User(email=self.email, name=name))
        return password


class DeactivationForm(forms.Form):
    """Who takes over the open tickets of somebody who leaves."""

    successor = forms.ModelChoiceField(
        label=gettext_lazy("Their open tickets go to"),
        queryset=User.objects.none(),
        required=False,
        empty_label=gettext_lazy("Nobody: back to their teams’ queues"),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        successor = self.fields["successor"]
        assert isinstance(successor, forms.ModelChoiceField)
        successor.queryset = User.objects.assignable().exclude(pk=user.pk)


class RoleForm(RowForm[CustomRole]):
    permissions = forms.MultipleChoiceField(
        label=gettext_lazy("Permissions"),
        choices=lambda: [
            (one.value, explained(str(one.label), str(PERMISSIONS_SAY[one]))) for one in Permission
        ],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )

    class Meta:
        model = CustomRole
        fields = ("name", "permissions")

    def clean_name(self) -> str:
        return _a_name(self.cleaned_data["name"], limit=80)


class UsersForm(forms.Form):
    """What narrows the list of colleagues; anything else in the address is ignored."""

    q = forms.CharField(required=False, max_length=200)
    state = forms.ChoiceField(
        required=False,
        choices=[
            ("", gettext_lazy("Active")),
            ("away", gettext_lazy("Deactivated")),
            ("all", gettext_lazy("All")),
        ],
    )


def _a_name(text: str, *, limit: int) -> str:
    name = one_line(text, limit=limit)
    if not name:
        raise forms.ValidationError(_("Give a name."))
    return name
