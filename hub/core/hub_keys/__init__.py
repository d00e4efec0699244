"""Which signing keys are the hub's: the database knows their public halves, and every process of the hub has these."""
