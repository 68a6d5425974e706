"""How long others may have to wait while the service is attacked."""

# Other clients have to be answered within this time whatever goes on, in seconds.
PROMPT = 5.0
# When connections that make no progress have to be closed, in seconds.
PATIENCE = 35.0
