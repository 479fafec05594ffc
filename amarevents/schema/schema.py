"""The schema: the parts of all nouns, and what is done around each operation."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import strawberry
from graphql import GraphQLError, GraphQLSchema, OperationDefinitionNode, OperationType, get_operation_ast
from strawberry.extensions import SchemaExtension
from strawberry.types import ExecutionContext

from amarevents.errors import BadRequest
from amarevents.schema import enums as _enums  # noqa: F401 - registers the enums before the types are made
from amarevents.schema.accounts import AccountMutation, AccountQuery
from amarevents.schema.administration import AdministrationMutation, AdministrationQuery
from amarevents.schema.api_keys import ApiKeyMutation, ApiKeyQuery
from amarevents.schema.check_in import CheckInMutation
from amarevents.schema.context import GraphQLContext
from amarevents.schema.cost import maximum_cost, require_affordable
from amarevents.schema.custom_fields import CustomFieldMutation
from amarevents.schema.deadlines import Deadline
from amarevents.schema.documents import is_remembered, parse_document, validation_errors
from amarevents.schema.donations import DonationMutation, DonationQuery
from amarevents.schema.errors import log_unforeseen, without_suggestion
from amarevents.schema.events import EventMutation, EventQuery
from amarevents.schema.execution import PlannedExecutor
from amarevents.schema.gallery import GalleryMutation
from amarevents.schema.limits import require_bounded, require_no_introspection, units_of
from amarevents.schema.live import Subscription
from amarevents.schema.mails import MailQuery
from amarevents.schema.organizations import OrganizationMutation, OrganizationQuery
from amarevents.schema.overlaps import require_few_overlaps
from amarevents.schema.payments import PaymentMutation
from amarevents.schema.scalars import CONFIG
from amarevents.schema.statistics import StatisticsQuery
from amarevents.schema.texts import describe
from amarevents.schema.ticket_types import TicketTypeMutation, TicketTypeQuery
from amarevents.schema.tickets import TicketMutation, TicketQuery
from amarevents.schema.users import UserMutation, UserQuery


@strawberry.type(description="What can be read.")
class Query(
    AccountQuery,
    AdministrationQuery,
    ApiKeyQuery,
    DonationQuery,
    EventQuery,
    MailQuery,
    OrganizationQuery,
    StatisticsQuery,
    TicketTypeQuery,
    TicketQuery,
    UserQuery,
):
    pass


@strawberry.type(description="What can be changed.")
class Mutation(
    AccountMutation,
    AdministrationMutation,
    ApiKeyMutation,
    CheckInMutation,
    CustomFieldMutation,
    DonationMutation,
    EventMutation,
    GalleryMutation,
    OrganizationMutation,
    PaymentMutation,
    TicketTypeMutation,
    TicketMutation,
    UserMutation,
):
    pass


class CheckDocument(SchemaExtension):
    """Parse, bound, charge, weigh and validate a document: each step guards the next, which may be dearer."""

    def on_parse(self) -> Iterator[None]:
        execution = self.execution_context
        if execution.query:
            execution.graphql_document = parse_document(execution.query)
        yield

    async def on_validate(self) -> AsyncIterator[None]:
        execution = self.execution_context
        document = execution.graphql_document
        context: GraphQLContext = execution.context
        operation = self._operation()
        if document is None or operation is None:
            raise BadRequest("The document holds several operations; name one as 'operationName'")
        settings = context.request.services.settings
        if operation.operation is not OperationType.SUBSCRIPTION:
            changes = operation.operation is OperationType.MUTATION
            context.deadline = Deadline(settings.graphql_timeout_seconds, changes=changes)
        variables = execution.variables or {}
        if not settings.graphql_introspection:
            require_no_introspection(document)
        if not is_remembered(document):
            require_bounded(document)
            require_few_overlaps(document)
        await context.request.charge(units_of(document, operation, variables))
        context.cost = require_affordable(schema.graphql_schema, document, operation, variables)
        execution.pre_execution_errors = validation_errors(schema.graphql_schema, document)
        yield

    def get_results(self) -> dict[str, Any]:
        """What the answer says beside data and errors: its cost, once that is known."""
        context: GraphQLContext = self.execution_context.context
        operation = self._operation()
        if context.cost is None or operation is None:
            return {}
        return {"cost": {"requested": context.cost, "maximum": maximum_cost(operation)}}

    def _operation(self) -> OperationDefinitionNode | None:
        """Not by execution.operation_name, which is the first operation's where the caller gave none."""
        execution = self.execution_context
        document = execution.graphql_document
        return get_operation_ast(document, execution.context.operation_name) if document else None


class AmarEventsSchema(strawberry.Schema):
    @property
    def graphql_schema(self) -> GraphQLSchema:
        """The schema as graphql-core has it."""
        return self._schema

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Log what was not foreseen, and nothing of the callers' own mistakes; suggest no names that are not told."""
        if execution_context is None:
            return
        context: GraphQLContext = execution_context.context
        request = context.request
        for error in errors:
            log_unforeseen(error, request.request_id)
            if not request.services.settings.graphql_introspection:
                error.message = without_suggestion(error.message)


schema = AmarEventsSchema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    config=CONFIG,
    extensions=[CheckDocument],
    execution_context_class=PlannedExecutor,
)
describe(schema.graphql_schema)
