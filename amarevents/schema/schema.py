"""The schema: the parts of all nouns, and what is done around each operation."""

from collections.abc import AsyncIterator

import strawberry
from graphql import GraphQLError, get_operation_ast
from strawberry.extensions import MaxTokensLimiter, ParserCache, SchemaExtension, ValidationCache
from strawberry.types import ExecutionContext

from amarevents.schema import enums as _enums  # noqa: F401 - registers the enums before the types are made
from amarevents.schema.accounts import AccountMutation, AccountQuery
from amarevents.schema.api_keys import ApiKeyMutation, ApiKeyQuery
from amarevents.schema.context import GraphQLContext
from amarevents.schema.errors import log_unforeseen
from amarevents.schema.events import EventMutation, EventQuery
from amarevents.schema.limits import MAX_TOKENS, require_bounded, units_of
from amarevents.schema.organizations import OrganizationMutation, OrganizationQuery
from amarevents.schema.scalars import CONFIG
from amarevents.schema.ticket_types import TicketTypeMutation, TicketTypeQuery
from amarevents.schema.tickets import TicketMutation, TicketQuery

_CACHED_DOCUMENTS = 512


@strawberry.type(description="What can be read.")
class Query(AccountQuery, ApiKeyQuery, EventQuery, OrganizationQuery, TicketTypeQuery, TicketQuery):
    pass


@strawberry.type(description="What can be changed.")
class Mutation(
    AccountMutation, ApiKeyMutation, EventMutation, OrganizationMutation, TicketTypeMutation, TicketMutation
):
    pass


class ChargeOperation(SchemaExtension):
    """Charge an operation after it has been parsed, before it is validated or executed (decisions 3.5)."""

    async def on_validate(self) -> AsyncIterator[None]:
        execution = self.execution_context
        document = execution.graphql_document
        operation = get_operation_ast(document, execution.operation_name) if document else None
        if document is not None and operation is not None:
            context: GraphQLContext = execution.context
            await context.request.charge(units_of(document, operation, execution.variables or {}))
            require_bounded(document)
        yield


class AmarEventsSchema(strawberry.Schema):
    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Log what was not foreseen, and nothing of the callers' own mistakes."""
        if execution_context is not None:
            for error in errors:
                log_unforeseen(error, execution_context.context.request.request_id)


schema = AmarEventsSchema(
    query=Query,
    mutation=Mutation,
    config=CONFIG,
    extensions=[
        lambda: MaxTokensLimiter(max_token_count=MAX_TOKENS),
        lambda: ParserCache(maxsize=_CACHED_DOCUMENTS),
        lambda: ValidationCache(maxsize=_CACHED_DOCUMENTS),
        ChargeOperation,
    ],
)
