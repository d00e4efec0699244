"""A command's life: submit, dispatch, reports, deadlines."""
