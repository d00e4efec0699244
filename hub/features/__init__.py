"""What delivery does not need: each folder can be removed with its line in `hub.app`."""
