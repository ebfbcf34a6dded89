// Beside a time of the course, what the reader's own clock shows then, if it shows another hour.
"use strict";

(() => {
  const words = document.currentScript.dataset.words;
  const hour = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  const day = { weekday: "short", day: "numeric", month: "short" };
  const write = (instant, how) => new Intl.DateTimeFormat(document.documentElement.lang, how).format(instant);
  for (const time of document.querySelectorAll("time[data-offset]")) {
    const instant = new Date(time.dateTime);
    if (-instant.getTimezoneOffset() === Number(time.dataset.offset)) continue;
    const there = new Date(instant.getTime() + Number(time.dataset.offset) * 60000);
    const how = there.getUTCDate() === instant.getDate() ? hour : { ...day, ...hour };
    const own = document.createElement("small");
    own.className = "own-time";
    own.textContent = ` · ${words.replace("{when}", write(instant, how))}`;
    time.append(own);
  }
})();
