"""The way in and out, and how a person likes the pages to look."""

from __future__ import annotations

import json

from django.conf import settings
from django.contrib.auth import login, logout
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.formats import date_format
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from workestra.suite.entry.forms import SignInForm
from workestra.tenancy.models import User
from workestra.tenancy.sign_in import TooManyAttempts, authenticate_person

THEMES = ("system", "light", "dark")
DENSITIES = ("comfortable", "compact")
YEAR = 365 * 24 * 3600


def _next(request: HttpRequest) -> str:
    """Where to go after signing in: a place of this very site, else the Inbox."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    safe = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if safe else reverse(settings.LOGIN_REDIRECT_URL)


@method_decorator([never_cache, sensitive_post_parameters("password")], name="dispatch")
class LoginView(View):
    """Email and password. A wrong pair, a locked address and empty fields each say so; 422 or 429."""

    def get(self, request: HttpRequest) -> HttpResponseBase:
        if request.user.is_authenticated:
            return HttpResponseRedirect(_next(request))
        return self._page(request, SignInForm())

    def post(self, request: HttpRequest) -> HttpResponseBase:
        form = SignInForm(request.POST)
        if not form.is_valid():
            return self._page(request, form, status=422)
        try:
            user = authenticate_person(
                request, email=form.cleaned_data["email"], password=form.cleaned_data["password"]
            )
        except TooManyAttempts as locked:
            until = date_format(timezone.localtime(locked.until), pgettext("time of today", "H:i T"))
            form.add_error(None, _("Too many attempts. Try again at %(time)s.") % {"time": until})
            return self._page(request, form, status=429)
        if user is None:
            form.add_error(None, _("This email and password do not belong together. Check both and try again."))
            form.fields["email"].widget.attrs.pop("autofocus")
            form.fields["password"].widget.attrs["autofocus"] = True
            return self._page(request, form, status=422)
        login(request, user)
        return HttpResponseRedirect(_next(request))

    def _page(self, request: HttpRequest, form: SignInForm, status: int = 200) -> HttpResponse:
        next_page = request.POST.get("next") or request.GET.get("next") or ""
        return render(request, "entry/login.html", {"form": form, "next": next_page}, status=status)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponseBase:
    """End the session."""
    logout(request)
    return redirect(settings.LOGOUT_REDIRECT_URL)


def home(request: HttpRequest) -> HttpResponseBase:
    """The bare address leads to the Inbox (and from there to the sign-in, where needed)."""
    return redirect(settings.LOGIN_REDIRECT_URL)


def _chosen(request: HttpRequest, event: str, value: str) -> HttpResponse:
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Trigger": json.dumps({event: {"value": value}})})
    back = request.headers.get("Referer", "")
    safe = url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()})
    return HttpResponseRedirect(back if safe else reverse(settings.LOGIN_REDIRECT_URL))


@require_POST
def choose_theme(request: HttpRequest) -> HttpResponse:
    """Keep the person's theme: `system`, `light` or `dark`; anything else is refused with 422."""
    theme = request.POST.get("theme", "")
    if theme not in THEMES:
        return HttpResponse(status=422)
    if isinstance(request.user, User):
        User.objects.filter(pk=request.user.pk).update(theme=theme)
    return _chosen(request, "theme", theme)


@require_POST
def choose_density(request: HttpRequest) -> HttpResponse:
    """Keep the height of list rows in this browser: `comfortable` or `compact`."""
    density = request.POST.get("density", "")
    if density not in DENSITIES:
        return HttpResponse(status=422)
    answer = _chosen(request, "density", density)
    answer.set_cookie("density", density, max_age=YEAR, samesite="Lax", secure=request.is_secure(), httponly=True)
    return answer
