// The page without this script is right, and reloads each ten seconds. With it: live, copies, brush, local times.
"use strict";
(() => {
  const root = document.documentElement, body = document.body, live = document.getElementById("live");
  const past = body.classList.contains("past");
  root.classList.add("js");

  // Live: a tick each second tells the number and the age of the newest look. No tick, no green light.
  const SILENT = 5000, PAUSED = 20;
  let heard = performance.now(), look = Number(body.dataset.look), at = body.dataset.at, told = null, loading = false;

  function grey(why) {
    body.classList.add("stale");
    live.className = "";
    live.textContent = "STALE since " + at.slice(11, 19) + " UTC" + (why ? ": " + why : "");
  }

  // What is green is the age of what is shown, not of what might be.
  const births = new Map();
  function age() {
    const born = births.get(look);
    return (born === undefined ? told.age : (performance.now() - born) / 1000);
  }

  function show() {
    if (past) return;
    if (performance.now() - heard > SILENT) return grey("no word from the page's server");
    if (!told) return;
    if (told.stale) return grey("the last look was " + Math.round(told.age) + " s ago");
    if (age() > PAUSED) return grey(busy() ? "not renewed while text is marked" : "this page can't be renewed");
    body.classList.remove("stale");
    live.className = "on";
    live.textContent = "live · " + Math.max(1, Math.round(age())) + " s";
  }

  async function load() {
    if (loading || document.hidden) return;
    loading = true;
    try {
      const answer = await fetch(location.href, { credentials: "same-origin" });
      if (!answer.ok) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      const page = fresh.getElementById("page");
      if (!page || busy()) return;
      const open = [...document.querySelectorAll("#page details")].map((one) => one.open);
      const field = document.activeElement === document.getElementById("q") ? document.getElementById("q") : null;
      const place = focused();
      const old = document.getElementById("page");
      if (field) page.querySelector("#q").replaceWith(field);
      old.replaceChildren(...page.childNodes);
      dress();
      if (field) field.focus();
      [...document.querySelectorAll("#page details")].forEach((one, number) => { one.open = open[number] || false; });
      if (place !== null) document.querySelectorAll("#page a, #page button, #page [tabindex]")[place]?.focus();
      document.title = fresh.title;
      look = Number(fresh.body.dataset.look);
      at = fresh.body.dataset.at;
    } catch { /* the ticks tell whether the server is there */ } finally { loading = false; }
  }

  function focused() {
    const all = [...document.querySelectorAll("#page a, #page button, #page [tabindex]")];
    const place = all.indexOf(document.activeElement);
    return place < 0 ? null : place;
  }

  const busy = () => brushing !== null || !document.getSelection().isCollapsed;

  if (!past) {
    const stream = new EventSource("live");
    stream.addEventListener("tick", (event) => {
      told = JSON.parse(event.data);
      heard = performance.now();
      if (!births.has(told.look)) births.set(told.look, heard - told.age * 1000);
      if (births.size > 100) births.delete(births.keys().next().value);
      show();
      if (told.look > look && !told.stale) load();
    });
    setInterval(show, 500);
  }

  // What only a script can do: copy buttons, and the reader's own time on hover (the page says UTC).
  function dress() {
    for (const one of document.querySelectorAll(".cmd:not(:has(.copy))")) {
      const button = document.createElement("button"), line = one.querySelector("code").textContent;
      button.type = "button";
      button.className = "copy";
      button.dataset.copy = line;
      button.textContent = "copy";
      button.setAttribute("aria-label", "copy: " + line);
      one.append(button);
    }
    for (const one of document.querySelectorAll("time:not([data-dressed])")) {
      const moment = new Date(one.dateTime);
      if (isNaN(moment)) continue;
      one.dataset.dressed = "";
      one.title = one.title + "\n" + moment.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "long" });
    }
  }
  dress();

  // Copy: exactly the line that is seen.
  async function copy(text, button) {
    let done = false;
    try {
      await navigator.clipboard.writeText(text);
      done = true;
    } catch {
      const area = document.createElement("textarea");
      area.value = text;
      body.append(area);
      area.select();
      done = document.execCommand("copy");
      area.remove();
    }
    say(done ? "copied: " + text : "could not copy; mark the line by hand");
    if (button && done) {
      button.classList.add("done");
      button.textContent = "✓ copied";
      setTimeout(() => { button.classList.remove("done"); button.textContent = "copy"; }, 1500);
    }
  }

  const tip = document.createElement("div");
  tip.id = "tip";
  tip.hidden = true;
  tip.setAttribute("role", "status");
  body.append(tip);
  let fading = 0;

  function say(text, x = 20, y = 50, stay = 1800) {
    clearTimeout(fading);
    tip.textContent = text;
    tip.hidden = false;
    tip.style.setProperty("left", Math.max(8, Math.min(x + 12, innerWidth - tip.offsetWidth - 8)) + "px");
    tip.style.setProperty("top", Math.max(8, Math.min(y + 14, innerHeight - tip.offsetHeight - 8)) + "px");
    if (stay) fading = setTimeout(() => { tip.hidden = true; }, stay);
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest(".copy");
    if (button) copy(button.dataset.copy, button);
  });
  document.addEventListener("pointerover", (event) => {
    const mark = event.target.closest?.(".track a");
    if (mark) say(mark.getAttribute("aria-label"), event.clientX, event.clientY, 0);
  });
  document.addEventListener("pointerout", (event) => { if (event.target.closest?.(".track a")) tip.hidden = true; });

  // Brush: a click shows the page as it was then, a drag the hours between, as they were at their end.
  let brushing = null;
  function track() { return document.querySelector("#plot .track").getBoundingClientRect(); }
  function moment(x) {
    const box = track(), time = document.querySelector(".time").dataset;
    const share = Math.max(0, Math.min(1, (x - box.left) / box.width));
    return Math.min(Number(time.start) + share * (Number(time.end) - Number(time.start)), Number(time.now));
  }
  document.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !event.target.closest?.(".track") || event.target.closest?.(".track a")) return;
    brushing = event.clientX;
    event.preventDefault();
  });
  document.addEventListener("pointermove", (event) => {
    if (brushing === null) return;
    const brush = document.getElementById("brush"), plot = document.getElementById("plot").getBoundingClientRect(), box = track();
    const [from, to] = [brushing, event.clientX].sort((a, b) => a - b).map((x) => Math.max(box.left, Math.min(box.right, x)));
    brush.hidden = to - from < 5;
    brush.style.setProperty("left", from - plot.left + "px");
    brush.style.setProperty("width", to - from + "px");
  });
  document.addEventListener("pointerup", (event) => {
    if (brushing === null) return;
    const [from, to] = [brushing, event.clientX].sort((a, b) => a - b);
    brushing = null;
    const asked = new URLSearchParams(location.search);
    asked.set("at", moment(to).toFixed(3));
    if (to - from >= 5) {
      asked.set("from", moment(from).toFixed(3));
      asked.set("to", moment(to).toFixed(3));
    }
    location.search = asked;
  });

  // Keys.
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea")) return;
    const balancer = event.target.closest(".lb") || document.querySelector(".lb:has(.bad), .lb");
    if (event.key === "/") {
      event.preventDefault();
      document.getElementById("q").focus();
    } else if (event.key === "e" && balancer?.dataset.explain) copy(balancer.dataset.explain);
    else if (event.key === "d" && balancer?.dataset.drain) copy(balancer.dataset.drain);
    else if (event.key === "c") {
      const link = new URL(location.href);
      if (!link.searchParams.has("at")) link.searchParams.set("at", (Date.parse(at.replace(" UTC", "Z").replace(" ", "T")) / 1000).toFixed(0));
      copy(link.href);
    }
  });
})();
