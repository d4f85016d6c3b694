"use strict";
(() => {
  const body = document.body;
  const day = JSON.parse(document.getElementById("day-data").textContent);
  const one = (query) => document.querySelector(query);
  const all = (query) => [...document.querySelectorAll(query)];
  const scrub = one("#day"), where = one("#day-where");
  const ticks = all("[data-protection]");
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const digit = Object.fromEntries([...letters].map((letter, place) => [letter, place]));
  const full = 64 * 64 - 1;
  const order = ticks.map((tick) => tick.dataset.protection);
  const restored = day.stops.find((stop) => stop.id === "dynamodb-restored").at;
  const state = { at: 0, stop: day.stops.findIndex((stop) => stop.id === "dynamodb-emptied"), chosen: "" };
  const unpacked = new Map();

  // -- the data ----------------------------------------------------------------------------------------------------
  function values(run, name) {
    const packed = day.runs[run] && day.runs[run].series[name];
    if (!packed) return null;
    const key = `${run} ${name}`;
    if (!unpacked.has(key)) {
      const most = day.series[name].peak;
      unpacked.set(key, Array.from({ length: day.slots }, (_, slot) => {
        const step = 64 * digit[packed[2 * slot]] + digit[packed[2 * slot + 1]];
        return (step / full) * most;
      }));
    }
    return unpacked.get(key);
  }

  // What is shown of a moment is the slot that begins with it or next: what came of it, not what was before.
  const slotOf = (at) => Math.min(day.slots - 1, Math.max(0, Math.ceil((at - day.begins) / (day.ends - day.begins) * day.slots)));

  const behind = { "s of work": " of work", "× normal": " × normal" };
  const amount = (value, unit) => `${short(value, unit)}${behind[unit] || ""}`;

  function short(value, unit) {
    if (unit === "share") return value >= 0.0005 ? `${Number((100 * value).toPrecision(3))} %` : "0 %";
    if (unit === "s" || unit === "s of work") return value >= 7200 ? `${(value / 3600).toFixed(1)} h` : value >= 120 ? `${Math.round(value / 60)} min` : `${Math.round(value)} s`;
    for (const [size, letter] of [[1e9, " G"], [1e6, " M"], [1e3, " k"]]) {
      if (Math.abs(value) >= 0.9995 * size) return `${Number((value / size).toPrecision(3))}${letter}`;
    }
    return String(Math.abs(value) >= 10 ? Math.round(value) : Number(value.toPrecision(2)));
  }

  function clock(at) {
    const minutes = (23 * 60 + 48 + Math.round(at / 60)) % 1440;
    return `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
  }

  // -- drawing -----------------------------------------------------------------------------------------------------
  function lost(shares, base, tall) {
    const heights = shares.map((share) => Math.round((1 - share) * tall * 10) / 10);
    let path = "", start = 0;
    for (let slot = 1; slot <= heights.length; slot += 1) {
      if (slot < heights.length && heights[slot] === heights[start]) continue;
      if (heights[start] > 0) path += `M${start} ${base}v${-heights[start]}h${slot - start}v${heights[start]}z`;
      start = slot;
    }
    return path;
  }

  function curve(shown, most) {
    let path = "", before = null;
    shown.forEach((value, slot) => {
      const y = Math.round((59 - (most > 0 ? value / most : 0) * 58) * 10) / 10;
      if (y === before) return;
      path += before === null ? `M0 ${y}` : `H${slot}V${y}`;
      before = y;
    });
    return `${path}H${shown.length}`;
  }

  function draw() {
    const run = day.runs[state.chosen] && state.chosen ? state.chosen : null;
    one(".strips").classList.toggle("two", run !== null);
    all(".strip").forEach((strip) => {
      const shown = run === null ? null : values(run, strip.dataset.series);
      strip.querySelector(".chosen").setAttribute("d", shown ? lost(shown, 24, 12) : "");
    });
    all(".curves figure").forEach((figure) => {
      const name = figure.dataset.series, shown = run === null ? null : values(run, name);
      figure.querySelector(".chosen").setAttribute("d", shown ? curve(shown, day.series[name].peak) : "");
    });
  }

  // -- one moment --------------------------------------------------------------------------------------------------
  const NAME = "dynamodb.us-east-1.amazonaws.com";

  function told() {
    const stop = day.stops[state.stop], panel = one(".moment");
    const exact = stop && stop.at === state.at;
    panel.querySelector(".count").textContent = clock(state.at);
    panel.querySelector(".happened").textContent = !stop ? "Before it begins" :
      exact ? `${stop.service}: ${stop.what}` : `after ${stop.clock}, ${stop.service}: ${stop.what}`;
    panel.querySelector(".judged").textContent = stop ? judged(stop) : "";
    panel.querySelector(".source").textContent = stop ? `● published · ${stop.source}` : "";
    const addresses = values("", "dynamodb.addresses");
    const count = addresses ? Math.round(addresses[slotOf(state.at)]) : null;
    panel.querySelector(".dig").textContent = count === null ? "" : `$ dig ${NAME} A\nstatus: NOERROR, ANSWER: ${count}${count ? "" : " ✗"}`;
    // Every service, and whatever else is known of the one it is about.
    const about = stop ? stop.service : "";
    const rows = day.services.flatMap((service) => service.series.map((name, place) => [service, name, place]))
      .filter(([service, , place]) => !place || service.name === about);
    const bodyOf = panel.querySelector("tbody");
    const heads = ["", "as built", ...(state.chosen && day.runs[state.chosen] ? ["ticked"] : [])].map((text) => {
      const cell = document.createElement("th");
      cell.textContent = text;
      return cell;
    });
    panel.querySelector("thead tr").replaceChildren(...heads);
    bodyOf.replaceChildren(...rows.filter(([, name]) => values("", name)).map(([service, name, place]) => {
      const row = document.createElement("tr"), unit = day.series[name].unit, slot = slotOf(state.at);
      const cells = [place ? `– ${day.series[name].title}` : service.name, amount(values("", name)[slot], unit)];
      const other = state.chosen && values(state.chosen, name);
      if (other) cells.push(amount(other[slot], unit));
      cells.forEach((text) => { const cell = document.createElement("td"); cell.textContent = text; row.append(cell); });
      return row;
    }));
  }

  function judged(stop) {
    if (stop.kind === "fault" || stop.kind === "intervention") return "▸ An input: the model is told of it.";
    if (stop.kind === "report") return "Somebody noticed or said it; nothing in the region moved.";
    const built = day.runs[""].milestones[stop.id];
    if (!built && !day.looked.includes(stop.id)) return `The model does not look for this. Not scored: ${stop.because}.`;
    const said = [built ? `○ The model gets there at ${built}${stop.off && stop.off !== "never" ? ` (${stop.off})` : ""}.` : "○ The model does not get there."];
    if (stop.half) said.push(`${stop.mark} ${stop.half}${stop.error ? `, error ${stop.error} of the time since the last input` : ""}.`);
    else said.push(`Not scored: ${stop.because}.`);
    if (stop.observed) said.push(`Looked at: ${stop.observed}.`);
    if (state.chosen && day.runs[state.chosen]) {
      const then = day.runs[state.chosen].milestones[stop.id];
      said.push(then ? `With what is ticked: ${then}.` : "With what is ticked it does not come to that.");
    }
    return said.join(" ");
  }

  function show() {
    const share = 100 * (state.at - day.begins) / (day.ends - day.begins);
    const strips = one(".strips"), track = one(".track");
    if (track.offsetWidth) {
      const left = track.getBoundingClientRect().left - strips.getBoundingClientRect().left;
      one(".cursor").style.left = `${left + track.offsetWidth * share / 100}px`;
    }
    all(".curves figure").forEach((figure) => {
      const line = figure.querySelector(".now"), x = String(share / 100 * day.slots), name = figure.dataset.series;
      line.setAttribute("x1", x);
      line.setAttribute("x2", x);
      const shown = values("", name);
      figure.querySelector("output").textContent = shown ? amount(shown[slotOf(state.at)], day.series[name].unit) : "";
    });
    scrub.value = String(state.at);
    const stop = day.stops[state.stop];
    where.textContent = clock(state.at);
    scrub.setAttribute("aria-valuetext", clock(state.at));
    all("[data-stop]").forEach((mark) => {
      const now = Boolean(stop) && mark.dataset.stop === stop.id;
      mark.classList.toggle("now", now);
      if (mark.closest(".headlines")) mark.setAttribute("aria-pressed", String(now && stop.at === state.at));
    });
    all("[data-pane]:is(button)").forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.pane === body.dataset.pane)));
    told();
  }

  function address() {
    const chosen = state.chosen ? `&protect=${encodeURIComponent(state.chosen)}` : "";
    const view = body.dataset.pane === "beside" ? "day" : "race";
    body.dataset.more = `&view=${view}&at=${encodeURIComponent(clock(state.at))}${chosen}`;
  }

  // The race has logical steps. Only two of them have a published time: the ninth empties, the last restores.
  const stepAt = (at) => (at < 0 ? 8 : at === 0 ? 9 : at < restored ? 13 : 14);
  const timeOf = (step) => (step < 9 ? -60 : step < 14 ? 0 : restored);

  function moved(step) {
    address();
    document.dispatchEvent(new CustomEvent("standfast:moved", { detail: step }));
  }

  function go(at) {
    state.at = Math.min(day.ends, Math.max(day.begins, at));
    state.stop = day.stops.findLastIndex((stop) => stop.at <= state.at);
    pane("beside");
    show();
    moved(stepAt(state.at));
  }

  function goTo(place) {
    const stop = day.stops[Math.min(day.stops.length - 1, Math.max(0, place))];
    go(stop.at);
    state.stop = day.stops.indexOf(stop);
    show();
  }

  function pane(which) {
    body.dataset.pane = which;
  }

  // -- what is ticked ----------------------------------------------------------------------------------------------
  function choose(names) {
    ticks.forEach((tick) => { tick.checked = names.includes(tick.dataset.protection); });
    state.chosen = order.filter((name) => names.includes(name)).join(",");
    const run = day.runs[state.chosen], said = one(".chosen-said"), how = one(".chosen-how");
    const command = `${day.command} --with ${run ? run.asked : state.chosen}`;
    how.replaceChildren();
    if (run) {
      said.textContent = run.label;
      how.textContent = state.chosen ? `${run.says}. ` : "";
    } else {
      said.textContent = `with ${state.chosen}`;
      how.textContent = "Not on this page; run it: ";
    }
    if (state.chosen) how.append(Object.assign(document.createElement("code"), { textContent: command }));
    draw();
    show();
    moved(null);
  }

  const familyOf = (name) => order.filter((each) => name === "all" || day.families[each] === name);

  // -- events ------------------------------------------------------------------------------------------------------
  const scored = (way) => {
    const places = day.stops.map((stop, place) => [stop, place]).filter(([stop]) => stop.half).map(([, place]) => place);
    return way > 0 ? places.find((place) => place > state.stop) : places.filter((place) => place < state.stop).pop();
  };
  const jump = (place) => { if (place !== undefined) goTo(place); };
  const keys = {
    ArrowRight: () => goTo(state.stop + 1),
    ArrowLeft: () => goTo(state.at > day.stops[Math.max(0, state.stop)].at ? state.stop : state.stop - 1),
    Home: () => goTo(0),
    End: () => goTo(day.stops.length - 1),
    j: () => jump(scored(1)),
    k: () => jump(scored(-1)),
  };
  document.addEventListener("keydown", (event) => {
    const act = keys[event.key];
    if (body.dataset.pane !== "beside" || !act || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    act();
  });
  document.addEventListener("standfast:stepped", (event) => {
    pane("runs");
    state.at = timeOf(event.detail);
    state.stop = day.stops.findLastIndex((stop) => stop.at <= state.at);
    address();
    show();
    document.dispatchEvent(new CustomEvent("standfast:moved", { detail: null }));
  });
  scrub.addEventListener("input", () => go(Number(scrub.value)));
  all("button[data-stop]").forEach((button) => button.addEventListener("click", () => {
    goTo(day.stops.findIndex((stop) => stop.id === button.dataset.stop));
  }));
  one("[data-day=back]").addEventListener("click", keys.ArrowLeft);
  one("[data-day=on]").addEventListener("click", keys.ArrowRight);
  all("[data-preset]").forEach((button) => button.addEventListener("click", () => {
    choose(familyOf(button.dataset.preset));
  }));
  ticks.forEach((tick) => tick.addEventListener("change", () => {
    choose(ticks.filter((each) => each.checked).map((each) => each.dataset.protection));
  }));
  all("button[data-pane]").forEach((button) => button.addEventListener("click", () => {
    pane(button.dataset.pane);
    show();
    moved(null);
  }));
  one(".strips").addEventListener("click", (event) => {
    const track = event.target.closest(".track");
    if (!track || event.target.closest("button")) return;
    const box = track.getBoundingClientRect();
    go(Math.round((day.begins + (event.clientX - box.left) / box.width * (day.ends - day.begins)) / 60) * 60);
  });
  window.addEventListener("resize", show);

  // -- the beginning -----------------------------------------------------------------------------------------------
  const asked = new URLSearchParams(location.search);
  const clocked = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(asked.get("at") || "");
  if (clocked) {
    const minutes = Number(clocked[1]) * 60 + Number(clocked[2]) - (23 * 60 + 48);
    state.at = Math.min(day.ends, Math.max(day.begins, (minutes < -10 ? minutes + 1440 : minutes) * 60));
    state.stop = day.stops.findLastIndex((stop) => stop.at <= state.at);
  }
  const wanted = (asked.get("protect") || "").split(",").filter((name) => order.includes(name));
  const race = asked.get("view") === "race" || (asked.get("view") === null && (asked.has("step") || asked.has("with")));
  pane(race ? "runs" : "beside");
  one(".choices").open = window.innerWidth >= 992;
  one(".day-controls").hidden = false;
  address();
  document.addEventListener("DOMContentLoaded", () => {
    choose(wanted);
    if (!race) moved(stepAt(state.at));
  });
})();
