"""The invariants as functions: each looks at Microsoft's truth, the database or the request log, and returns every
breach in words. None of them changes anything; proofs of every layer use them.
"""
