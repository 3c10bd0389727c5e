"use strict";
/* The reader: opens a thread beside the list without leaving the page, keeps the address true, and takes in
   what changes while somebody reads, without moving it under their eyes. */
const reader = (() => {
  const pane = document.getElementById("reader");
  const inbox = document.querySelector("[data-inbox]");
  const empty = document.getElementById("nothing-open");
  const site = document.title.slice(document.title.lastIndexOf(" · "));
  let asked = 0;

  const shown = () => pane.querySelector("[data-open-thread]");
  const current = () => shown()?.dataset.openThread ?? null;

  const mark = (id) => {
    for (const link of document.querySelectorAll("#feed a[data-thread]")) {
      if (link.dataset.thread === id) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  };

  const parse = (html) => {
    const box = document.createElement("template");
    box.innerHTML = html;
    return box.content;
  };

  const get = async (url) => {
    const answer = await fetch(url, { headers: { "HX-Request": "true" }, credentials: "same-origin" });
    const away = answer.headers.get("HX-Redirect");
    if (away) location.assign(away);
    if (!answer.ok || away) throw Object.assign(new Error(`${answer.status}`), { status: answer.status });
    return parse(await answer.text());
  };

  const complain = (status) => document.body.dispatchEvent(
    status
      ? new CustomEvent("htmx:responseError", { detail: { xhr: { status } } })
      : new CustomEvent("htmx:sendError", { detail: { requestConfig: { verb: "open" } } }));

  const title = () => {
    document.title = (shown() ? document.getElementById("thread-subject").textContent : inbox.dataset.title.split(" · ")[0]) + site;
  };

  /* Whoever marks as read wants to know that a conversation was opened, or that mail was added to it. */
  const tell = (opened) => document.body.dispatchEvent(new CustomEvent("reader", { detail: { opened } }));

  /* Replace a part in place; what had the focus in it keeps it. */
  const swap = (mine, next) => {
    const focused = mine.contains(document.activeElement);
    mine.replaceWith(next);
    if (focused) (next.matches("summary") ? next : next.querySelector("button, a[href]"))?.focus({ preventScroll: true });
  };

  const open = async (url, { push = true } = {}) => {
    const ticket = ++asked;
    pane.setAttribute("aria-busy", "true");
    try {
      const content = await get(url);
      if (ticket !== asked) return;
      pane.replaceChildren(content);
      pane.scrollTop = 0;
      htmx.process(pane);
      const at = shown()?.dataset.url ?? url; /* what was merged answers with what it is part of */
      if (push) history.pushState({ reader: at }, "", at);
      else if (at !== url) history.replaceState({ reader: at }, "", at);
      mark(current());
      title();
      document.getElementById("thread-subject")?.focus({ preventScroll: true });
      tell(true);
    } catch (problem) {
      if (ticket === asked) complain(problem.status);
    } finally {
      if (ticket === asked) pane.removeAttribute("aria-busy");
    }
  };

  const close = ({ push = true } = {}) => {
    if (!shown()) return;
    const id = current();
    asked += 1;
    pane.removeAttribute("aria-busy");
    pane.replaceChildren(empty.content.cloneNode(true));
    mark(null);
    title();
    if (push) history.pushState({ reader: "" }, "", document.getElementById("feed").dataset.url);
    document.querySelector(`#feed a[data-thread="${id}"]`)?.focus({ preventScroll: true });
  };

  const refresh = async () => {
    const here = shown();
    if (!here) return;
    const ticket = asked;
    let fresh;
    try {
      fresh = (await get(here.dataset.url)).querySelector("[data-open-thread]");
    } catch {
      return;
    }
    if (ticket !== asked || !fresh) return;
    const stack = here.querySelector(".messages");
    here.toggleAttribute("data-unread", fresh.hasAttribute("data-unread"));
    for (const part of [".thread-meta", ".thread-tools", ".thread-notes"]) {
      const [mine, next] = [here.querySelector(part), fresh.querySelector(part)];
      if (!mine.querySelector(":popover-open") && mine.outerHTML !== next.outerHTML) swap(mine, next);
    }
    let before = null;
    let added = false;
    for (const message of [...fresh.querySelectorAll(".message")]) {
      const mine = document.getElementById(message.id);
      if (!mine) {
        if (before) before.after(message);
        else stack.prepend(message);
        before = message;
        added = true;
        continue;
      }
      if (mine.dataset.version !== message.dataset.version) {
        mine.dataset.version = message.dataset.version;
        for (const part of [".message-head", ".message-details"]) {
          const folded = mine.querySelector(part);
          const next = message.querySelector(part);
          next.open = folded.open;
          swap(folded, next);
        }
      }
      before = mine;
    }
    htmx.process(stack);
    if (added) tell(false);
  };

  addEventListener("popstate", () => {
    const at = location.pathname + location.search;
    if (/\/t\/\d+$/.test(location.pathname)) open(at, { push: false });
    else if (at === document.getElementById("feed").dataset.url) close({ push: false });
    else location.reload();
  });

  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const row = event.target.closest?.("a[data-thread]");
    if (row) {
      event.preventDefault();
      open(row.getAttribute("href"));
    } else if (event.target.closest?.("[data-back]")) {
      event.preventDefault();
      close();
    }
  });

  /* Split or merged: the answer names the conversation to show. */
  document.body.addEventListener("conversation", (event) => open(event.detail.url));
  document.body.addEventListener("live-merged", (event) => {
    if (event.detail.topic === `merged:${current()}`) open(shown().dataset.url, { push: false });
  });

  document.body.addEventListener("live-thread", (event) => {
    if (event.detail.topic === `thread:${current()}`) refresh();
  });
  document.body.addEventListener("live-reconnected", refresh);

  return { open, close, current, parse, get, complain };
})();
