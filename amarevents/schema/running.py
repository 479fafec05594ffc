"""Running an operation, whichever transport it came by."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from strawberry.exceptions import MissingQueryError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from amarevents import errors
from amarevents.schema.context import GraphQLContext
from amarevents.schema.schema import schema
from amarevents.security.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The parameters of a GraphQL request; ``query`` may be missing. Any: JSON values.

    ``persisted_hash`` names a document that may have been sent before.
    """

    query: str | None
    variables: dict[str, Any] | None
    operation_name: str | None
    persisted_hash: str | None = None


async def run(asked: Asked, context: Context, *, allowed: Iterable[OperationType]) -> ExecutionResult:
    """The result of one query or mutation, charged to the request's budget.

    Raises BadRequest for what cannot be executed, MethodNotAllowed for a kind of operation that is not ``allowed``.
    """
    try:
        return await schema.execute(
            asked.query,
            variable_values=asked.variables,
            context_value=GraphQLContext(context, asked.operation_name),
            operation_name=asked.operation_name,
            allowed_operation_types=allowed,
        )
    except MissingQueryError as error:
        raise errors.BadRequest("Send the GraphQL document as 'query'") from error
    except CannotGetOperationTypeError as error:
        raise errors.BadRequest("The document holds no operation of this name") from error
    except InvalidOperationTypeError as error:
        if error.operation_type is OperationType.SUBSCRIPTION:
            raise errors.BadRequest("There are no subscriptions") from error
        raise errors.MethodNotAllowed(["POST"]) from error
