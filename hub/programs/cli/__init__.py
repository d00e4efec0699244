"""The program `floorhub`. Administration goes through the HTTP API, so that rules and audit are the same for all."""
