"""Who is asking, what they may do, and how much of it: authentication, policy and rate limits."""
