// Marking by keyboard: digits tick criteria, their sum follows, kept comments go where one types.
"use strict";

(() => {
  const forms = [...document.querySelectorAll("form.mark")];
  const boxes = (form) => [...form.querySelectorAll('input[name="ticked"]')];

  const count = (form) => {
    const output = form.querySelector("output");
    if (!output) return;
    const cents = boxes(form)
      .filter((box) => box.checked)
      .reduce((sum, box) => sum + Math.round(100 * Number(box.dataset.points)), 0);
    const most = Math.round(100 * Number(form.dataset.most));
    output.textContent = String(Math.max(0, Math.min(cents, most)) / 100);
  };

  for (const form of forms) {
    form.addEventListener("change", (event) => {
      count(form);
      const { target } = event;
      if (target.name !== "kept" || !target.value) return;
      const text = form.elements.comment;
      text.value = [text.value.trimEnd(), target.selectedOptions[0].dataset.text].filter(Boolean).join("\n");
      target.value = ""; // it stands in the comment now
      text.focus();
    });
  }

  // A click on a line brings the file's form below it; the form says the number all the same.
  for (const lines of document.querySelectorAll("ol.code[data-path]")) {
    const form = lines.parentElement.querySelector("form.line-form");
    if (!form) continue;
    lines.classList.add("clickable");
    lines.addEventListener("click", (event) => {
      const line = event.target.closest("li");
      const busy = event.target.closest(".line-comment, form") || !getSelection().isCollapsed;
      if (!line || busy) return;
      form.elements.line.value = line.value;
      line.append(form);
      form.elements.text.focus();
    });
  }

  document.addEventListener("keydown", (event) => {
    const { target } = event;
    const typing = target.matches("textarea, select, input:not([type=checkbox])");
    if (typing || event.ctrlKey || event.metaKey || event.altKey || !/^[1-9]$/.test(event.key)) return;
    const form = target.closest("form.mark") || forms.find((one) => boxes(one).length);
    const box = form && boxes(form)[Number(event.key) - 1];
    if (!box) return;
    event.preventDefault();
    box.click();
    box.focus();
  });
})();
