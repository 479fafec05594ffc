"""A database of the schema before text had a normal form, with rows in every table as people typed them."""

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.context import TortoiseContext

from amarevents.models.db.connection import CONNECTION, tortoise_config
from amarevents.models.db.migrate import migrate
from amarevents.settings import Settings

FIRST_MIGRATIONS = "tests.support.first_migrations"
YA = "\u09df"  # a letter that NFC spells as two
AT = "'2026-01-01 00:00:00+00:00'"
FULL_NAME = YA * 200  # its normal form does not fit into the column

ROWS = f"""
INSERT INTO users (id, username, username_key, email, number, password_hash, type, admin, search_text, created_at,
                   updated_at)
VALUES (1, 'জ{YA}া\u200d', 'জ{YA}া', 'k@bücher.example', '০১৭১১-০০০০০০', '-', 'organizer', TRUE, '', {AT}, {AT}),
       (2, 'র\u200d্যাব ১', 'র্যাব ১', 'r@example.org', '01822', '-', 'user', FALSE, '', {AT}, {AT}),
       (3, 'র্যাব 1', 'র্যাব 1', 's@example.org', '01833', '-', 'user', FALSE, '', {AT}, {AT});
INSERT INTO plans (id, name, price, currency, features)
VALUES (50, 'বড়ো', '10', 'BDT', '{{"হ{YA}":"{YA}"}}'),
       (51, '\ue000\u200cক', '10', 'BDT', '{{}}');
INSERT INTO organizations (id, user_id, plan_id, name, description, events_used, search_text, created_at, updated_at)
VALUES (1, 1, 50, 'ক্লাব {YA}', '{YA}', 1, '', {AT}, {AT});
INSERT INTO events (id, organization_id, name, location, sort_date, privacy, socials, wallets, emailmessage,
                    search_text, created_at, updated_at)
VALUES (1, 1, 'বিজ{YA}', '{YA}', '2027-01-01', 'public', '[]', '{{}}', '{{বাড়ি}} {YA}', '', {AT}, {AT});
INSERT INTO custom_fields (id, event_id, name, type, options, required, position)
VALUES (1, 1, 'বাড়ি', 'dropdown', '["{YA}১","M"]', FALSE, 0);
INSERT INTO gallery_images (id, event_id, url, caption, position)
VALUES (1, 1, 'https://example.org/a.png', '{YA}', 0);
INSERT INTO ticket_types (id, event_id, name, price, capacity, sold, created_at)
VALUES (1, 1, '{FULL_NAME}', '250.50', 10, 1, {AT});
INSERT INTO tickets (id, code, event_id, user_id, ticket_type_id, name, email, amount, status, note, created_at,
                     updated_at)
VALUES (1, 'AEFIRST', 1, 1, 1, '{YA}', 'k@xn--bcher-kva.example', '250.50', 'Success', '{YA}', {AT}, {AT});
INSERT INTO custom_values (id, ticket_id, field_id, value) VALUES (1, 1, 1, '{YA}১');
INSERT INTO check_ins (id, ticket_id, event_id, gate, checked_in_at) VALUES (1, 1, 1, '{YA}', {AT});
INSERT INTO donations (id, organization_id, email, number, amount, transaction_id, type, status, note, created_at,
                       updated_at)
VALUES (1, 1, 'd@example.org', '-', 5, 'D1ABC', 'bkash', 'pending', '{YA}', {AT}, {AT});
INSERT INTO api_keys (id, user_id, name, digest, key_prefix, key_type, permissions, is_active, created_at)
VALUES (1, 2, '{YA}', 'k', 'ae_u_', 'user', '[]', TRUE, {AT});
INSERT INTO sessions (id, user_id, digest, expires_at, created_at) VALUES (1, 1, 's', {AT}, {AT});
INSERT INTO email_confirmations (id, user_id, digest, email, expires_at, created_at)
VALUES (1, 1, 'c', 'k@bücher.example', {AT}, {AT});
INSERT INTO outgoing_mails (id, kind, status, ticket_id, recipient, subject, body, attempts, next_attempt_at,
                            created_at)
VALUES (1, 'ticket_confirmed', 'pending', 1, 'k@bücher.example', '{YA}', '{YA}', 0, {AT}, {AT});
INSERT INTO idempotency_records (id, digest, fingerprint, created_at) VALUES (1, 'i', 'f', {AT});
"""

EQUAL_ROWS = f"""
INSERT INTO users (id, username, username_key, email, number, password_hash, type, admin, created_at, updated_at)
VALUES (8, 'rahim১', 'rahim১', 'x@bücher.example', '1', '-', 'user', FALSE, {AT}, {AT}),
       (9, 'Rahim1', 'rahim1', 'x@xn--bcher-kva.example', '1', '-', 'user', FALSE, {AT}, {AT});
INSERT INTO plans (id, name, price, currency, features)
VALUES (60, 'Gold', '1', 'BDT', '{{}}'), (61, 'GOLD', '1', 'BDT', '{{}}');
INSERT INTO custom_fields (id, event_id, name, type, options, required, position)
VALUES (8, 1, 'Guest ১', 'text', '[]', FALSE, 1), (9, 1, 'Guest 1', 'text', '[]', FALSE, 2),
       (10, 1, 'Size', 'radio', '["Small","M","small"]', FALSE, 3);
"""
CONFLICTS = [
    "usernames: user 8 (rahim১), user 9 (Rahim1)",
    "email addresses: user 8 (x@bücher.example), user 9 (x@xn--bcher-kva.example)",
    "names of plans: plan 60 (Gold), plan 61 (GOLD)",
    "custom fields of an event: custom field 8 (Guest ১), custom field 9 (Guest 1)",
    "options of a custom field: custom field 10 (Small), custom field 10 (small)",
]


async def fill_older_database(settings: Settings, rows: str) -> None:
    """Apply the migrations before text was normalized, and insert rows."""
    await migrate(settings, migrations=FIRST_MIGRATIONS)
    with TortoiseContext() as context:
        await context.init(tortoise_config(settings))
        client: BaseDBAsyncClient = context.db(CONNECTION)
        try:
            await client.create_connection(with_db=True)
            await client.execute_script(rows)
        finally:
            await context.close_connections()
