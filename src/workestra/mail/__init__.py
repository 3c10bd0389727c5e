"""KEEPS and MOVES mail.

Its storeys, each using only those below: urls, hooks > jobs > flows > doors > dispatch, intake, render > models.
"""
