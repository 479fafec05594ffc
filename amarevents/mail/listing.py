"""Text output of the outbox for operators."""

from amarevents.models import OutgoingMail
from amarevents.models.enums import MailKind


def line_of(mail: OutgoingMail) -> str:
    """Return an email as one line: id, status, creation time, kind, recipient, subject, and the last error if any."""
    error = f"  [{mail.last_error}]" if mail.last_error else ""
    head = f"{mail.id:>7}  {mail.status:<7}  {mail.created_at:%Y-%m-%d %H:%M}  {mail.kind:<16}"
    return f"{head}  {mail.recipient}  {mail.subject}{error}"


def description_of(mail: OutgoingMail) -> str:
    """Return an email in full, except for the secret link that confirms an email address."""
    facts = {
        "id": mail.id,
        "kind": mail.kind,
        "status": mail.status,
        "recipient": mail.recipient,
        "ticket": mail.ticket_id or "none",
        "account": mail.user_id or "none",
        "created": mail.created_at,
        "attempts": mail.attempts,
        "next attempt": mail.next_attempt_at,
        "sent": mail.sent_at or "no",
        "last error": mail.last_error or "none",
        "subject": mail.subject,
    }
    text = "(contains a secret link)" if mail.body and mail.kind is MailKind.CONFIRM_EMAIL else mail.body
    return "\n".join([*(f"{name + ':':<14}{value}" for name, value in facts.items()), "", text.rstrip()])
