"""`floorhub doctor`: whether a hub of this machine can do its work. Reads, asks and tries; changes nothing."""
