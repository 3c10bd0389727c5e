"use strict";
/* Mail frames run no script, so the page around them measures their height, and asks the document inside what
   was left out: `data-quotes="folded"` (quoted text) and `data-images="blocked"` on its <html>. */
{
  const TALLEST = 30000;

  const NARROWEST = 0.5;

  /* Mail made for a wider page is made smaller rather than cut off. */
  const shrink = (doc) => {
    const { body } = doc;
    body.style.zoom = "";
    const room = doc.documentElement.clientWidth;
    if (room && body.scrollWidth > room + 1) body.style.zoom = String(Math.max(NARROWEST, room / body.scrollWidth));
  };

  const fit = (frame, doc) => {
    const height = Math.min(Math.ceil(doc.body.getBoundingClientRect().height), TALLEST);
    if (height && Math.abs(height - frame.clientHeight) > 1) frame.style.blockSize = `${height}px`;
  };

  const loaded = (frame) => {
    const doc = frame.contentDocument;
    const message = frame.closest(".message-body");
    const good = doc?.body && doc.documentElement.hasAttribute("data-mail");
    if (doc?.URL === "about:blank") return;
    message.querySelector("[data-frame-problem]").hidden = Boolean(good);
    frame.hidden = !good;
    frame.classList.toggle("ready", Boolean(good));
    if (!good) return;
    doc.documentElement.dataset.theme = document.documentElement.dataset.theme;
    const { quotes, images } = doc.documentElement.dataset;
    const fold = message.querySelector("[data-quotes]");
    fold.hidden = !quotes;
    fold.setAttribute("aria-expanded", String(quotes === "shown"));
    message.querySelector("[data-images-bar]").hidden = images !== "blocked";
    shrink(doc);
    fit(frame, doc);
    let rounds = 0;
    let width = frame.clientWidth;
    const observer = new ResizeObserver(() => {
      if (frame.clientWidth !== width) {
        width = frame.clientWidth;
        rounds = 0;
        shrink(doc);
      }
      /* A mail that is as tall as its frame and a bit would grow for ever. */
      if (rounds++ < 40) fit(frame, doc);
      else observer.disconnect();
    });
    observer.observe(doc.body);
    frame.addEventListener("load", () => observer.disconnect(), { once: true });
  };

  const isFrame = (node) => node instanceof HTMLIFrameElement && node.matches("[data-mail-frame]");

  document.addEventListener("load", (event) => { if (isFrame(event.target)) loaded(event.target); }, true);

  document.addEventListener("click", (event) => {
    const retry = event.target.closest?.("[data-retry-frame]");
    if (!retry) return;
    const frame = retry.closest(".message-body").querySelector("[data-mail-frame]");
    frame.hidden = false;
    frame.src = frame.getAttribute("src");
  });

  document.body.addEventListener("theme", (event) => {
    for (const frame of document.querySelectorAll("iframe.mail-frame.ready")) {
      frame.contentDocument.documentElement.dataset.theme = event.detail.value;
    }
  });

  /* A window that changes its width changes the height of every mail. */
  let timer = 0;
  addEventListener("resize", () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      for (const frame of document.querySelectorAll("iframe.mail-frame.ready")) {
        shrink(frame.contentDocument);
        fit(frame, frame.contentDocument);
      }
    }, 120);
  });

  /* Frames that were loaded before this script ran. */
  for (const frame of document.querySelectorAll("iframe[data-mail-frame]")) {
    if (frame.contentDocument?.readyState === "complete" && frame.contentDocument.URL !== "about:blank") loaded(frame);
  }
}
