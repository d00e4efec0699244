"""The printers that clients report: which there are, and how they are."""
