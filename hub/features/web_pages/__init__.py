"""The pages for people, served as they were built."""
