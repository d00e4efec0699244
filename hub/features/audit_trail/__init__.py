"""The audit trail and security events, as people read them: lists, export, verification, erasure."""
