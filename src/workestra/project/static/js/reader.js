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

  const open = async (url, { push = true } = {}) => {
    const ticket = ++asked;
    pane.setAttribute("aria-busy", "true");
    try {
      const content = await get(url);
      if (ticket !== asked) return;
      pane.replaceChildren(content);
      pane.scrollTop = 0;
      htmx.process(pane);
      if (push) history.pushState({ reader: url }, "", url);
      mark(current());
      title();
      document.getElementById("thread-subject")?.focus({ preventScroll: true });
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
    here.querySelector(".thread-meta").replaceWith(fresh.querySelector(".thread-meta"));
    let before = null;
    for (const message of [...fresh.querySelectorAll(".message")]) {
      const mine = document.getElementById(message.id);
      if (!mine) {
        if (before) before.after(message);
        else stack.prepend(message);
        before = message;
        continue;
      }
      if (mine.dataset.version !== message.dataset.version) {
        mine.dataset.version = message.dataset.version;
        for (const part of [".message-head", ".message-details"]) {
          const folded = mine.querySelector(part);
          const next = message.querySelector(part);
          next.open = folded.open;
          folded.replaceWith(next);
        }
      }
      before = mine;
    }
    htmx.process(stack);
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

  document.body.addEventListener("live-thread", (event) => {
    if (event.detail.topic === `thread:${current()}`) refresh();
  });
  document.body.addEventListener("live-reconnected", refresh);

  return { open, close, current, parse, get };
})();
