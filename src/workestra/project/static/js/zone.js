"use strict";
/* Tells the server which time zone this browser is in: times are shown in it where the person has not chosen one. */
{
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "";
  const secure = location.protocol === "https:" ? "; Secure" : "";
  if (/^[\w+\-/]{1,64}$/.test(zone)) {
    document.cookie = `zone=${zone}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
  }
}
