"""What `workestra doctor` looks at, a subject a file. Each finding says what to do."""
