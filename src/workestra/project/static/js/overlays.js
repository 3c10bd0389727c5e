"use strict";
/* Dialogs, menus, copy buttons, and the theme and density that a menu chose. */
{
  const root = document.documentElement;

  const place = (menu, button) => {
    const gap = 4;
    const anchor = button.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = menu;
    const below = anchor.bottom + gap + height <= innerHeight;
    const top = below ? anchor.bottom + gap : Math.max(gap, anchor.top - gap - height);
    const left = Math.min(Math.max(gap, anchor.right - width), innerWidth - width - gap);
    const start = anchor.left < innerWidth / 2 ? Math.min(Math.max(gap, anchor.left), innerWidth - width - gap) : left;
    Object.assign(menu.style, { position: "fixed", top: `${top}px`, left: `${start}px`, margin: "0" });
  };

  document.addEventListener(
    "toggle",
    (event) => {
      const menu = event.target;
      if (!(menu instanceof HTMLElement) || !menu.matches("[popover]")) return;
      const button = document.querySelector(`[popovertarget="${CSS.escape(menu.id)}"]`);
      const open = event.newState === "open";
      button?.setAttribute("aria-expanded", String(open));
      if (open && button) place(menu, button);
      if (!open) document.body.dispatchEvent(new CustomEvent("overlay-closed"));
    },
    true,
  );

  const openDialog = (dialog) => {
    if (dialog && !dialog.open) dialog.showModal();
  };

  document.addEventListener("click", (event) => {
    const at = event.target.closest?.("[data-opens], [data-closes], [data-copies]");
    if (!at) {
      if (event.target.matches?.("dialog.dialog")) event.target.close();
      return;
    }
    if (at.dataset.opens) {
      at.closest("[popover]")?.hidePopover();
      openDialog(document.getElementById(at.dataset.opens));
    } else if (at.dataset.closes) {
      document.getElementById(at.dataset.closes)?.close();
    } else {
      const source = document.getElementById(at.dataset.copies);
      const text = source?.value ?? source?.textContent ?? "";
      const say = (words, kind) => document.body.dispatchEvent(
        new CustomEvent("toast", { detail: { text: words, kind } }));
      (navigator.clipboard?.writeText(text) ?? Promise.reject()).then(
        () => say(at.dataset.copied, "ok"),
        () => getSelection().selectAllChildren(source), /* no clipboard without https: ready for Ctrl-C */
      );
    }
  });

  document.addEventListener("keydown", (event) => {
    const menu = event.target.closest?.("[popover]");
    if (!menu || !["ArrowDown", "ArrowUp", "Home", "End"].includes(event.key)) return;
    const items = [...menu.querySelectorAll("button, a[href]")];
    const at = items.indexOf(document.activeElement);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    items[(next + items.length) % items.length]?.focus();
    event.preventDefault();
  });

  const press = (form, value) => form.querySelectorAll("[aria-pressed]").forEach((item) => {
    item.setAttribute("aria-pressed", String(item.value === value));
  });

  document.body.addEventListener("theme", (event) => {
    root.dataset.theme = event.detail.value;
    document.querySelectorAll("[data-theme-form]").forEach((form) => press(form, event.detail.value));
  });

  document.body.addEventListener("density", (event) => {
    root.dataset.density = event.detail.value;
    document.querySelectorAll("[data-density-form]").forEach((form) => press(form, event.detail.value));
  });

  /* A row that would be replaced under an open menu waits until the menu is closed. */
  document.body.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target.querySelector?.(":popover-open")) {
      event.detail.shouldSwap = false;
      event.detail.target.dataset.waits = "";
    }
  });

  document.body.addEventListener("overlay-closed", () => {
    document.querySelectorAll("[data-waits]").forEach((target) => {
      delete target.dataset.waits;
      htmx.trigger(target, "refresh");
    });
  });

  document.querySelectorAll("dialog[data-open-now]").forEach(openDialog);
}
