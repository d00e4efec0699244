"""A bundle for whoever helps: what there is to know about a hub, and no secret."""
