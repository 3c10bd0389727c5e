"use strict";
/* The list: new mail comes in at the top when the top is in view, else it waits behind "3 new"; rows that are
   there change in place. And the keys. */
{
  const feed = document.getElementById("feed");
  const arrivals = document.getElementById("arrivals");
  const button = document.getElementById("show-arrivals");
  const news = document.getElementById("feed-news");
  let fresh = null;
  let loading = false;
  let again = false;

  /* Nothing is replaced between the press and the release of a pointer: the click would be lost. */
  let released = Promise.resolve();
  feed.addEventListener("pointerdown", () => {
    released = new Promise((done) => {
      for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => setTimeout(done), { once: true });
    });
  });

  const links = () => [...feed.querySelectorAll("a[data-thread]")];
  const words = (n) => (n === 1 ? button.dataset.one : button.dataset.many.replace("{n}", String(n)));

  const replaceRow = (mine, row) => {
    const focused = mine.contains(document.activeElement);
    const selected = mine.querySelector("a").getAttribute("aria-current");
    mine.replaceWith(row);
    if (selected) row.querySelector("a").setAttribute("aria-current", selected);
    if (focused) row.querySelector("a").focus({ preventScroll: true });
  };

  /* In the list of unread mail the open conversation keeps its row after it was read. */
  const keep = (row, after) => {
    const next = after.map((id) => document.getElementById(`row-${id}`)).find(Boolean);
    if (next) next.before(row);
    else [...feed.querySelectorAll(".rows")].at(-1)?.append(row);
  };

  const showAll = () => {
    if (!fresh) return;
    const focused = document.activeElement?.closest?.("[data-thread]")?.dataset.thread;
    const open = reader.current();
    const order = links().map((link) => link.dataset.thread);
    const mine = open && document.getElementById(`row-${open}`);
    feed.replaceChildren(fresh);
    if (mine && feed.dataset.query.includes("f=unread") && !document.getElementById(mine.id)) keep(mine, order.slice(order.indexOf(open) + 1));
    fresh = null;
    arrivals.hidden = true;
    htmx.process(feed);
    if (open) feed.querySelector(`a[data-thread="${open}"]`)?.setAttribute("aria-current", "true");
    if (focused) feed.querySelector(`a[data-thread="${focused}"]`)?.focus({ preventScroll: true });
  };

  const refresh = async () => {
    if (loading) {
      again = true;
      return;
    }
    loading = true;
    try {
      const content = await reader.get(feed.dataset.url);
      await released;
      const rows = [...content.querySelectorAll(".row")];
      const arrived = rows.filter((row) => document.getElementById(row.id)?.dataset.version !== row.dataset.version);
      const gone = !rows.length !== !links().length;
      const deep = feed.querySelectorAll(".row").length > rows.length;
      if (feed.scrollTop < 24 && (!deep || arrived.length)) {
        fresh = content;
        showAll();
        if (arrived.length) news.textContent = words(arrived.length);
      } else {
        for (const row of rows) {
          const mine = document.getElementById(row.id);
          if (mine && mine.dataset.version === row.dataset.version) replaceRow(mine, row.cloneNode(true));
        }
        if (arrived.length || gone) {
          fresh = content;
          button.querySelector("span").textContent = words(arrived.length);
          arrivals.hidden = !arrived.length;
          news.textContent = words(arrived.length);
        }
      }
    } catch {
      /* The next topic, or the stream's return, tries again. */
    } finally {
      loading = false;
      if (again) {
        again = false;
        refresh();
      }
    }
  };

  const refreshRow = async (id) => {
    const mine = document.getElementById(`row-${id}`);
    if (!mine) return;
    try {
      const row = (await reader.get(`/inbox/row/${id}${feed.dataset.query}`)).querySelector(".row");
      await released;
      const now = document.getElementById(`row-${id}`);
      if (row && now && row.dataset.version === now.dataset.version) replaceRow(now, row);
    } catch {
      /* It left the list; the list itself will say so. */
    }
  };

  document.body.addEventListener("live-inbox", refresh);
  document.body.addEventListener("live-reconnected", refresh);
  document.body.addEventListener("live-thread", (event) => refreshRow(event.detail.topic.split(":")[1]));
  button.addEventListener("click", () => {
    showAll();
    feed.scrollTop = 0;
    links()[0]?.focus({ preventScroll: true });
  });

  document.querySelector("[data-account-form] select")?.addEventListener("change", (event) => {
    const form = event.target.form;
    location.assign(`${form.action}?f=emails${event.target.value ? `&account=${event.target.value}` : ""}`);
  });

  /* Keys */
  const KEY = "single-key-shortcuts";
  const toggle = document.getElementById("shortcuts-on");
  const allowed = () => localStorage.getItem(KEY) !== "off";
  toggle.checked = allowed();
  toggle.addEventListener("change", () => localStorage.setItem(KEY, toggle.checked ? "on" : "off"));

  const step = (by) => {
    const all = links();
    const at = all.indexOf(document.activeElement);
    const from = at >= 0 ? at : all.findIndex((link) => link.hasAttribute("aria-current"));
    const next = all[Math.min(Math.max(from + by, 0), all.length - 1)];
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
    if (all.indexOf(next) >= all.length - 3) htmx.trigger(feed.querySelector(".more") ?? document.body, "intersect");
    return next;
  };

  let pending = "";
  const typing = (target) => target.closest?.("input, textarea, select, [contenteditable], dialog, [popover]");

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    const inList = feed.contains(document.activeElement);
    const key = event.key;
    if (key === "Escape" && reader.current()) reader.close();
    else if (inList && key === "ArrowDown") step(1);
    else if (inList && key === "ArrowUp") step(-1);
    else if (!allowed()) return;
    else if (pending === "g" && key === "i") location.assign("/inbox");
    else if (pending === "g" && key === "s") location.assign("/settings/integrations");
    else if (key === "j") step(1);
    else if (key === "k") step(-1);
    else if (key === "u" && (inList || reader.current())) marks.toggle(inList ? document.activeElement.dataset.thread : reader.current());
    else if (key === "o" && inList) document.activeElement.click();
    else if ((key === "[" || key === "]") && reader.current()) {
      const all = links();
      const at = all.findIndex((link) => link.dataset.thread === reader.current());
      const next = all[at + (key === "]" ? 1 : -1)];
      if (next) reader.open(next.getAttribute("href"));
      next?.scrollIntoView({ block: "nearest" });
    } else if (key === "?") document.getElementById("shortcuts").showModal();
    else {
      pending = key === "g" ? "g" : "";
      return;
    }
    pending = "";
    event.preventDefault();
  });
}
