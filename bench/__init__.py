"""Side-by-side measurements: how fast a mailbox reaches the database, against peers (README.md)."""
