"""The action `print`: IPP, raw socket, folder."""
