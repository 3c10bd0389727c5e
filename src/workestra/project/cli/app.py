"""All commands of `workestra`."""

from __future__ import annotations

import typer

from workestra.project.cli.backfill import backfill
from workestra.project.cli.connections import connections
from workestra.project.cli.create_user import create_user
from workestra.project.cli.demo import demo
from workestra.project.cli.doctor import doctor
from workestra.project.cli.export import export
from workestra.project.cli.migrate import migrate
from workestra.project.cli.preflight import preflight
from workestra.project.cli.sandbox import sandbox
from workestra.project.cli.serve import serve
from workestra.project.cli.sync import sync
from workestra.project.cli.verify import verify
from workestra.project.cli.web import web
from workestra.project.cli.worker import worker

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Workestra: a self-hosted business suite whose heart is Outlook.",
    epilog="Exit codes: 0 done, 1 failed, 2 wrong options or settings, 3 nothing of that name, "
    "4 database away or not migrated, 130 interrupted.",
)

RUN, OPERATE, MAILBOX = "Run it", "Look after it", "Mailboxes"

app.command(rich_help_panel=RUN)(demo)
app.command(rich_help_panel=RUN)(serve)
app.command(rich_help_panel=RUN)(web)
app.command(rich_help_panel=RUN)(worker)
app.command(
    rich_help_panel=RUN,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
    add_help_option=False,
)(sandbox)
app.command(hidden=True)(preflight)
app.command(rich_help_panel=OPERATE)(migrate)
app.command(rich_help_panel=OPERATE)(doctor)
app.command("create-user", rich_help_panel=OPERATE)(create_user)
app.command(rich_help_panel=MAILBOX)(connections)
app.command(rich_help_panel=MAILBOX)(sync)
app.command(rich_help_panel=MAILBOX)(backfill)
app.command(rich_help_panel=MAILBOX)(verify)
app.command(rich_help_panel=MAILBOX)(export)
