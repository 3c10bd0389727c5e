"""`python -m workestra.project.cli`, where the script `workestra` is not on the path."""

from workestra.project.cli import main

main()
