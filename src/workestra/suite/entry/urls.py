"""Signing in and out; appearance; a member's own profile."""

from django.urls import path

from workestra.suite.entry import profile, views

app_name = "entry"
urlpatterns = [
    path("", views.home, name="home"),
    path("login", views.LoginView.as_view(), name="login"),
    path("logout", views.sign_out, name="logout"),
    path("settings/profile", profile.profile, name="profile"),
    path("appearance/theme", views.choose_theme, name="theme"),
    path("appearance/density", views.choose_density, name="density"),
]
