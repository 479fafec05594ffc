"""Plans: queries that are compiled once and executed for all objects of a list at once.

A plan handles what is usual, and gives up with an exception as soon as anything else occurs: an error of any kind, a
null where the schema does not allow it, a response that is too large. The stock engine then executes the operation and
makes its errors. Nothing is loaded twice for that, because the context keeps what has been loaded, errors included.
"""
