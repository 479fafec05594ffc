"""The statements of the bare handlers: the least SQL for the rows that the platform answers with."""

_EVENT = """
    e.id, e.name, e.category, e.organization_id, o.name AS organization_name, e.date, e.deadline, e.location,
    e.description, e.banner, e.logo, e.privacy, e.created_at, e.updated_at
"""
_EVENTS = f"SELECT {_EVENT} FROM events e JOIN organizations o ON o.id = e.organization_id"
_PUBLIC = "e.privacy = 'public'"

# Arguments: today, offset, limit. The rows that the offset passes over are walked in the index alone.
LIST = f"""
{_EVENTS} WHERE e.id IN (
    SELECT id FROM events e WHERE {_PUBLIC} AND sort_date >= $1 ORDER BY sort_date, id OFFSET $2 LIMIT $3
) ORDER BY e.sort_date, e.id
"""
# Arguments: today, limit.
FIRST_PAGE = f"{_EVENTS} WHERE {_PUBLIC} AND e.sort_date >= $1 ORDER BY e.sort_date, e.id LIMIT $2"
# Arguments: today, limit, category.
OF_CATEGORY = f"{_EVENTS} WHERE {_PUBLIC} AND e.category = $3 AND e.sort_date >= $1 ORDER BY e.sort_date, e.id LIMIT $2"
# Arguments: a pattern. Those to come are first, then the past ones in descending order; today, limit.
_FOUND = f"{_EVENTS} WHERE {_PUBLIC} AND e.search_text LIKE $3"
FOUND_TO_COME = f"{_FOUND} AND e.sort_date >= $1 ORDER BY e.sort_date, e.id LIMIT $2"
FOUND_PAST = f"{_FOUND} AND e.sort_date < $1 ORDER BY e.sort_date DESC, e.id DESC LIMIT $2"

COUNT = f"SELECT count(*) FROM events e WHERE {_PUBLIC}"
COUNT_OF_CATEGORY = f"{COUNT} AND e.category = $1"
COUNT_FOUND = f"{COUNT} AND e.search_text LIKE $1"

_TYPE = """
    id, event_id, name, price::float8 AS price, capacity, description, sold,
    CASE WHEN capacity > 0 THEN greatest(capacity - sold, 0) END AS available,
    capacity = 0 OR sold < capacity AS is_available, created_at
"""
DETAIL = f"""
SELECT {_EVENT}, e.notice, e.socials::text AS socials, e.wallets::text AS wallets
FROM events e JOIN organizations o ON o.id = e.organization_id WHERE e.id = $1 AND {_PUBLIC}
"""
TYPES = f"SELECT {_TYPE} FROM ticket_types WHERE event_id = $1 ORDER BY id DESC"
FIELDS = """
SELECT id, event_id, name, type, options::text AS options, required, position
FROM custom_fields WHERE event_id = $1 ORDER BY position, id
"""
TYPES_OF_VISIBLE = f"""
SELECT {_TYPE} FROM ticket_types
WHERE event_id = (SELECT id FROM events e WHERE e.id = $1 AND {_PUBLIC}) ORDER BY id DESC
"""

# Of GraphQL: eight scalars, and five of each ticket type.
SCALARS = f"""
SELECT e.id::text, e.name, upper(e.category) AS category, o.name AS "organizationName", e.date, e.location,
    upper(e.privacy) AS privacy, e.created_at AS "createdAt"
FROM events e JOIN organizations o ON o.id = e.organization_id
WHERE {_PUBLIC} AND e.sort_date >= $1 ORDER BY e.sort_date, e.id LIMIT $2
"""
TYPES_OF_MANY = """
SELECT event_id, id::text, name, price::text AS price, capacity,
    CASE WHEN capacity > 0 THEN greatest(capacity - sold, 0) END AS available
FROM ticket_types WHERE event_id = ANY($1::int[]) ORDER BY id DESC
"""

_CALLER = "SELECT user_id FROM api_keys WHERE digest = $1 AND is_active AND revoked_at IS NULL"
# Arguments: the digest of a key, ID or code of the ticket.
VERIFY = f"""
SELECT t.id AS ticket_id, t.name, t.email, t.status, e.name AS event, e.date AS event_date
FROM tickets t JOIN events e ON e.id = t.event_id JOIN organizations o ON o.id = e.organization_id
WHERE t.code = $2 AND o.user_id = ({_CALLER})
"""
# Arguments: the digest of a key, the event.
STATS = f"""
SELECT k.id, k.name, k.price::float8 AS price, k.capacity, t.status, t.tickets, t.amount
FROM ticket_types k LEFT JOIN (
    SELECT ticket_type_id, status, count(*) AS tickets, sum(amount)::float8 AS amount
    FROM tickets WHERE event_id = $2 GROUP BY ticket_type_id, status
) t ON t.ticket_type_id = k.id
WHERE k.event_id = (
    SELECT e.id FROM events e JOIN organizations o ON o.id = e.organization_id
    WHERE e.id = $2 AND o.user_id = ({_CALLER})
) ORDER BY k.id DESC
"""
# Arguments: the digest of a key, the event, the type, a code, today, now, when the hold ends.
REGISTER = """
WITH caller AS (
    SELECT u.id, u.username, u.email, u.email_key, u.number FROM api_keys k JOIN users u ON u.id = k.user_id
    WHERE k.digest = $1 AND k.is_active AND k.revoked_at IS NULL
), event AS (
    SELECT id, name, date FROM events
    WHERE id = $2 AND privacy = 'public' AND coalesce(deadline, date, 'infinity') >= $5
), place AS (
    UPDATE ticket_types SET sold = sold + 1
    WHERE id = $3 AND event_id = (SELECT id FROM event) AND EXISTS (SELECT FROM caller)
        AND (capacity = 0 OR sold < capacity)
    RETURNING id, event_id, name, price
), ticket AS (
    INSERT INTO tickets (
        code, event_id, user_id, ticket_type_id, name, email, email_key, number, amount, due, status,
        created_at, updated_at, hold_expires_at
    )
    SELECT $4, place.event_id, caller.id, place.id, username, email, email_key, number, price, price, 'Pending',
        $6, $6, $7
    FROM place, caller RETURNING *
)
SELECT t.id, t.code, t.event_id, event.name AS event_name, event.date AS event_date, t.user_id, t.ticket_type_id,
    place.name AS ticket_type_name, t.name, t.email, t.number, t.amount::float8 AS amount, t.due::float8 AS due,
    t.status, t.transaction_id, t.transaction_id AS transid, t.payment_method, t.note, t.hold_expires_at AS expires_at,
    t.created_at, t.updated_at
FROM ticket t, place, event
"""
ACCOUNT = """
SELECT id, username, email, number, type, admin, pfp, country, created_at, password_hash FROM users WHERE email_key = $1
"""
START_SESSION = "INSERT INTO sessions (user_id, digest, expires_at, created_at) VALUES ($1, $2, $3, $4)"
