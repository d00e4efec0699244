"""Limits of requests by principal and address, and protection against requests that are sent again."""
