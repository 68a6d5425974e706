"""Time limits of the service under attack."""

# Other clients must be answered within this time, in seconds.
PROMPT = 5.0
# Connections that make no progress must be closed within this time, in seconds.
PATIENCE = 35.0
