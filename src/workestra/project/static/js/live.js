"use strict";
/* Live updates: one event stream a browser, shared by its tabs. A topic such as `connection:5` becomes the
   events `live-connection-5` and `live-connection` on the body, which fragments wait for; many equal topics in
   a short time become one event at once and one at the end. */
{
  const body = document.body;
  const url = body.dataset.events;
  const QUIET = 400;
  const waiting = new Map();

  const dispatch = (topic) => {
    const [kind] = topic.split(":");
    const name = topic.replace(/[^A-Za-z0-9]/g, "-");
    body.dispatchEvent(new CustomEvent(`live-${name}`, { detail: { topic } }));
    if (name !== kind) body.dispatchEvent(new CustomEvent(`live-${kind}`, { detail: { topic } }));
  };

  const tell = (topic) => {
    const state = waiting.get(topic);
    if (state) {
      state.again = true;
      return;
    }
    const fresh = { again: false };
    waiting.set(topic, fresh);
    dispatch(topic);
    setTimeout(function settle() {
      if (!fresh.again) {
        waiting.delete(topic);
        return;
      }
      fresh.again = false;
      dispatch(topic);
      setTimeout(settle, QUIET);
    }, QUIET);
  };

  const bar = document.getElementById("offline");
  const online = (yes) => { if (bar) bar.hidden = yes; };

  const start = () => {
    const channel = "BroadcastChannel" in window ? new BroadcastChannel(`live-${body.dataset.person}`) : null;
    let source = null;
    let pause = 1000;
    let lost = false;
    let offlineTimer = 0;
    let retryTimer = 0;

    const share = (message) => {
      receive(message);
      channel?.postMessage(message);
    };

    const receive = (message) => {
      if (message.topic) tell(message.topic);
      if ("online" in message) online(message.online);
    };

    const connect = () => {
      source = new EventSource(url);
      source.onopen = () => {
        clearTimeout(offlineTimer);
        share({ online: true });
        if (lost) share({ topic: "reconnected" });
        else tell("inbox"); /* what came between the page and the stream */
        lost = false;
        pause = 1000;
      };
      source.onmessage = (event) => {
        let topic = "";
        try {
          topic = JSON.parse(event.data).topic;
        } catch {
          return;
        }
        if (typeof topic === "string" && topic) share({ topic });
      };
      source.onerror = () => {
        source.close();
        if (!lost) offlineTimer = setTimeout(() => share({ online: false }), 4000);
        lost = true;
        retryTimer = setTimeout(connect, pause * (0.75 + Math.random() / 2));
        pause = Math.min(pause * 2, 30000);
      };
    };

    /* The network went or came back: an open stream may be dead without knowing it. */
    const anew = () => {
      if (!source) return;
      clearTimeout(retryTimer);
      source.close();
      if (!lost) offlineTimer = setTimeout(() => share({ online: false }), 4000);
      lost = true;
      pause = 1000;
      connect();
    };
    addEventListener("offline", anew);
    addEventListener("online", anew);

    if (channel) channel.onmessage = (event) => receive(event.data);
    if (navigator.locks && channel) {
      navigator.locks.request(`live-${body.dataset.person}`, () => new Promise(connect));
    } else {
      connect();
    }
    addEventListener("pagehide", () => source?.close());
    addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  };

  if (url && "EventSource" in window) start();
}
