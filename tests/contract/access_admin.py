"""The table of access: what only admins may do, whoever's it is (decisions 2.8)."""

from tests.contract.access import ADMIN, ADMINS, Row

ROWS = (
    Row("GET", "/admin/stats", "", "", ADMIN, "admin", ADMINS),
    Row("GET", "/admin/users", "", "", ADMIN, "admin", ADMINS),
    Row("GET", "/admin/users/$holder", "", "", ADMIN, "admin", ADMINS),
    Row("PUT", "/admin/users/$holder", '{"promote_organizer": true}', "", ADMIN, "admin", ADMINS),
    Row("DELETE", "/admin/users/$spare_user", "", "", ADMIN, "admin", ADMINS),
    Row("GET", "/admin/events", "", "", ADMIN, "admin", ADMINS),
    Row("GET", "/admin/donations", "", "", ADMIN, "admin", ADMINS),
    Row("PUT", "/admin/donations/$donation", '{"status": "rejected"}', "", ADMIN, "admin", ADMINS),
    Row("PUT", "/admin/donations/$platform_donation", '{"status": "rejected"}', "", ADMIN, "admin", ADMINS),
    Row("GET", "/admin/api-keys", "", "", ADMIN, "admin", ADMINS),
    Row("DELETE", "/admin/revoke-key/$others_key", "", "", ADMIN, "admin", ADMINS),
    Row("GET", "/admin/plans", "", "", ADMIN, "admin", ADMINS),
    Row("GET", "/admin/rate-limits", "", "", ADMIN, "admin", ADMINS),
)
