"""The page `/trust`: the authority that vouches for this hub, and how to install it."""
