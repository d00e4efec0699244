"""What people start: command line, everything on one machine, conformance, simulator."""
