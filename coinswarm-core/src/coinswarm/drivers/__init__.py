"""Embedded drivers: the defaults that need no server and no client library."""
