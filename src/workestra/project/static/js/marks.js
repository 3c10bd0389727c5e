"use strict";
/* Read and unread: an open conversation counts as read after a moment; a button and the key u turn it. The row
   changes at once, and back again where the server refuses; where Outlook does, a toast says why. */
const marks = (() => {
  const DELAY = 1000;
  const headers = { "HX-Request": "true", ...JSON.parse(document.body.getAttribute("hx-headers")) };
  let timer = 0;
  let waits = false;

  const opened = () => document.querySelector("[data-open-thread]");
  const row = (id) => document.getElementById(`row-${id}`);
  const again = (id) => document.body.dispatchEvent(new CustomEvent("live-thread", { detail: { topic: `thread:${id}` } }));

  const mark = async (id, read) => {
    clearTimeout(timer);
    waits = false;
    row(id)?.classList.toggle("unread", !read);
    try {
      const answer = await fetch(`/inbox/t/${id}/read`, {
        method: "POST",
        headers,
        body: new URLSearchParams({ read: read ? "1" : "0" }),
        credentials: "same-origin",
      });
      const away = answer.headers.get("HX-Redirect");
      if (away) location.assign(away);
      if (!answer.ok) throw Object.assign(new Error(`${answer.status}`), { status: answer.status });
    } catch (problem) {
      row(id)?.classList.toggle("unread", read);
      reader.complain(problem.status);
    }
    again(id);
  };

  const toggle = (id) => {
    const here = opened();
    const unread = here?.dataset.openThread === id ? here.hasAttribute("data-unread") : row(id)?.classList.contains("unread");
    mark(id, Boolean(unread));
  };

  const soon = () => {
    clearTimeout(timer);
    const here = opened();
    waits = Boolean(here?.hasAttribute("data-unread"));
    if (!waits || document.hidden) return;
    timer = setTimeout(() => {
      if (opened() === here && here.hasAttribute("data-unread")) mark(here.dataset.openThread, true);
    }, DELAY);
  };

  document.body.addEventListener("reader", soon);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) clearTimeout(timer);
    else if (waits) soon();
  });

  document.addEventListener("submit", (event) => {
    const form = event.target.closest?.("[data-mark]");
    if (!form) return;
    event.preventDefault();
    mark(form.closest("[data-open-thread]").dataset.openThread, form.elements.read.value === "1");
  });

  document.body.addEventListener("live-refused", async (event) => {
    const id = event.detail.topic.split(":")[1];
    const answer = await fetch(`/inbox/t/${id}/refusal`, { headers: { "HX-Request": "true" }, credentials: "same-origin" })
      .catch(() => null);
    const said = answer?.headers.get("HX-Trigger");
    if (said) document.body.dispatchEvent(new CustomEvent("toast", { detail: JSON.parse(said).toast }));
  });

  soon();
  return { toggle };
})();
