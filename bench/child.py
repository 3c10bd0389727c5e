"""Start one runner in this process and print its Result as the last line.

python -m bench.child bench.peers.bare --feeder URL --database URL --page-size 250 --messages 10000
"""

from __future__ import annotations

import argparse
import importlib


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("module")
    parser.add_argument("--feeder", required=True)
    parser.add_argument("--database", default="")
    parser.add_argument("--page-size", type=int, required=True)
    parser.add_argument("--messages", type=int, required=True)
    given = parser.parse_args()
    runner = importlib.import_module(given.module)
    result = runner.run(
        feeder_url=given.feeder,
        database_url=given.database,
        page_size=given.page_size,
        messages=given.messages,
    )
    print(result.as_json(), flush=True)


if __name__ == "__main__":
    main()
