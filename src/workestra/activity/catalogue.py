"""The entries of the catalogue of errors; `words` turns them into text."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = Promise | str


@dataclass(frozen=True, slots=True)
class Entry:
    """`plain` stands in for `sentence` where a detail that it names is not known."""

    title: Text
    sentence: Text
    action: str = "none"
    plain: Text = ""


UNKNOWN = Entry(
    _("Something went wrong"),
    _("Workestra could not finish this (code {code}). Try again; if it stays, show the code to your administrator."),
    "try_again",
)

SIGN_IN: dict[str, Entry] = {
    "consent_declined": Entry(
        _("You did not accept the permissions"),
        _("Nothing was connected. To connect, start again and choose Accept on Microsoft's page."),
        "try_again",
    ),
    "sign_in_cancelled": Entry(
        _("The sign-in was cancelled"),
        _("Nothing was connected. Start again whenever you like."),
        "try_again",
    ),
    "admin_consent_required": Entry(
        _("Your organisation must approve Workestra first"),
        _(
            "Microsoft lets only an administrator of your organisation allow this app to read mail. Copy the "
            "approval link, send it to your IT administrator, and connect again once it is approved."
        ),
        "copy_admin_link",
    ),
    "admin_consent_granted": Entry(
        _("Your organisation has approved Workestra"),
        _("Members of your organisation can now connect their mailboxes."),
    ),
    "admin_consent_declined": Entry(
        _("The approval was not given"),
        _("An administrator opened the approval page but did not accept. Send the link again, or ask them why."),
        "copy_admin_link",
    ),
    "consent_loop": Entry(
        _("Approval exists, yet Microsoft still asks for it"),
        _(
            "The app registration and your organisation's tenant do not match. Ask your administrator to compare the "
            "client id and the tenant with those in the Entra admin center."
        ),
        "ask_admin",
    ),
    "wrong_account": Entry(
        _("You signed in with another account"),
        _("This row belongs to {address}, but you signed in with another account. Nothing was changed."),
        "try_again",
        _("You signed in to Microsoft with a different account than this row belongs to. Nothing was changed."),
    ),
    "wrong_tenant": Entry(
        _("This account belongs to another organisation"),
        _("The app that connects Workestra does not accept accounts of that organisation. Use another account."),
        "other_account",
    ),
    "account_blocked": Entry(
        _("Microsoft does not let this account sign in"),
        _("The account is disabled, locked, or unknown to the organisation. Use another account or ask your IT."),
        "other_account",
    ),
    "already_connected": Entry(
        _("This mailbox is already connected"),
        _("{name} has connected this mailbox in your workspace. Ask them, or connect a different mailbox."),
        "other_account",
        _("Another member has connected this mailbox in your workspace. Ask them, or connect a different one."),
    ),
    "state_lost": Entry(
        _("The sign-in lost its place"),
        _(
            "Workestra could not tell that this answer from Microsoft belongs to your browser: cookies are blocked, "
            "the sign-in took over ten minutes, or it was finished in another browser. Start again here."
        ),
        "try_again",
    ),
    "redirect_blocked": Entry(
        _("The browser did not reach Microsoft"),
        _("An extension or a proxy blocked the way to Microsoft's sign-in page. Allow it and try again."),
        "try_again",
    ),
    "code_expired": Entry(
        _("The sign-in took too long"),
        _("Microsoft's code had run out before it was used. Nothing was connected. Start again."),
        "try_again",
    ),
    "code_used": Entry(
        _("This sign-in was already used"),
        _("The page was opened twice or too late. If your mailbox is not in the list, start again."),
        "try_again",
    ),
    "sign_in_untrusted": Entry(
        _("Microsoft's answer could not be trusted"),
        _("The proof of who signed in did not check out, so nothing was connected. Start again."),
        "try_again",
    ),
    "sign_in_refused": Entry(
        _("Microsoft refused the sign-in"),
        _("Microsoft says {microsoft_code}. Nothing was connected. Try again, or show this code to your IT."),
        "try_again",
        _("Nothing was connected. Try again; if it stays, ask your IT administrator."),
    ),
    "conditional_access": Entry(
        _("A rule of your organisation blocked the sign-in"),
        _("A Conditional Access policy did not let it through. Sign in from an allowed device or ask your IT."),
        "try_again",
    ),
    "mfa_required": Entry(
        _("Microsoft wants a second proof that it is you"),
        _("Sign in again and finish the verification on Microsoft's page."),
        "try_again",
    ),
    "permission_denied": Entry(
        _("Microsoft did not give the permissions"),
        _(
            "Workestra may not read this mailbox: a permission was not given, or was taken back. If it was refused "
            "before, remove Workestra on Microsoft's page of allowed apps, then connect again and accept."
        ),
        "revoke_consent",
    ),
    "not_configured": Entry(
        _("Microsoft is not set up here yet"),
        _(
            "An administrator has to register Workestra with Microsoft and set WORKESTRA_MICROSOFT_CLIENT_ID and "
            "WORKESTRA_MICROSOFT_CLIENT_SECRET. Mailboxes that are connected then go on by themselves."
        ),
        "ask_admin",
    ),
    "app_misconfigured": Entry(
        _("The Microsoft app is not set up right"),
        _(
            "Microsoft rejects the app's id, secret or address. An administrator has to check the client id, the "
            "secret and the redirect address of the registration."
        ),
        "ask_admin",
    ),
}

MAILBOX: dict[str, Entry] = {
    "token_expired": Entry(
        _("Microsoft ended this sign-in"),
        _("It was idle for long, or a policy wants a new one. Mail since {since} is fetched after you reconnect."),
        "reconnect",
        _("It was idle for long, or a policy wants a new one. Mail since then is fetched after you reconnect."),
    ),
    "token_revoked": Entry(
        _("Microsoft ended this sign-in"),
        _("A password change or a policy does that. Mail since {since} is fetched after you reconnect."),
        "reconnect",
        _("A password change or a policy does that. Mail since then is fetched after you reconnect."),
    ),
    "claims_challenge": Entry(
        _("Microsoft wants you to sign in again"),
        _("A rule of your organisation asks for a fresh sign-in. Mail since then is fetched after you reconnect."),
        "reconnect",
    ),
    "scope_missing": Entry(
        _("A permission is missing"),
        _("This connection lacks a permission that it needs. Reconnect to add it."),
        "reconnect",
    ),
    "access_denied": Entry(
        _("Microsoft does not let Workestra read this mailbox"),
        _("The right to read it was taken away. Reconnect, or ask your IT administrator."),
        "reconnect",
    ),
    "mailbox_not_found": Entry(
        _("This account has no Exchange Online mailbox"),
        _("Workestra can connect mailboxes in Exchange Online or Outlook.com; on-premises ones are not supported."),
        "other_account",
    ),
    "shared_access_denied": Entry(
        _("Exchange has not given access to this shared mailbox"),
        _("Exchange has not given {delegate} full access to {mailbox}. Send the text to your Exchange admin."),
        "copy_admin_text",
        _("Exchange has not given you full access to it. Ask your Exchange administrator for it."),
    ),
    "delegate_down": Entry(
        _("The account behind this mailbox needs attention"),
        _("{mailbox} is reached through {delegate}, which needs reconnecting."),
        "none",
        _("This shared mailbox is reached through an account that needs reconnecting."),
    ),
    "throttled": Entry(
        _("Microsoft asked us to slow down"),
        _("Microsoft asked us to slow down. It continues by itself at {until}."),
        "none",
        _("Microsoft asked us to slow down. It continues by itself in a while."),
    ),
    "delta_reset": Entry(
        _("Checking the whole folder once"),
        _("Outlook restarted its list of changes, so the whole folder is compared once. Nothing for you to do."),
    ),
    "subscription_failed": Entry(
        _("Push is off"),
        _("Microsoft cannot reach this server, so mail is checked on a schedule instead."),
    ),
    "microsoft_unavailable": Entry(
        _("Microsoft did not answer"),
        _("Microsoft's service could not be reached or had a fault. Workestra tries again by itself."),
        "sync_now",
    ),
    "sync_failed": Entry(
        _("The last sync failed"),
        _("Microsoft refused it with {microsoft_code}. Workestra tries again by itself; nothing is lost."),
        "sync_now",
        _("Microsoft refused it. Workestra tries again by itself; nothing is lost."),
    ),
    "secret_expiring": Entry(
        _("The Microsoft app secret ends soon"),
        _("The Microsoft app secret ends in {days} days. An administrator has to make a new one."),
        "ask_admin",
        _("The Microsoft app secret ends soon. An administrator has to make a new one."),
    ),
}

MESSAGES: dict[str, Entry] = {
    "message_gone": Entry(
        _("This message is not in Outlook any more"),
        _("It was deleted or moved there. What Workestra has stored of it stays readable here."),
    ),
    "read_state_denied": Entry(
        _("Outlook did not let you mark this"),
        _("Exchange does not allow you to change this mailbox. The conversation shows again what Outlook has."),
    ),
    "read_state_refused": Entry(
        _("Outlook did not take the mark"),
        _("Outlook refused to mark this as read or unread. The conversation shows again what Outlook has."),
    ),
    "send_as_denied": Entry(
        _("You cannot send from this mailbox"),
        _("You can read {mailbox} but not send from it. Send the text to your Exchange administrator."),
        "copy_admin_text",
        _("You can read this mailbox but not send from it. Ask your Exchange administrator for Send As."),
    ),
    "attachment_too_large": Entry(
        _("An attachment is too large"),
        _("{name} has {size}; the limit is {limit}. Remove it or share it another way."),
        "edit_draft",
        _("A file is larger than Microsoft accepts. Remove it or share it another way."),
    ),
    "recipient_refused": Entry(
        _("A recipient was refused"),
        _("{address} was not accepted. Check the address and send again."),
        "edit_draft",
        _("An address was not accepted. Check the recipients and send again."),
    ),
    "recipient_storage_full": Entry(
        _("The recipient's mailbox is full"),
        _("{address} cannot take more mail at the moment. Try again later."),
        "edit_draft",
        _("The recipient cannot take more mail at the moment. Try again later."),
    ),
    "own_storage_full": Entry(
        _("Your mailbox is full"),
        _("Outlook has no room left in {mailbox}. Make room there and try again."),
        "try_again",
        _("Outlook has no room left in your mailbox. Make room there and try again."),
    ),
}

CATALOGUE: dict[str, Entry] = {**SIGN_IN, **MAILBOX, **MESSAGES}

ALIASES = {
    "access_denied_by_user": "consent_declined",
    "cancelled": "sign_in_cancelled",
    "incorrect_account": "wrong_account",
    "cookies_lost": "state_lost",
    "state_expired": "state_lost",
    "quota": "own_storage_full",
    "unreachable": "microsoft_unavailable",
    "sign_in_needed": "token_revoked",
    "no_mailbox": "mailbox_not_found",
}
