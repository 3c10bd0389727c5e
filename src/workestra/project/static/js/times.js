"use strict";
/* Keeps `<time data-relative>` true while a page stays open. The server wrote the first words. */
{
  const format = new Intl.RelativeTimeFormat(document.documentElement.lang || "en", { numeric: "always" });
  const units = [["year", 31536000], ["month", 2592000], ["week", 604800], ["day", 86400], ["hour", 3600], ["minute", 60]];

  const words = (seconds) => {
    for (const [unit, size] of units) {
      if (Math.abs(seconds) >= size) return format.format(Math.trunc(seconds / size), unit);
    }
    return null;
  };

  setInterval(() => {
    for (const time of document.querySelectorAll("time[data-relative]")) {
      const text = words((Date.parse(time.dateTime) - Date.now()) / 1000);
      if (text && time.textContent !== text) time.textContent = text;
    }
  }, 30000);
}
