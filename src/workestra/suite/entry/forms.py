"""The sign-in form, and that of a person's own profile."""

from __future__ import annotations

from itertools import groupby

from django import forms
from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from workestra.tenancy.preferences import zones

Choices = list[tuple[str | Promise, str | Promise | list[tuple[str, str]]]]


class SignInForm(forms.Form):
    """Address and password. Which of the two was wrong is never said."""

    email = forms.EmailField(
        label=_("Email"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "class": "input", "autofocus": True}),
        error_messages={"invalid": _("This is not an email address."), "required": _("Enter your email address.")},
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=1024,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "class": "input"}),
        error_messages={"required": _("Enter your password.")},
    )


def zone_choices(*, browser: str, chosen: str) -> Choices:
    """The browser's zone first, then every place under its continent; `chosen` is there whatever it is."""
    auto = (
        gettext("Like the browser (%(zone)s)") % {"zone": place(browser)} if browser else gettext("Like the browser")
    )
    named = sorted(name for name in zones() if name.split("/")[0] in CONTINENTS and "/" in name)
    found: Choices = [("", auto), ("UTC", "UTC")]
    if chosen and chosen not in named and chosen != "UTC":
        found.append((chosen, chosen))
    for continent, names in groupby(named, key=lambda name: name.split("/")[0]):
        found.append((continent, [(name, place(name)) for name in names]))
    return found


def place(zone: str) -> str:
    """`America/Argentina/Buenos_Aires` as people read it."""
    return zone.partition("/")[2].replace("_", " ") or zone


CONTINENTS = {
    *("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"),
}


class ProfileForm(forms.Form):
    """Name, language and time zone of the person who is signed in."""

    name = forms.CharField(
        label=_("Name"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name", "class": "input"}),
    )
    language = forms.ChoiceField(
        label=_("Language"), required=False, widget=forms.Select(attrs={"class": "select", "autocomplete": "off"})
    )
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        required=False,
        help_text=_("Every time that Workestra shows is in this zone."),
        widget=forms.Select(attrs={"class": "select", "autocomplete": "off"}),
    )

    def __init__(self, *args: object, browser: str, chosen: str, **more: object) -> None:
        super().__init__(*args, **more)  # type: ignore[arg-type]
        languages: Choices = [("", _("Like the browser")), *settings.LANGUAGES]
        self.fields["language"].choices = languages  # type: ignore[attr-defined]
        self.fields["time_zone"].choices = zone_choices(browser=browser, chosen=chosen)  # type: ignore[attr-defined]
