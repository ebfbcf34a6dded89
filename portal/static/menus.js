// The menus on top: Escape closes an open one and goes back to its name, a click elsewhere closes it.
"use strict";

(() => {
  const open = () => document.querySelectorAll("details.dropdown[open]");

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of open()) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });

  document.addEventListener("click", (event) => {
    for (const menu of open()) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
})();
