"""HTTP from the hub to other systems."""
