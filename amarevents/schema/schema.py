"""The GraphQL schema, put together from the queries, mutations and subscriptions of all types."""

from amarevents.schema.core import enums as _enums  # noqa: F401 - registers the enums before the types that use them
from amarevents.schema.core.descriptions import describe
from amarevents.schema.core.nodes import NodeQuery
from amarevents.schema.core.object_types import object_type
from amarevents.schema.core.scalars import CONFIG
from amarevents.schema.execution.engine import AmarEventsSchema
from amarevents.schema.types.accounts import AccountMutation, AccountQuery
from amarevents.schema.types.admin import AdminMutation, AdminQuery, MailQuery
from amarevents.schema.types.api_keys import ApiKeyMutation, ApiKeyQuery
from amarevents.schema.types.check_in import CheckInMutation
from amarevents.schema.types.donations import DonationMutation, DonationQuery
from amarevents.schema.types.event_parts import CustomFieldMutation, GalleryMutation
from amarevents.schema.types.events import EventMutation, EventQuery
from amarevents.schema.types.organizations import OrganizationMutation, OrganizationQuery
from amarevents.schema.types.password_resets import PasswordResetMutation
from amarevents.schema.types.payments import PaymentMutation
from amarevents.schema.types.rate_limit_status import RateLimitStatusQuery
from amarevents.schema.types.statistics import StatisticsQuery
from amarevents.schema.types.subscriptions import Subscription
from amarevents.schema.types.ticket_types import TicketTypeMutation, TicketTypeQuery
from amarevents.schema.types.tickets import TicketMutation, TicketQuery
from amarevents.schema.types.users import UserMutation, UserQuery


@object_type
class Query(
    AccountQuery,
    AdminQuery,
    ApiKeyQuery,
    DonationQuery,
    EventQuery,
    MailQuery,
    NodeQuery,
    OrganizationQuery,
    RateLimitStatusQuery,
    StatisticsQuery,
    TicketTypeQuery,
    TicketQuery,
    UserQuery,
):
    """The queries, which read data."""


@object_type
class Mutation(
    AccountMutation,
    AdminMutation,
    ApiKeyMutation,
    CheckInMutation,
    CustomFieldMutation,
    DonationMutation,
    EventMutation,
    GalleryMutation,
    OrganizationMutation,
    PasswordResetMutation,
    PaymentMutation,
    TicketTypeMutation,
    TicketMutation,
    UserMutation,
):
    """The mutations, which change data. Those of one operation run one after the other."""


schema = AmarEventsSchema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    config=CONFIG,
)
describe(schema.graphql_schema)
