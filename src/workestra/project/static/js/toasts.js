"use strict";
/* Toasts: from the server (HX-Trigger {"toast": {text, kind}}), from failed requests, and those in the page. */
{
  const region = document.getElementById("toasts");
  const LIFE = 6000;
  const LIFE_OF_ERRORS = 15000;

  const live = (toast) => {
    let timer = 0;
    const stop = () => clearTimeout(timer);
    const start = () => {
      stop();
      timer = setTimeout(() => toast.remove(), toast.classList.contains("err") ? LIFE_OF_ERRORS : LIFE);
    };
    const close = document.createElement("button");
    close.type = "button";
    close.className = "button ghost only-icon toast-close";
    close.setAttribute("aria-label", region.dataset.close);
    close.textContent = "×";
    close.addEventListener("click", () => toast.remove());
    toast.append(close);
    toast.addEventListener("mouseenter", stop);
    toast.addEventListener("mouseleave", start);
    toast.addEventListener("focusin", stop);
    toast.addEventListener("focusout", start);
    start();
  };

  const show = ({ text, kind = "" }) => {
    if (!text) return;
    const toast = document.createElement("div");
    toast.className = `toast ${kind}`;
    const words = document.createElement("p");
    words.textContent = text;
    toast.append(words);
    region.append(toast);
    live(toast);
  };

  if (region) {
    region.querySelectorAll("[data-toast]").forEach(live);
    document.body.addEventListener("toast", (event) => show(event.detail));
    document.body.addEventListener("htmx:responseError", (event) => {
      const status = event.detail.xhr.status;
      const words = status === 404 ? "missing" : status < 500 ? "refused" : "broken";
      show({ text: region.dataset[words], kind: "err" });
    });
    document.body.addEventListener("htmx:sendError", (event) => {
      const verb = event.detail.requestConfig?.verb;
      if (verb && verb !== "get") show({ text: region.dataset.offline, kind: "err" });
    });
  }
}
