// The upload form: drop files, see which of them will be taken, send once.
// Without this script the form works as a plain file picker.
"use strict";

(() => {
  // Put values into the {places} of a sentence, which the page brings in its reader's language.
  const say = (sentence, values) => sentence.replace(/\{(\w+)\}/g, (_, name) => values[name]);

  const size = (bytes, words) =>
    bytes < 1000 ? say(words.bytes, { size: bytes }) : bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} KB` : `${(bytes / 1e6).toFixed(1)} MB`;

  // What fits into a form beside the names: all files, so that the server can tell whether they are
  // an attempt already, or at least tables and reports. Others are judged when they are sent.
  const small = (files) => {
    let left = 900e3;
    if (files.reduce((sum, file) => sum + file.size, 0) < left) return files;
    return files.filter((file) => /\.(csv|md|txt)$/i.test(file.name) && (left -= file.size) > 0);
  };

  // Ask the server, whose intake has the rules, what will become of these files.
  const ask = async (form, files) => {
    const body = new FormData();
    body.append("csrf_token", form.elements.csrf_token.value);
    files.forEach((file) => body.append("names", file.name));
    small(files).forEach((file) => body.append("contents", file, file.name));
    const answer = await fetch(form.dataset.preview, { method: "POST", body });
    if (!answer.ok || answer.redirected) throw new Error(`preview: ${answer.status}`);
    return answer.json();
  };

  // What can be said about sizes, which the server has not seen yet.
  const judgeSizes = (files, limitMb, words) =>
    files.flatMap((file) => {
      const about = `${file.name} (${size(file.size, words)})`;
      if (file.size === 0) return [["bad", words.empty, say(words.saveFirst, { file: about })]];
      if (limitMb && file.size > limitMb * 1e6) {
        return [["bad", words.tooLarge, say(words.atMost, { file: about, limit: limitMb })]];
      }
      return [];
    });

  const judgeNames = (preview, words) => [
    ...preview.taken.map(([file, path]) => ["good", words.graded, file === path ? file : say(words.under, { file, path })]),
    ...preview.opened.map((file) => ["info", words.opened, say(words.shownLater, { file })]),
    ...preview.missing.map((file) => ["warn", words.missing, say(words.askedFor, { file })]),
    ...preview.problems.map((text) => ["bad", words.problem, text]),
    ...preview.notices.map((text) => ["warn", words.lookAgain, text]),
    ...preview.ignored.map((file) => ["idle", words.ignored, say(words.notAskedFor, { file })]),
    ...(preview.same ? [["warn", words.same, `${preview.same.text} `, [words.sameResult, preview.same.url]]] : []),
  ];

  const SYMBOLS = { good: "✓", bad: "✗", warn: "!", info: "→", idle: "○" };

  const linkTo = ([text, address]) => {
    const link = document.createElement("a");
    link.href = address;
    link.textContent = text;
    return link;
  };

  const row = ([kind, word, text, link]) => {
    const item = document.createElement("li");
    const chip = document.createElement("span");
    const symbol = document.createElement("span");
    chip.className = `chip ${kind}`;
    symbol.ariaHidden = "true";
    symbol.textContent = SYMBOLS[kind];
    chip.append(symbol, ` ${word}`);
    item.append(chip, text);
    if (link) item.append(linkTo(link));
    return item;
  };

  const setUp = (form) => {
    const input = form.querySelector("input[type=file]");
    const drop = form.querySelector(".drop");
    const preview = form.querySelector(".upload-preview");
    const again = form.elements.again;
    const waits = form.querySelector(".waits");
    const button = form.querySelector("button[type=submit]");
    const limitMb = Number(form.dataset.limitMb);
    const words = JSON.parse(form.dataset.words);
    let shown = 0;
    let released = Promise.resolve();

    const show = async () => {
      const turn = ++shown;
      const files = [...input.files];
      const lines = judgeSizes(files, limitMb, words);
      let told = null;
      try {
        if (files.length) lines.push(...judgeNames((told = await ask(form, files)), words));
      } catch {
        // Without an answer the upload itself will say it: only the preview is lost.
        lines.push(...files.map((file) => ["info", words.chosen, `${file.name} (${size(file.size, words)})`]));
      }
      await released;
      if (turn !== shown) return; // other files were chosen meanwhile
      preview.hidden = files.length === 0;
      preview.querySelector("ul").replaceChildren(...lines.map(row));
      askAgain(Boolean(told?.same));
      wait(told?.missing ?? []);
    };

    // Without a file that is asked for the upload would be rejected: say which, instead.
    const wait = (missing) => {
      button.disabled = missing.length > 0;
      waits.hidden = missing.length === 0;
      waits.textContent = say(words.waits, { files: missing.join(", ") });
    };

    // The same files once more only if their sender says so, about these files and no others.
    const askAgain = (wanted) => {
      again.checked = false;
      again.required = wanted;
      again.closest("label").hidden = !wanted;
    };

    // The preview moves the button down. Between a press and its release that would lose the click.
    button.addEventListener("pointerdown", () => {
      released = new Promise((resolve) => {
        for (const end of ["pointerup", "pointercancel"]) {
          window.addEventListener(end, () => setTimeout(resolve), { once: true });
        }
      });
    });
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
        button.textContent = words.sending;
      });
    });
    // Coming back by the browser's back button: the page is as it was left, ready again.
    window.addEventListener("pageshow", () => {
      button.disabled = false;
      button.ariaBusy = "false";
      button.textContent = words.submit;
      show();
    });
  };

  document.querySelectorAll("form.upload").forEach(setUp);
})();
