"""Samples to medians to words."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any


def medians(samples: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """One record per (mode, page size, runner): median, least and greatest seconds, the worst counts."""
    groups: dict[tuple[str, int, str], list[dict[str, Any]]] = {}
    for one in samples:
        groups.setdefault((one["mode"], one["page_size"], one["runner"]), []).append(one)
    made = []
    for (mode, size, runner), group in groups.items():
        seconds = [one["seconds"] for one in group]
        middle = statistics.median(seconds)
        made.append(
            {
                "mode": mode,
                "page_size": size,
                "runner": runner,
                "messages": group[0]["messages"],
                "seconds": middle,
                "least": min(seconds),
                "greatest": max(seconds),
                "per_second": group[0]["messages"] / middle,
                "max_in_flight": max(one["max_in_flight"] for one in group),
                "throttled": max(one["throttled"] for one in group),
            }
        )
    return made


def line(sample: dict[str, Any]) -> str:
    """Progress: one sample."""
    return (
        f"  {sample['mode']:8} {sample['runner']:8} page {sample['page_size']:<5} {sample['seconds']:8.2f} s   "
        f"{sample['requests']} requests, {sample['megabytes']:.0f} MB, in flight {sample['max_in_flight']}, "
        f"429s {sample['throttled']}" + (f", refused {sample['refused']}" if sample["refused"] else "")
    )


def table(records: Sequence[dict[str, Any]]) -> str:
    """A table a mode; the last columns say how many times as fast a row is as each runner, by messages
    a second: as its row of the same page size where there is one, else as its best.
    """
    text = []
    for mode in dict.fromkeys(one["mode"] for one in records):
        rows = [one for one in records if one["mode"] == mode]
        names = list(dict.fromkeys(one["runner"] for one in rows))
        title = "150 ms a request, 1 ms a message, four slots" if mode == "latency" else "no latency, four slots"
        text.append(f"\n{title}\n")
        columns = "".join(f"{'x ' + name:>10}" for name in names)
        text.append(
            f"{'runner':10}{'page':>6}{'messages':>10}{'seconds':>9}{'min-max':>15}{'msg/s':>8}{'429s':>6}{columns}"
        )
        for one in rows:
            spread = f"{one['least']:.2f}-{one['greatest']:.2f}"
            ratios = "".join(f"{one['per_second'] / _pace(rows, name, one['page_size']):>10.2f}" for name in names)
            text.append(
                f"{one['runner']:10}{one['page_size']:>6}{one['messages']:>10}{one['seconds']:>9.2f}{spread:>15}"
                f"{one['per_second']:>8.0f}{one['throttled']:>6}{ratios}"
            )
    return "\n".join(text)


def _pace(rows: Sequence[dict[str, Any]], runner: str, size: int) -> float:
    """Messages a second of a runner with these pages, or at its best."""
    own = [one for one in rows if one["runner"] == runner]
    same = [one["per_second"] for one in own if one["page_size"] == size]
    return max(same or [one["per_second"] for one in own])
