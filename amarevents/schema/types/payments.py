"""Payments for tickets, and decisions on many of them at once."""

import strawberry

from amarevents.resolvers.tickets import payments as operations
from amarevents.resolvers.tickets.queries import TicketView
from amarevents.schema.core.fields import mutation
from amarevents.schema.core.object_types import object_type
from amarevents.schema.types.tickets import Ticket


@object_type
class DecisionFailure(operations.DecisionFailureView):
    pass


@object_type
class PaymentDecisions(operations.PaymentDecisionsView):
    decided: list[TicketView] = strawberry.field(graphql_type=list[Ticket])
    failed: list[operations.DecisionFailureView] = strawberry.field(graphql_type=list[DecisionFailure])


@strawberry.type
class PaymentMutation:
    add_payment = mutation(operations.add_payment, Ticket)
    approve_payments = mutation(operations.approve_payments, PaymentDecisions)
    reject_payments = mutation(operations.reject_payments, PaymentDecisions)
