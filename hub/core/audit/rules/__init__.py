"""What a row and a seal say, and whether a chain holds. Pure."""
