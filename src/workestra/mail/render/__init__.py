"""Hostile HTML -> a page that is safe to show in a frame without scripts (SEC 8).

    text -> scan (tokens) -> shape (balanced, bounded) -> sheets (<style> becomes style="") -> quotes (folded)
         -> polish (pictures, links, colours) -> wall (nh3, the last to touch it) -> document

Parsers of HTML have bad days: some need minutes, others the whole stack, for mail that is nested deep enough.
So the first two steps, which are linear, make the mail small and flat before any of them sees it.
"""

from workestra.mail.render.document import Rendered, safe_document

__all__ = ["Rendered", "safe_document"]
