"""One verb each: I/O in order, no decisions. Flows ask Graph, let rules decide and doors write."""
