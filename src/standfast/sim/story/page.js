"use strict";
(() => {
  const body = document.body;
  const last = Number(body.dataset.last);
  const both = (body.dataset.both || "").split(",").filter(Boolean);
  const runs = [...document.querySelectorAll(".run")].map((section) => ({
    section,
    key: section.dataset.run,
    last: section.querySelectorAll("article.step").length - 1,
    notable: (section.dataset.notable || "").split(",").filter(Boolean).map(Number),
    parts: [...section.querySelectorAll("article.step, .heads")],
    rows: [...section.querySelectorAll("svg.body .step")],
    lanes: section.querySelector(".lanes"),
  }));
  const lists = [...document.querySelectorAll(".list")];
  const scrub = document.getElementById("scrub");
  const where = document.getElementById("where");
  const speed = document.getElementById("speed");
  const play = document.querySelector("[data-go=play]");
  const views = [...document.querySelectorAll("[data-view]:is(button)")];
  const state = { step: 0, view: body.dataset.view, timer: 0 };

  const shown = () => runs.filter((run) => (state.view === "both" ? both.includes(run.key) : run.key === state.view));
  const known = (view) => runs.some((run) => run.key === view) || (view === "both" && both.length === 2);
  const bounded = (step) => Math.min(last, Math.max(0, step));

  function follow(run, step) {
    const row = run.rows[step - 1];
    const head = run.section.querySelector(".pinned").offsetHeight;
    if (!row) {
      run.lanes.scrollTop = 0;
      return;
    }
    const box = row.getBoundingClientRect();
    const frame = run.lanes.getBoundingClientRect();
    const room = frame.height - head;
    run.lanes.scrollTop += box.top - frame.top - head - Math.max(8, (room - box.height) / 2);
  }

  function show() {
    const now = shown();
    document.querySelector("main").classList.toggle("both", state.view === "both");
    runs.forEach((run, place) => {
      const step = Math.min(state.step, run.last);
      run.section.hidden = lists[place].hidden = !now.includes(run);
      if (run.section.hidden) return;
      run.section.classList.toggle("over", step === run.last);
      run.parts.forEach((part) => { part.hidden = Number(part.dataset.step) !== step; });
      run.rows.forEach((row, index) => {
        row.classList.toggle("now", index + 1 === step);
        row.classList.toggle("later", index + 1 > step);
      });
      [...lists[place].querySelectorAll("li")].forEach((item, index) => item.classList.toggle("now", index + 1 === step));
      follow(run, step);
    });
    scrub.value = String(state.step);
    const said = state.step ? `step ${state.step} of ${last}` : `before step 1 of ${last}`;
    scrub.setAttribute("aria-valuetext", said);
    where.textContent = said;
    views.forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.view === state.view)));
    try {
      const more = body.dataset.more || "";
      history.replaceState(null, "", `?step=${state.step}&with=${encodeURIComponent(state.view)}${more}`);
    } catch (error) {
      if (error.name !== "SecurityError") throw error; // a viewer that keeps addresses as they are
    }
  }

  function go(step) {
    state.step = bounded(step);
    show();
    document.dispatchEvent(new CustomEvent("standfast:stepped", { detail: state.step }));
  }

  function jump(way) {
    const stops = shown().flatMap((run) => run.notable).sort((a, b) => a - b);
    const next = way > 0 ? stops.find((one) => one > state.step) : stops.filter((one) => one < state.step).pop();
    if (next !== undefined) go(next);
  }

  function pause() {
    clearInterval(state.timer);
    state.timer = 0;
    play.textContent = "play";
    play.setAttribute("aria-pressed", "false");
  }

  function toggle() {
    if (state.timer) {
      pause();
      return;
    }
    if (state.step === last) go(0);
    play.textContent = "pause";
    play.setAttribute("aria-pressed", "true");
    state.timer = setInterval(() => {
      go(state.step + 1);
      if (state.step === last) pause();
    }, Number(speed.value));
  }

  const keys = {
    ArrowRight: () => go(state.step + 1),
    ArrowLeft: () => go(state.step - 1),
    Home: () => go(0),
    End: () => go(last),
    j: () => jump(1),
    k: () => jump(-1),
    " ": toggle,
  };

  document.addEventListener("keydown", (event) => {
    const act = keys[event.key];
    if (body.dataset.pane === "beside") return; // the other view has keys of its own
    if (!act || event.ctrlKey || event.altKey || event.metaKey || event.target === speed) return;
    if (event.key === " " && event.target.closest("button, a, summary")) return;
    event.preventDefault();
    if (event.key !== " ") pause();
    act();
  });
  scrub.addEventListener("input", () => { pause(); go(Number(scrub.value)); });
  speed.addEventListener("change", () => { if (state.timer) { pause(); toggle(); } });
  views.forEach((button) => button.addEventListener("click", () => { state.view = button.dataset.view; show(); }));
  document.querySelector("[data-go=back]").addEventListener("click", () => { pause(); go(state.step - 1); });
  document.querySelector("[data-go=on]").addEventListener("click", () => { pause(); go(state.step + 1); });
  play.addEventListener("click", toggle);
  window.addEventListener("resize", () => shown().forEach((run) => follow(run, Math.min(state.step, run.last))));

  // The other view moves the same clock, and changes its part of the address.
  document.addEventListener("standfast:moved", (event) => {
    pause();
    if (event.detail !== null) state.step = bounded(event.detail);
    show();
  });

  const asked = new URLSearchParams(location.search);
  if (known(asked.get("with"))) state.view = asked.get("with");
  const step = asked.get("step");
  if (step !== null && /^\d{1,6}$/.test(step)) state.step = bounded(Number(step));
  document.querySelectorAll(".controls").forEach((one) => { one.hidden = false; });
  runs.forEach((run, place) => { run.section.hidden = lists[place].hidden = !shown().includes(run); });
  body.classList.add("ready");
  show();
})();
