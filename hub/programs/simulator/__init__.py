"""A fleet of simulated clients with planned faults: what integrators run against a hub in their own CI."""
