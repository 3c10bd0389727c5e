"""Every write is a verb here; every read that a person can reach goes through `queries`."""
