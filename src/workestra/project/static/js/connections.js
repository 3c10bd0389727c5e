"use strict";
/* A dialog that the address opened closes into a clean address, so that a reload does not open it again. */
{
  for (const dialog of document.querySelectorAll("dialog[data-clears]")) {
    dialog.addEventListener("close", () => {
      const url = new URL(location.href);
      url.searchParams.delete(dialog.dataset.clears);
      history.replaceState(history.state, "", url);
    });
  }
  /* Closing it is an answer too: no history. */
  for (const dialog of document.querySelectorAll("dialog[data-skips]")) {
    let sent = false;
    dialog.querySelector("form").addEventListener("submit", () => { sent = true; });
    dialog.addEventListener("close", () => {
      if (!sent) htmx.ajax("POST", dialog.dataset.skips, { source: document.body, swap: "none" });
    });
  }

  /* A mailbox came or went, in another tab or by another member. */
  document.body.addEventListener("live-connections", () => {
    if (!document.querySelector("dialog[open]")) location.reload();
  });

  const wanted = location.hash.startsWith("#connection-") ? document.getElementById(location.hash.slice(1)) : null;
  wanted?.scrollIntoView({ block: "center" });
}
