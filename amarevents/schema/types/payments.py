"""Payments: decided many at once."""

import strawberry

from amarevents.resolvers.core.descriptions import public_text
from amarevents.resolvers.tickets import payments as operations
from amarevents.schema.core.fields import mutation
from amarevents.schema.types.tickets import Ticket


@strawberry.type(name="DecisionFailure", description=public_text(operations.DecisionFailureView.__doc__))
class DecisionFailure(operations.DecisionFailureView):
    pass


@strawberry.type(name="PaymentDecisions", description=public_text(operations.PaymentDecisionsView.__doc__))
class PaymentDecisions(operations.PaymentDecisionsView):
    decided: list[Ticket]  # type: ignore[assignment] # the same, as the schema shows it
    failed: list[DecisionFailure]  # type: ignore[assignment] # the same, as the schema shows it


@strawberry.type
class PaymentMutation:
    approve_payments = mutation(operations.approve_payments, PaymentDecisions)
    reject_payments = mutation(operations.reject_payments, PaymentDecisions)
