"""Documents that commands name, and what agents upload."""
