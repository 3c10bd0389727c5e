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
  /* A mailbox came or went, in another tab or by another member. */
  document.body.addEventListener("live-connections", () => {
    if (!document.querySelector("dialog[open]")) location.reload();
  });

  const wanted = location.hash.startsWith("#connection-") ? document.getElementById(location.hash.slice(1)) : null;
  wanted?.scrollIntoView({ block: "center" });
}
