"""A small IPP/2.0 client (RFC 8010, RFC 8011): what an agent needs to print, to follow a job and to read a printer.

Nothing here knows commands or drivers.
"""
