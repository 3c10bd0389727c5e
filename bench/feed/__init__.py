"""The page feeder's parts: a seeded mailbox, its pages, and the answers in the shape of Microsoft Graph."""
