"""The peers: the same mailbox without storing anything, and as one writes it with two known clients."""
