"""The REST API: the routes of the contract, which call operations and contain no business rules."""
