"use strict";
// The item viewer. Everything shown comes through textContent: what a model said is text, whatever it looks like.
(() => {
  const byId = (id) => document.getElementById(id);
  const root = document.documentElement;
  const theme = byId("theme");
  theme.hidden = false;
  theme.addEventListener("click", () => {
    const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    root.dataset.theme = (root.dataset.theme || system) === "dark" ? "light" : "dark";
  });

  if (!byId("filters")) return;
  const data = JSON.parse(byId("data").textContent);
  const words = data.words;
  const STATES = ["any", "right", "wrong", "truncated", "empty", "unparsable"];
  const PAGE = 20;
  const items = data.tasks.flatMap((task, number) => task.items.map((item) => ({ task: number, item, text: null })));
  let found = items;
  let page = 0;

  function element(name, text, className) {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (className) made.className = className;
    return made;
  }

  function fill(id, texts, chosen) {
    const select = byId(id);
    texts.forEach(([value, text]) => {
      const option = element("option", text);
      option.value = value;
      select.append(option);
    });
    select.value = String(chosen);
  }

  function mark(entry, answer) {
    if (answer[2] === null || !data.tasks[entry.task].marks) return null;
    return answer[2] === 1 ? "right" : "wrong";
  }

  function fits(entry, model, state) {
    if (state === "any") return true;
    const answer = entry.item[3][model];
    if (!answer) return false;
    const bit = ["truncated", "empty", "unparsable"].indexOf(state);
    return bit < 0 ? mark(entry, answer) === state : (answer[3] & (1 << bit)) !== 0;
  }

  function textOf(entry) {
    if (entry.text === null) {
      const [doc, prompt, target, answers] = entry.item;
      const said = answers.flatMap((answer) => (answer ? [answer[0], ...answer[1]] : []));
      entry.text = [data.tasks[entry.task].name + " #" + doc, prompt, target, ...said].join("\n").toLowerCase();
    }
    return entry.text;
  }

  function value(id) {
    return byId(id).value;
  }

  function filter() {
    const task = value("task");
    const search = value("search").trim().toLowerCase();
    found = items.filter(
      (entry) =>
        (task === "" || entry.task === Number(task)) &&
        fits(entry, Number(value("model-a")), value("state-a")) &&
        fits(entry, Number(value("model-b")), value("state-b")) &&
        (search === "" || textOf(entry).includes(search))
    );
    page = 0;
    show();
  }

  function labelled(parent, label, text) {
    parent.append(element("p", label), element("div", text, "text"));
  }

  function answerBox(entry, model) {
    const answer = entry.item[3][model];
    const box = element("div", undefined, "answer");
    box.append(element("h4", data.models[model]));
    if (!answer) {
      box.append(element("p", words.not_asked));
      return box;
    }
    const judged = mark(entry, answer);
    if (judged) box.classList.add(judged);
    const facts = [];
    if (judged) facts.push((judged === "right" ? "✓ " : "✗ ") + words[judged]);
    if (answer[2] !== null && (!judged || (answer[2] > 0 && answer[2] < 1))) facts.push(words.score + " " + answer[2]);
    ["truncated", "empty", "unparsable"].forEach((name, bit) => {
      if (answer[3] & (1 << bit)) facts.push(words[name]);
    });
    box.append(element("p", facts.join(" · ")));
    box.append(element("div", answer[0], "text"));
    if (answer[4]) labelled(box, words.reading, answer[4]);
    answer[1].forEach((text) => labelled(box, words.said, text));
    return box;
  }

  function card(entry) {
    const [doc, prompt, target] = entry.item;
    const made = element("article");
    made.append(element("h3", data.tasks[entry.task].name + " #" + doc));
    labelled(made, words.prompt, prompt);
    labelled(made, words.target, target);
    const answers = element("div", undefined, "answers");
    const pair = [...new Set([Number(value("model-a")), Number(value("model-b"))])];
    const models = byId("only").checked ? pair : data.models.map((_, number) => number);
    models.forEach((model) => answers.append(answerBox(entry, model)));
    made.append(answers);
    return made;
  }

  function show() {
    const pages = Math.max(1, Math.ceil(found.length / PAGE));
    const blanks = { n: found.length, total: items.length, page: page + 1, pages };
    const counted = words.count.replace(/\{(\w+)\}/g, (_, name) => blanks[name].toLocaleString("en"));
    byId("count").textContent = found.length ? counted : words.none;
    byId("list").replaceChildren(...found.slice(page * PAGE, (page + 1) * PAGE).map(card));
    byId("pages").hidden = pages === 1;
    byId("previous").disabled = page === 0;
    byId("next").disabled = page === pages - 1;
  }

  function turn(by) {
    const pages = Math.ceil(found.length / PAGE);
    const wanted = Math.min(pages - 1, Math.max(0, page + by));
    if (wanted === page || wanted < 0) return;
    page = wanted;
    show();
    byId("count").scrollIntoView();
  }

  function set(values) {
    Object.entries(values).forEach(([id, text]) => (byId(id).value = text));
    filter();
  }

  const models = data.models.map((name, number) => [String(number), name]);
  const states = STATES.map((name) => [name, words[name]]);
  fill("task", [["", words.all_tasks], ...data.tasks.map((task, number) => [String(number), task.name])], "");
  fill("model-a", models, 0);
  fill("model-b", models, Math.min(1, models.length - 1));
  fill("state-a", states, "any");
  fill("state-b", states, "any");
  byId("previous").textContent = words.previous;
  byId("next").textContent = words.next;
  byId("filters").hidden = false;

  ["task", "model-a", "state-a", "model-b", "state-b"].forEach((id) => byId(id).addEventListener("change", filter));
  byId("only").addEventListener("change", show);
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  let waiting = 0;
  byId("search").addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(filter, 150);
  });
  byId("preset").addEventListener("click", () => set({ "state-a": "right", "state-b": "wrong" }));
  byId("swap").addEventListener("click", () => set({ "model-a": value("model-b"), "model-b": value("model-a") }));
  byId("reset").addEventListener("click", () => set({ task: "", search: "", "state-a": "any", "state-b": "any" }));
  byId("previous").addEventListener("click", () => turn(-1));
  byId("next").addEventListener("click", () => turn(1));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
    if (event.key === "/") {
      event.preventDefault();
      byId("search").focus();
    } else if (event.key === "n") turn(1);
    else if (event.key === "p") turn(-1);
  });
  show();
})();
