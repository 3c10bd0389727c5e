"""WHO: workspaces, members, sign-in, and the wall between workspaces."""
