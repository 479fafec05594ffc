"""Rows of the access table: operations for admins alone (decisions 2.8)."""

from tests.contract.access import ADMIN, ADMINS, Row

ROWS = (
    Row("GET", "/admin/stats", "", "{ adminStats { totalUsers } }", ADMIN, "admin", ADMINS),
    Row("GET", "/admin/users", "", "{ users { items { id } } }", ADMIN, "admin", ADMINS),
    Row("GET", "/admin/users/$holder", "", "{ user(id: $holder) { id } }", ADMIN, "admin", ADMINS),
    Row(
        "PUT",
        "/admin/users/$holder",
        '{"promote_organizer": true}',
        "mutation { updateUser(id: $holder, input: {promoteOrganizer: true}) { id } }",
        ADMIN,
        "admin",
        ADMINS,
    ),
    Row(
        "DELETE",
        "/admin/users/$spare_user",
        "",
        "mutation { deleteUser(id: $spare_user) { deleted } }",
        ADMIN,
        "admin",
        ADMINS,
    ),
    Row("GET", "/admin/events", "", "{ adminEvents { items { id } } }", ADMIN, "admin", ADMINS),
    Row("GET", "/admin/donations", "", "{ adminDonations { items { id } } }", ADMIN, "admin", ADMINS),
    Row(
        "PUT",
        "/admin/donations/$donation",
        '{"status": "rejected"}',
        "mutation { adminUpdateDonation(id: $donation, input: {status: REJECTED}) { id } }",
        ADMIN,
        "admin",
        ADMINS,
    ),
    Row(
        "PUT",
        "/admin/donations/$platform_donation",
        '{"status": "rejected"}',
        "mutation { adminUpdateDonation(id: $platform_donation, input: {status: REJECTED}) { id } }",
        ADMIN,
        "admin",
        ADMINS,
    ),
    Row("GET", "/admin/api-keys", "", "{ adminApiKeys { items { id } } }", ADMIN, "admin", ADMINS),
    Row(
        "DELETE",
        "/admin/revoke-key/$others_key",
        "",
        "mutation { forceRevokeApiKey(id: $others_key) { revoked } }",
        ADMIN,
        "admin",
        ADMINS,
    ),
    Row("GET", "/admin/plans", "", "{ plans { id } }", ADMIN, "admin", ADMINS),
    Row("GET", "/admin/rate-limits", "", "{ rateLimits { keyId } }", ADMIN, "admin", ADMINS),
)
