"""Settings > Your profile: a member's own name, language and time zone."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from workestra.suite.entry.forms import ProfileForm
from workestra.tenancy import preferences
from workestra.tenancy.views import member_of, member_view


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@member_view
def profile(request: HttpRequest) -> HttpResponseBase:
    """Show it, or keep what was sent and show it in the language that it then has."""
    user = member_of(request).user
    browser = preferences.browser_zone(request=request)
    now = {"name": user.name, "language": user.language, "time_zone": user.time_zone}
    form = ProfileForm(request.POST or None, initial=now, browser=browser, chosen=user.time_zone)
    if request.method == "POST" and form.is_valid():
        preferences.choose(user=user, **form.cleaned_data)
        with translation.override(user.language or translation.get_language_from_request(request)):
            messages.success(request, _("Your profile is saved."))
        return redirect("entry:profile")
    context = {"section": "settings", "form": form}
    return render(request, "entry/profile.html", context, status=422 if request.method == "POST" else 200)
