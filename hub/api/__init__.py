"""HTTP: shapes, permissions and the one table from errors to answers. No SQL, no policy."""
