"""The enums of the platform, as the schema knows them: UPPER_CASE (decisions 9.1)."""

import strawberry
from strawberry.types.enum import EnumValue, StrawberryEnumDefinition

from amarevents.models import enums
from amarevents.resolvers.accounts.auth import AuthMethod
from amarevents.resolvers.tickets.check_in import CheckInOutcome
from amarevents.resolvers.tickets.payments import DecisionMode
from amarevents.security.policy import Scope

strawberry.enum(enums.AccountType, description="What an account may do; being an admin is a separate flag.")
strawberry.enum(enums.KeyType, description="What an API key may be used for at most.")
strawberry.enum(enums.Category, description="What kind of event it is.")
strawberry.enum(enums.Privacy, description="Who may see an event.")
strawberry.enum(enums.FieldType, description="How a custom registration field is asked for.")
strawberry.enum(enums.TicketStatus, description="PENDING and SUCCESS hold a place, FAILED and REFUNDED do not.")
strawberry.enum(enums.TicketChangeKind, description="What has happened to a ticket.")
strawberry.enum(enums.DonationStatus, description="VERIFIED: the money has been seen. Answers never say APPROVED.")
# Another word for the same, which is taken everywhere (decisions 7.1). Answers have the first name of a value.
_DONATION_STATUS: StrawberryEnumDefinition = vars(enums.DonationStatus)["__strawberry_definition__"]
_DONATION_STATUS.values.append(
    EnumValue(
        "APPROVED", enums.DonationStatus.VERIFIED.value, description="The same as `VERIFIED`, accepted as input only."
    )
)
strawberry.enum(enums.PaymentMethod, description="How a payment was made.")
strawberry.enum(enums.MailKind, description="What a mail is about.")
strawberry.enum(enums.MailStatus, description="HELD: written while no mail server was configured.")
strawberry.enum(CheckInOutcome, description="What a scan at the door has come to.")
strawberry.enum(DecisionMode, description="EACH: what can be decided is. ALL: all of them are decided, or none.")
strawberry.enum(AuthMethod, description="How a caller has authenticated.")
strawberry.enum(Scope, description="A permission of an API key; EVERYTHING is the wildcard of admin keys.")
