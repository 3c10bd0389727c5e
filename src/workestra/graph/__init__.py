"""Speaks to Microsoft: Graph and the sign-in service, over HTTP, asynchronously.

Every call is one request that ends in a typed struct or in one of the errors of `errors`. The package knows
no settings, no database and no clock of its own; a caller hands it an HTTP client and a source of tokens.
"""
