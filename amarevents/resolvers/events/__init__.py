"""Events and what they consist of, organizations and their plans, and statistics."""
