"""The enums of the schema, whose values are in upper case (decisions 9.1)."""

from strawberry import enum as register_enum
from strawberry.types.enum import EnumValue, StrawberryEnumDefinition

from amarevents.models import enums
from amarevents.resolvers.accounts.auth import AuthMethod
from amarevents.resolvers.accounts.rate_limit_status import RateLimitType
from amarevents.resolvers.core.descriptions import public_text
from amarevents.resolvers.tickets.check_in import CheckInOutcome
from amarevents.resolvers.tickets.payments import DecisionMode
from amarevents.security.policy import Scope

for _enum in (
    enums.AccountType,
    enums.Category,
    enums.DonationStatus,
    enums.EventSort,
    enums.FieldType,
    enums.KeyType,
    enums.MailKind,
    enums.MailStatus,
    enums.PaymentMethod,
    enums.Privacy,
    enums.TicketChangeKind,
    enums.TicketStatus,
    AuthMethod,
    CheckInOutcome,
    DecisionMode,
    RateLimitType,
    Scope,
):
    register_enum(_enum, description=public_text(_enum.__doc__))

# A synonym that every input accepts (decisions 7.1). Results have the first name of a value.
_DONATION_STATUS: StrawberryEnumDefinition = vars(enums.DonationStatus)["__strawberry_definition__"]
_DONATION_STATUS.values.append(
    EnumValue("APPROVED", enums.DonationStatus.VERIFIED.value, description="Synonym of `VERIFIED`, in input only.")
)
