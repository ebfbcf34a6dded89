// Live progress of a grading: a stream of events while the server has one to give, else polling.
"use strict";

(() => {
  const POLL_MS = 3000;
  const box = document.getElementById("live");
  if (!box) return;
  const text = document.getElementById("live-text");
  const bar = document.getElementById("live-bar");

  const show = (status) => {
    if (status.final) {
      location.reload();
      return;
    }
    if (text.textContent !== status.text) text.textContent = status.text;
    if (status.total > 0) {
      bar.max = status.total;
      bar.value = status.done;
    } else {
      bar.removeAttribute("value");
    }
  };

  const poll = async () => {
    try {
      const answer = await fetch(box.dataset.progress, { headers: { Accept: "application/json" } });
      if (answer.redirected || answer.status === 404) {
        location.reload(); // logged out meanwhile
        return;
      }
      if (answer.ok) {
        const status = await answer.json();
        show(status);
        if (status.final) return;
      }
    } catch {
      // The server is away for a moment; the next poll will tell.
    }
    setTimeout(poll, POLL_MS);
  };

  const stream = new EventSource(box.dataset.events);
  stream.addEventListener("status", (event) => {
    const status = JSON.parse(event.data);
    if (status.final) stream.close();
    show(status);
  });
  stream.addEventListener("error", () => {
    // The browser reconnects by itself unless the server refused the stream.
    if (stream.readyState === EventSource.CLOSED) poll();
  });
})();
