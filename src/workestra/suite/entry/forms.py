"""The sign-in form."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _


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
