// Live progress of a grading: a stream of events while the server has one to give, else polling.
"use strict";

(() => {
  const POLL_MS = 3000;
  const PATIENCE_MS = 4000;
  const box = document.getElementById("live");
  if (!box) return;
  const text = document.getElementById("live-text");
  const bar = document.getElementById("live-bar");
  const away = document.getElementById("live-away");
  const chip = document.querySelector("h1 .chip");
  const done = document.getElementById("live-done");
  let typed = false; // what was typed must not go with a page that loads itself anew
  document.addEventListener("input", () => (typed = true));

  const show = (status) => {
    if (status.final) {
      if (!typed || !done) location.reload();
      else done.hidden = false;
      return;
    }
    away.hidden = true;
    if (text.textContent !== status.text) text.textContent = status.text;
    if (chip) {
      chip.className = `chip ${status.chip.kind}`;
      chip.lastChild.textContent = ` ${status.chip.word}`;
    }
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
      away.hidden = answer.ok;
    } catch {
      away.hidden = false; // the next poll will tell when the server is back
    }
    setTimeout(poll, POLL_MS);
  };

  if (!box.dataset.events) {
    setTimeout(poll, POLL_MS);
    return;
  }
  const stream = new EventSource(box.dataset.events);
  stream.addEventListener("status", (event) => {
    const status = JSON.parse(event.data);
    if (status.final) stream.close();
    show(status);
  });
  // The browser reconnects by itself unless the server refused the stream. A server that only
  // restarts is back within seconds, and nobody need be told.
  let lost = 0;
  stream.addEventListener("open", () => {
    clearTimeout(lost);
    lost = 0;
    away.hidden = true;
  });
  stream.addEventListener("error", () => {
    if (stream.readyState === EventSource.CLOSED) poll();
    else lost ||= setTimeout(() => { away.hidden = false; }, PATIENCE_MS);
  });
})();
