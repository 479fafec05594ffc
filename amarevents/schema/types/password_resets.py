"""Forgotten passwords."""

import strawberry

from amarevents.resolvers.accounts import password_reset as operations
from amarevents.schema.core.fields import mutation
from amarevents.schema.core.object_types import object_type


@object_type
class PasswordResetRequest(operations.PasswordResetRequestView):
    pass


@object_type
class PasswordReset(operations.PasswordResetView):
    pass


@strawberry.type
class PasswordResetMutation:
    request_password_reset = mutation(operations.request_password_reset, PasswordResetRequest, flat=True)
    reset_password = mutation(operations.reset_password, PasswordReset, flat=True)
