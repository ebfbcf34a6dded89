// The upload form: drop files, see which of them will be taken, send once.
// Without this script the form works as a plain file picker.
"use strict";

(() => {
  const OPENED_BY_US = [".zip", ".ipynb"];

  const baseName = (path) => path.split(/[\\/]/).pop();
  const size = (bytes) =>
    bytes < 1000 ? `${bytes} bytes` : bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} KB` : `${(bytes / 1e6).toFixed(1)} MB`;

  // Say what will become of each chosen file, and what is still missing.
  const judge = (files, wanted, limitMb) => {
    const wantedNames = new Map(wanted.map((path) => [baseName(path), path]));
    const seen = new Map();
    const lines = [];
    for (const file of files) {
      const name = baseName(file.name);
      const about = `${file.name} (${size(file.size)})`;
      if (limitMb && file.size > limitMb * 1e6) {
        lines.push(["bad", "too large", `${about}: this lab takes at most ${limitMb} MB`]);
      } else if (file.size === 0) {
        lines.push(["bad", "empty", `${about}: save your work first`]);
      } else if (OPENED_BY_US.some((ending) => name.toLowerCase().endsWith(ending))) {
        lines.push(["info", "will be opened", `${about}: what it holds is shown after you send it`]);
      } else if (!wantedNames.has(name)) {
        lines.push(["idle", "not graded", `${about}: this lab does not ask for it`]);
      } else if (seen.has(name)) {
        lines.push(["bad", "twice", `${about}: you chose two files of this name`]);
      } else {
        seen.set(name, true);
        lines.push(["good", "will be graded", `${about} as ${wantedNames.get(name)}`]);
      }
    }
    const opened = lines.some(([kind]) => kind === "info");
    for (const [name, path] of wantedNames) {
      if (!opened && !seen.has(name)) lines.push(["warn", "not chosen", `${path} is asked for`]);
    }
    return lines;
  };

  const SYMBOLS = { good: "✓", bad: "✗", warn: "!", info: "→", idle: "○" };

  const row = ([kind, word, text]) => {
    const item = document.createElement("li");
    const chip = document.createElement("span");
    const symbol = document.createElement("span");
    chip.className = `chip ${kind}`;
    symbol.ariaHidden = "true";
    symbol.textContent = SYMBOLS[kind];
    chip.append(symbol, ` ${word}`);
    item.append(chip, text);
    return item;
  };

  const setUp = (form) => {
    const input = form.querySelector("input[type=file]");
    const drop = form.querySelector(".drop");
    const preview = form.querySelector(".upload-preview");
    const button = form.querySelector("button[type=submit]");
    const wanted = JSON.parse(form.dataset.files);
    const limitMb = Number(form.dataset.limitMb);

    const show = () => {
      const files = [...input.files];
      preview.hidden = files.length === 0;
      preview.querySelector("ul").replaceChildren(...judge(files, wanted, limitMb).map(row));
    };

    input.addEventListener("change", show);
    for (const kind of ["dragenter", "dragover"]) {
      drop.addEventListener(kind, (event) => {
        event.preventDefault();
        drop.classList.add("over");
      });
    }
    drop.addEventListener("dragleave", () => drop.classList.remove("over"));
    drop.addEventListener("drop", (event) => {
      event.preventDefault();
      drop.classList.remove("over");
      if (event.dataTransfer.files.length) {
        input.files = event.dataTransfer.files;
        show();
      }
    });
    form.addEventListener("submit", () => {
      // After the browser has gathered the form's data: a disabled button must not stop it.
      setTimeout(() => {
        button.disabled = true;
        button.ariaBusy = "true";
        button.textContent = "Sending…";
      });
    });
    // Coming back by the browser's back button: the page is as it was left, ready again.
    window.addEventListener("pageshow", () => {
      button.disabled = false;
      button.ariaBusy = "false";
      button.textContent = "Submit for grading";
      show();
    });
  };

  document.querySelectorAll("form.upload").forEach(setUp);
})();
