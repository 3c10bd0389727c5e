"""KEEPS and MOVES mail. Storeys, each using only those below: jobs, hooks, urls > flows > doors > dispatch, intake, render > models."""
