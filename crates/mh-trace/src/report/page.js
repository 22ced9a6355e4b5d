"use strict";
const $ = (id) => document.getElementById(id);
const style = getComputedStyle(document.documentElement);
const color = (name) => style.getPropertyValue("--" + name).trim();
const COLORS = Object.fromEntries(["ink", "faint", "grid", "run", "transfer", "dispatch", "idle", "start", "end", "caller", "kernel", "failed"].map((name) => [name, color(name)]));

function time(us) {
  const size = Math.abs(us);
  if (size < 1e3) return us.toPrecision(3).replace(/\.?0+$/, "") + " µs";
  if (size < 1e6) return (us / 1e3).toPrecision(3) + " ms";
  return (us / 1e6).toPrecision(4) + " s";
}
function bytes(count) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (count >= 1024 && unit < 4) { count /= 1024; unit += 1; }
  return (unit ? count.toPrecision(3) : count) + " " + units[unit];
}
function element(name, text, parent, attributes = {}) {
  const made = document.createElement(name);
  if (text !== null && text !== undefined) made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (parent) parent.append(made);
  return made;
}
function legend(parent, entries) {
  for (const [name, shade] of entries) {
    const entry = element("span", null, parent);
    entry.append(Object.assign(document.createElement("i"), { style: "background:" + shade }), name);
  }
}

const called = (name, pid) => pid && name !== "caller" ? name + " " + pid : name;
const many = (count, what) => count.toLocaleString("en") + " " + what + (count === 1 ? "" : "s");
$("summary").textContent = [
  time(DATA.seconds * 1e6) + " in all",
  many(DATA.items, "item"),
  many(DATA.workers.length, "worker"),
  DATA.kernels.length ? many(DATA.kernels.length, "compiled call") : "",
  DATA.workers.length ? "functions ran in " + (100 * DATA.utilisation).toFixed(0) + "% of the workers' time" : "",
].filter(Boolean).join(" · ");
if (DATA.dropped) {
  const told = element("p", many(DATA.dropped, "event") + " were too many to be kept: this is not all that happened.", null, { class: "bad" });
  $("summary").after(told);
}

// ------------------------------------------------------------------------------------------------ timeline
// Rows: the caller's threads, compiled calls with them, threads that help these, then the workers.
const threads = [...new Set([...DATA.callers, ...DATA.kernels].map((entry) => entry[0]))];
const helpers = [...new Set(DATA.stints.map((entry) => entry[0]))].filter((thread) => !threads.includes(thread));
const rows = [
  ...threads.map((thread, place) => ({ name: threads.length > 1 ? "caller, thread " + (place + 1) : "caller", slices: [] })),
  ...helpers.map((thread, place) => ({ name: "compiled loops" + (helpers.length > 1 ? ", thread " + (place + 1) : ""), slices: [] })),
  ...DATA.workers.map(([name, pid]) => ({ name: pid === DATA.pid ? name : name + " (" + pid + ")", slices: [] })),
];
for (const [thread, what, from, to, items] of DATA.callers) {
  rows[threads.indexOf(thread)].slices.push({ from, to, shade: what === "waits" ? COLORS.start : COLORS.caller,
    tell: "caller " + what + "\n" + time(to - from) + (items ? ", " + many(items, "item") : "") });
}
for (const [thread, name, from, to, count, blocks] of DATA.kernels) {
  rows[threads.indexOf(thread)].slices.push({ from, to, shade: COLORS.kernel, label: name,
    tell: name + " (compiled)\n" + time(to - from) + "\n" + many(count, "thread") + (blocks ? ", " + many(blocks, "block") : "") });
}
for (const [thread, name, from, to, blocks] of DATA.stints) {
  const place = threads.indexOf(thread);
  rows[place < 0 ? threads.length + helpers.indexOf(thread) : place].slices.push({ from, to, shade: COLORS.kernel, label: name,
    tell: "a part of " + name + " (compiled)\n" + time(to - from) + ", " + many(blocks, "block") });
}
for (const task of DATA.tasks) {
  const [worker, name, queued, sent, turned, arrived, begun, called, returned, ended, received, taken, cpu, inside, outside, ending] = task;
  const row = rows[threads.length + helpers.length + worker];
  const tell = [name, ending === "done" ? "" : ending, "in the queue " + time(sent - queued), "behind others " + time(turned - sent),
    "transfer " + time(arrived - turned + called - begun + received - returned), "run " + time(returned - called) + ", computed " + time(cpu),
    "until taken " + time(taken - received), bytes(inside) + " in, " + bytes(outside) + " out"].filter(Boolean).join("\n");
  const part = (from, to, shade, label) => { if (to > from) row.slices.push({ from, to, shade, tell, label }); };
  part(turned, arrived, COLORS.transfer);
  part(arrived, begun, COLORS.dispatch);
  part(begun, called, COLORS.transfer);
  part(called, returned, ending === "done" ? COLORS.run : COLORS.failed, name);
  part(returned, ended, COLORS.transfer);
}
for (const row of rows) row.slices.sort((a, b) => a.from - b.from);
legend($("legend"), [["run", COLORS.run], ["transfer", COLORS.transfer], ["dispatch", COLORS.dispatch], ["failed or lost", COLORS.failed],
  ["caller at work", COLORS.caller], ["caller waits", COLORS.start], ["compiled call", COLORS.kernel]]);
if (DATA.all > DATA.tasks.length) element("p", "The " + DATA.tasks.length.toLocaleString("en") + " longest of " + DATA.all.toLocaleString("en") + " tasks are drawn.", $("legend").parentElement, { class: "hint" });

const canvas = document.querySelector("#timeline canvas"), tip = $("tip");
const LEFT = 150, HIGH = 22, TOP = 24;
const everything = [0, Math.max(DATA.seconds * 1e6, 1)];
let view = [...everything];
const height = TOP + Math.max(rows.length, 1) * HIGH + 6;
function draw() {
  const width = canvas.parentElement.clientWidth, scale = devicePixelRatio || 1;
  canvas.width = width * scale; canvas.height = height * scale; canvas.style.height = height + "px";
  const ink = canvas.getContext("2d");
  ink.scale(scale, scale);
  ink.clearRect(0, 0, width, height);
  const [from, to] = view, x = (at) => LEFT + (at - from) / (to - from) * (width - LEFT - 8);
  ink.font = "11px system-ui, sans-serif"; ink.textBaseline = "middle";
  const step = [1, 2, 5, 10].map((digit) => digit * 10 ** Math.floor(Math.log10((to - from) / 8))).find((size) => (to - from) / size <= 12) || (to - from) / 8;
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) {
    ink.fillStyle = COLORS.grid; ink.fillRect(x(at), TOP - 4, 1, height);
    ink.fillStyle = COLORS.faint; ink.textAlign = "center"; ink.fillText(time(at), Math.min(x(at), width - 24), 10);
  }
  rows.forEach((row, place) => {
    const y = TOP + place * HIGH;
    ink.fillStyle = COLORS.ink; ink.textAlign = "left"; ink.fillText(row.name, 8, y + HIGH / 2, LEFT - 14);
    let drawn = -1;
    for (const slice of row.slices) {
      if (slice.to < from || slice.from > to) continue;
      const a = Math.max(x(slice.from), LEFT), b = Math.min(x(slice.to), width - 8);
      if (b < drawn + 0.3) continue;  // lies within a pixel that has its colour
      drawn = Math.max(b, a + 0.6);
      ink.fillStyle = slice.shade; ink.fillRect(a, y + 2, Math.max(b - a, 0.6), HIGH - 4);
      if (slice.label && b - a > 34) {
        ink.save(); ink.beginPath(); ink.rect(a, y, b - a - 3, HIGH); ink.clip();
        ink.fillStyle = "#fff"; ink.fillText(slice.label, a + 4, y + HIGH / 2); ink.restore();
      }
    }
  });
}
function at(event) {
  const box = canvas.getBoundingClientRect();
  const share = (event.clientX - box.left - LEFT) / (box.width - LEFT - 8);
  return [view[0] + share * (view[1] - view[0]), Math.floor((event.clientY - box.top - TOP) / HIGH), (view[1] - view[0]) / (box.width - LEFT - 8), box];
}
canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  const [here] = at(event), factor = Math.exp(Math.max(-1, Math.min(1, event.deltaY / 300)));
  const wide = Math.min((view[1] - view[0]) * factor, everything[1]);
  if (wide < 1) return;
  const from = Math.max(0, Math.min(here - (here - view[0]) / (view[1] - view[0]) * wide, everything[1] - wide));
  view = [from, from + wide];
  draw();
}, { passive: false });
let held = null;
canvas.addEventListener("pointerdown", (event) => { held = [event.clientX, ...view]; canvas.setPointerCapture(event.pointerId); });
canvas.addEventListener("pointerup", () => { held = null; });
canvas.addEventListener("dblclick", () => { view = [...everything]; draw(); });
canvas.addEventListener("pointermove", (event) => {
  const [here, place, pixel, box] = at(event);
  if (held) {
    const wide = held[2] - held[1];
    const from = Math.max(0, Math.min(held[1] - (event.clientX - held[0]) * pixel, everything[1] - wide));
    view = [from, from + wide];
    draw();
  }
  const near = (slice) => Math.max(slice.from - here, here - slice.to, 0);
  let found = null;
  for (const slice of (rows[place] || { slices: [] }).slices) if (near(slice) <= 2 * pixel && (!found || near(slice) <= near(found))) found = slice;
  tip.hidden = !found;
  if (found) {
    tip.textContent = found.tell;
    const left = event.clientX - box.left + 14;
    tip.style.left = (left + 250 > box.width ? left - 280 : left) + "px";
    tip.style.top = event.clientY - box.top + 14 + "px";
  }
});
canvas.addEventListener("pointerleave", () => { tip.hidden = true; });
addEventListener("resize", draw);
if (rows.length) draw(); else $("timeline").replaceWith(element("p", "Nothing ran.", null, { class: "hint" }));

// ------------------------------------------------------------------------------------------------ utilisation
const PARTS = [["run", "run"], ["transfer", "transfer"], ["dispatch", "dispatch"], ["nothing had come yet", "start"], ["between messages", "idle"], ["done, others were not", "end"]];
if (DATA.busy.length) {
  legend(element("div", null, $("busy"), { class: "legend" }), PARTS.map(([name, shade]) => [name, COLORS[shade]]));
  const table = element("table", null, $("busy"));
  const head = element("tr", null, table);
  for (const name of ["worker", "", "run", "computed", "items"]) element("th", name, head);
  for (const [name, pid, items, parts, cpu] of DATA.busy) {
    const row = element("tr", null, table), whole = parts.reduce((sum, part) => sum + part, 0) || 1;
    element("td", pid === DATA.pid ? name : name + " (" + pid + ")", row);
    const bar = element("div", null, element("td", null, row, { class: "bar" }));
    parts.forEach((part, place) => element("span", null, bar, { style: "width:" + 100 * part / whole + "%;background:" + COLORS[PARTS[place][1]], title: PARTS[place][0] + " " + time(part) }));
    element("td", (100 * parts[0] / whole).toFixed(0) + "%", row);
    element("td", time(cpu), row);
    element("td", items.toLocaleString("en"), row);
  }
} else $("busy").remove();

// ------------------------------------------------------------------------------------------------ memory
function svg(name, attributes, parent, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  parent.append(made);
  return made;
}
if (DATA.memory.length > 1) {
  const W = 1190, H = 200, L = 70, B = 20;
  const totals = DATA.memory.map(([, each]) => each.reduce((sum, [, , pss]) => sum + pss, 0));
  const peak = Math.max(...totals), high = peak * 1.08 || 1;
  const who = [...new Map(DATA.memory.flatMap(([, each]) => each.map(([name, pid]) => [pid, name]))).entries()];
  const most = new Map(who.map(([pid]) => [pid, Math.max(...DATA.memory.map(([, each]) => (each.find((entry) => entry[1] === pid) || [0, 0, 0])[2]))]));
  who.sort((a, b) => most.get(b[0]) - most.get(a[0]));
  const shades = ["#2a6f97", "#e09f3e", "#588157", "#7b5ea7", "#c8553d", "#6f7d88", "#4ba3c3", "#b5838d"];
  const when = DATA.memory[totals.indexOf(peak)][0];
  element("p", "At most " + bytes(peak) + ", " + time(when) + " after the beginning: " + DATA.memory[totals.indexOf(peak)][1].filter(([, , pss]) => pss).sort((a, b) => b[2] - a[2]).slice(0, 6).map(([name, pid, pss]) => called(name, pid) + " " + bytes(pss)).join(", ") + ". Pages that several processes share are counted once (PSS).", $("memory"), { class: "hint" });
  legend(element("div", null, $("memory"), { class: "legend" }), who.slice(0, 12).map(([pid, name], place) => [called(name, pid), shades[place % shades.length]]));
  const picture = svg("svg", { viewBox: `0 0 ${W} ${H}`, width: "100%" }, $("memory"));
  const x = (at) => L + at / everything[1] * (W - L - 6), y = (size) => H - B - size / high * (H - B - 8);
  for (let line = 0; line <= 4; line += 1) {
    svg("line", { x1: L, x2: W, y1: y(high * line / 4), y2: y(high * line / 4), stroke: COLORS.grid }, picture);
    svg("text", { x: L - 6, y: y(high * line / 4) + 4, "text-anchor": "end" }, picture, bytes(Math.round(high * line / 4)));
    svg("text", { x: x(everything[1] * line / 4), y: H - 4, "text-anchor": line === 4 ? "end" : "middle" }, picture, time(everything[1] * line / 4));
  }
  const below = DATA.memory.map(() => 0);
  who.forEach(([pid], place) => {
    const bottom = [...below];
    DATA.memory.forEach(([, each], sample) => { below[sample] += (each.find((entry) => entry[1] === pid) || [0, 0, 0])[2]; });
    const up = below.map((size, sample) => x(DATA.memory[sample][0]) + "," + y(size));
    const down = bottom.map((size, sample) => x(DATA.memory[sample][0]) + "," + y(size)).reverse();
    svg("polygon", { points: [...up, ...down].join(" "), fill: shades[place % shades.length] }, picture);
  });
} else $("memory").remove();

// ------------------------------------------------------------------------------------------------ slowest
if (DATA.slowest.length) {
  const table = element("table", null, $("slowest")), head = element("tr", null, table);
  for (const name of ["item", "worker", "run", "computed", "waited", "transfer", "in", "out"]) element("th", name, head);
  for (const [name, worker, spent, inside, outside, ending] of DATA.slowest) {
    const row = element("tr", null, table);
    element("td", ending === "done" ? name : name + " (" + ending + ")", row, ending === "done" ? {} : { class: "bad" });
    element("td", worker, row);
    for (const part of spent) element("td", time(part), row);
    element("td", bytes(inside), row);
    element("td", bytes(outside), row);
  }
} else $("slowest").remove();
