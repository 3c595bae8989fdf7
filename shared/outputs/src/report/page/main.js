// What ties the views together: one state, and every change of it draws what it touches.
const state = { roi: -1, plane: 0, kind: "mean", outlines: true, others: false, cluster: null, sort: "cluster", mode: "lines" };
D.position = new Map(D.clusters.order.map((roi, at) => [roi, at]));
const draws = { field: drawField, detail: drawDetail, traces: drawCrowd, matrix: drawMatrix, motion: drawMotion };
const ALL = Object.keys(draws), TIMED = ["detail", "traces", "motion"];
const CANVAS = { field: field.canvas, detail: detail.canvas, traces: crowd.canvas, matrix: matrix.canvas, motion: $("motion-plot") };
const idle = window.requestIdleCallback || (later => setTimeout(later, 200));
const due = new Set(), outOfSight = new Set();
let asked = false;
// Draws in the next frame. What is asked for comes first; what merely follows a selection waits one frame more, and what
// is out of sight until it comes into view, or until there is nothing else to do.
function draw(...views) {
  views.forEach(name => due.add(name));
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => {
    asked = false;
    const now = [...due].filter(name => !outOfSight.has(name));
    now.forEach(name => { due.delete(name); draws[name](); });
    if (due.size) idle(() => [...due].forEach(name => { due.delete(name); draws[name](); }));
  });
}
const follow = (...views) => requestAnimationFrame(() => requestAnimationFrame(() => draw(...views)));
const sight = new IntersectionObserver(seen => seen.forEach(({ target, isIntersecting }) => {
  const name = ALL.find(name => CANVAS[name] === target);
  if (!isIntersecting) return outOfSight.add(name);
  outOfSight.delete(name);
  if (due.has(name)) draw();
}), { rootMargin: "100px" });
ALL.forEach(name => sight.observe(CANVAS[name]));

const DIGIT = label => (label < 0 ? "none" : String(label + 1));
const titleOf = roi => `ROI ${R.number[roi]}${D.planes.length > 1 ? `, plane ${R.plane[roi] + 1}` : ""}`;
function select(roi) {
  if (roi === undefined || roi < -1) return;
  state.roi = roi;
  if (roi >= 0) {
    if (R.plane[roi] !== state.plane) setPlane(R.plane[roi]);
    if (!R.cell[roi] && !state.others) { $("others").checked = state.others = true; }
    if (state.cluster !== null && R.cluster[roi] !== state.cluster) setCluster(null);
    centreOn(roi);
    const at = (rowsShown(), crowd.row.get(roi)), box = crowd.canvas.getBoundingClientRect(), page = perPage(crowdBox(box.width, box.height));
    if (at !== undefined && (at < crowd.top || at >= crowd.top + page)) crowd.top = at - (page >> 1);
  }
  tell(roi);
  draw("field", "detail");
  follow("traces", "matrix");
}
function tell(roi) {
  $("roi-title").textContent = roi < 0 ? "No ROI selected" : titleOf(roi);
  if (document.activeElement !== $("jump")) $("jump").value = roi < 0 ? "" : R.number[roi];
  const list = roi < 0 ? [] : [
    ["Cluster", DIGIT(R.cluster[roi])], ["Cell (evidence)", `${R.cell[roi] ? "yes" : "no"} (${short(R.probability[roi], 2)})`],
    ["Signal to noise", short(R.snr[roi])], ["Skewness", short(R.skew[roi])], ["Area", `${R.area[roi]} px`],
    ["Centre y, x", `${R.y[roi]}, ${R.x[roi]}`], ["Neuropil taken off", short(R.coefficient[roi], 2)], ["In suite2p", `plane${R.plane[roi]}, ${R.roi[roi]}`],
  ];
  $("roi-facts").replaceChildren(...list.map(([name, value], i) => {
    const row = document.createElement("div"), dd = document.createElement("dd");
    if (i === 0) { const swatch = document.createElement("i"); swatch.style.background = color(R.cluster[roi]); dd.append(swatch); }
    dd.append(value);
    row.append(Object.assign(document.createElement("dt"), { textContent: name }), dd);
    return row;
  }));
  $("said").textContent = roi < 0 ? "Nothing selected" : `${titleOf(roi)}. ${list.map(([name, value]) => `${name} ${value}`).join(", ")}.`;
}
function step(by) {
  const rows = rowsShown();
  if (!rows.length) return;
  const at = crowd.row.get(state.roi);
  select(rows[at === undefined ? 0 : Math.max(0, Math.min(rows.length - 1, at + by))]);
}
function setPlane(plane) {
  state.plane = plane; $("plane").value = plane; field.scale = 1; field.hover = -1;
  draw("field", "motion");
}
function setCluster(label) {
  state.cluster = state.cluster === label ? null : label;
  for (const chip of $("clusters").children) chip.setAttribute("aria-pressed", String((chip.dataset.label === "all" ? null : Number(chip.dataset.label)) === state.cluster));
  if (state.roi >= 0 && state.cluster !== null && R.cluster[state.roi] !== state.cluster) { state.roi = -1; tell(-1); }
  $("said").textContent = state.cluster === null ? "All clusters" : `Cluster ${state.cluster + 1}, ${counted(rowsShown().length, "cell")}`;
  draw(...ALL);
}
function choose(group, key, value) {
  state[key] = value;
  for (const button of $(group).children) button.setAttribute("aria-pressed", String(button.dataset[key] === value));
}
function setTime(from, to) {
  const span = Math.max(Math.min(8, FRAMES), Math.min(FRAMES, to - from));
  const start = Math.max(0, Math.min(FRAMES - span, (from + to - span) / 2));
  view.from = start; view.to = Math.max(start + span, start + 1);
  draw(...TIMED);
}
function zoomTime(factor, around = (view.from + view.to) / 2) { setTime(around + (view.from - around) * factor, around + (view.to - around) * factor); }
const moveTime = part => { const by = part * (view.to - view.from); const held = Math.max(-view.from, Math.min(FRAMES - view.to, by)); setTime(view.from + held, view.to + held); };

function chips() {
  const counts = new Map(), add = (text, label, n) => {
    const chip = document.createElement("button"), swatch = document.createElement("i"), many = document.createElement("span");
    chip.type = "button"; chip.className = "chip"; chip.dataset.label = label;
    if (label !== "all") { swatch.dataset.label = label; chip.append(swatch); }
    many.textContent = n.toLocaleString("en");
    chip.append(text, many);
    chip.setAttribute("aria-pressed", String(label === "all"));
    chip.onclick = () => setCluster(label === "all" ? null : label);
    $("clusters").append(chip);
  };
  D.clusters.order.forEach(roi => counts.set(R.cluster[roi], (counts.get(R.cluster[roi]) || 0) + 1));
  add("All cells", "all", D.clusters.order.length);
  [...counts].sort((a, b) => a[0] - b[0]).forEach(([label, n]) => add(`Cluster ${label + 1}`, label, n));
}
const tint = () => document.querySelectorAll(".chip i").forEach(i => { i.style.background = color(Number(i.dataset.label)); });

// Light or dark: the system's, until somebody chooses.
const night = matchMedia("(prefers-color-scheme: dark)");
let chosen = null;
function theme(name) {
  root.dataset.theme = name || chosen || (night.matches ? "dark" : "light");
  readInk();
  $("theme-word").textContent = ink.dark ? "Light" : "Dark";
  $("theme").setAttribute("aria-pressed", String(ink.dark));
  tint();
  if (state.roi >= 0) tell(state.roi);
}
function toggleTheme() { chosen = ink.dark ? "light" : "dark"; theme(); draw(...ALL); }

// Pointers. Over traces a drag chooses a time, with shift it moves.
const spot = (event, canvas) => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
function timePointer(panel, boxOf, clicked, over) {
  const canvas = panel.canvas, frame = x => { const { width, height } = canvas.getBoundingClientRect(); return Math.max(0, Math.min(FRAMES, frameAt(boxOf(width, height), x))); };
  let from = null;
  canvas.addEventListener("pointerdown", event => { if (event.button === 0) { from = { x: event.clientX, view: { ...view }, move: event.shiftKey }; canvas.setPointerCapture(event.pointerId); } });
  canvas.addEventListener("pointermove", event => {
    const [x, y] = spot(event, canvas);
    if (from && Math.abs(event.clientX - from.x) > 4) {
      if (from.move) { const by = (from.x - event.clientX) / canvas.clientWidth * (from.view.to - from.view.from); setTime(from.view.from + by, from.view.to + by); }
      else { panel.brush = [frame(x - (event.clientX - from.x)), frame(x)]; }
    }
    detail.cursor = frame(x);
    if (over) over(x, y);
    draw("detail", "traces");
  });
  canvas.addEventListener("pointerup", event => {
    const was = panel.brush;
    panel.brush = null;
    if (from && was && Math.abs(was[1] - was[0]) > 1) setTime(Math.min(...was), Math.max(...was));
    else if (from && !from.move && clicked) clicked(...spot(event, canvas));
    from = null;
    draw("detail", "traces");
  });
  canvas.addEventListener("pointerleave", () => { detail.cursor = null; crowd.hover = -1; draw("detail", "traces"); });
  canvas.addEventListener("dblclick", () => setTime(0, FRAMES));
  canvas.addEventListener("wheel", event => {
    const [x] = spot(event, canvas);
    if (event.ctrlKey || event.metaKey) { event.preventDefault(); zoomTime(Math.exp(event.deltaY * 0.004), frame(x)); }
    else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) { event.preventDefault(); moveTime(event.deltaX / canvas.clientWidth); }
    else if (event.shiftKey && panel === crowd) { event.preventDefault(); crowd.top += Math.sign(event.deltaY) * 3; draw("traces"); }
  }, { passive: false });
}
function fieldPointer() {
  const canvas = field.canvas;
  let from = null;
  canvas.addEventListener("pointerdown", event => { if (event.button === 0) { from = { x: event.clientX, y: event.clientY, at: [field.x, field.y], moved: false }; canvas.setPointerCapture(event.pointerId); } });
  canvas.addEventListener("pointermove", event => {
    if (from && Math.hypot(event.clientX - from.x, event.clientY - from.y) > 4) from.moved = true;
    if (from && from.moved) { field.x = from.at[0] + event.clientX - from.x; field.y = from.at[1] + event.clientY - from.y; return draw("field"); }
    const roi = roiAt(...spot(event, canvas));
    if (roi !== field.hover) { field.hover = roi; canvas.title = roi < 0 ? "" : `${titleOf(roi)}, ${R.cluster[roi] < 0 ? "not taken for a cell" : "cluster " + DIGIT(R.cluster[roi])}`; draw("field"); }
  });
  canvas.addEventListener("pointerup", event => { if (from && !from.moved) select(roiAt(...spot(event, canvas))); from = null; });
  canvas.addEventListener("pointerleave", () => { if (field.hover >= 0) { field.hover = -1; draw("field"); } });
  canvas.addEventListener("dblclick", () => { field.scale = 1; draw("field"); });
  canvas.addEventListener("wheel", event => { if (event.ctrlKey || event.metaKey) { event.preventDefault(); zoomField(Math.exp(-event.deltaY * 0.004), ...spot(event, canvas)); } }, { passive: false });
}
function matrixPointer() {
  const canvas = matrix.canvas;
  canvas.addEventListener("pointermove", event => {
    const at = cellAt(...spot(event, canvas));
    matrix.hover = at ? at.row : -1;
    if (!at) return draw("matrix");
    $("matrix-caption").textContent = at.cluster !== undefined ? `Cluster ${at.cluster + 1}` : `${titleOf(at.row)}${at.column >= 0 ? ` with ${titleOf(at.column)}` : ""}: ${short(at.value)}`;
  });
  canvas.addEventListener("pointerleave", () => { matrix.hover = -1; draw("matrix"); });
  canvas.addEventListener("click", event => { const at = cellAt(...spot(event, canvas)); if (!at) return; if (at.cluster !== undefined) setCluster(at.cluster); else select(at.row); });
}

// Keys.
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
function keyInPanel(event, key) {
  const at = document.activeElement, timed = at === detail.canvas || at === crowd.canvas, arrow = ARROWS[key];
  const zoom = { "+": 1, "=": 1, "-": -1 }[key];
  if (at === field.canvas) {
    if (arrow) { const roi = neighbour(...arrow); if (roi >= 0) select(roi); return true; }
    if (zoom) { zoomField(zoom > 0 ? 1.5 : 1 / 1.5, ...(state.roi >= 0 ? onCanvas(state.roi) : [])); return true; }
    if (key === "0") { field.scale = 1; draw("field"); return true; }
  }
  if (timed || at === matrix.canvas) {
    if (arrow && arrow[1]) { step(arrow[1]); return true; }
    if (key === "PageDown" || key === "PageUp") { const { width, height } = crowd.canvas.getBoundingClientRect(); crowd.top += (key === "PageDown" ? 1 : -1) * perPage(crowdBox(width, height)); draw("traces"); return true; }
  }
  if (timed) {
    if (arrow) { moveTime(arrow[0] * 0.2); return true; }
    if (zoom) { zoomTime(zoom > 0 ? 1 / 1.6 : 1.6); return true; }
    if (key === "0") { setTime(0, FRAMES); return true; }
  }
  return false;
}
function onCanvas(roi) { const { width, height } = field.canvas.getBoundingClientRect(), at = place(width, height); return [at.x + R.x[roi] * at.z, at.y + R.y[roi] * at.z]; }
const KEYS = {
  j: () => step(1), k: () => step(-1), a: () => setCluster(null), t: toggleTheme, o: () => $("outlines").click(),
  "?": () => $("help").showModal(), Escape: () => select(-1),
};
addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey || $("help").open || /^(INPUT|SELECT)$/.test(event.target.tagName) && event.target.type !== "checkbox") return;
  if (keyInPanel(event, event.key)) return event.preventDefault();
  const label = Number(event.key) - 1;
  if (label >= 0 && label < D.clusters.in_use && event.key !== " ") return setCluster(label);
  if (KEYS[event.key]) KEYS[event.key]();
});

function wire() {
  $("kinds").onclick = event => { if (event.target.dataset.kind) { choose("kinds", "kind", event.target.dataset.kind); draw("field"); } };
  $("modes").onclick = event => { if (event.target.dataset.mode) { choose("modes", "mode", event.target.dataset.mode); crowd.top = 0; draw("traces"); } };
  $("outlines").onchange = event => { state.outlines = event.target.checked; draw("field"); };
  $("others").onchange = event => { state.others = event.target.checked; draw(...ALL); };
  $("sort").onchange = event => { state.sort = event.target.value; draw("traces"); };
  $("plane").onchange = event => setPlane(Number(event.target.value));
  $("jump").onchange = event => { const roi = R.number.indexOf(Number(event.target.value)); if (roi >= 0) select(roi); else event.target.value = state.roi < 0 ? "" : R.number[state.roi]; };
  $("previous").onclick = () => step(-1); $("next").onclick = () => step(1);
  $("field-in").onclick = () => zoomField(1.5); $("field-out").onclick = () => zoomField(1 / 1.5); $("field-whole").onclick = () => { field.scale = 1; draw("field"); };
  $("time-in").onclick = () => zoomTime(1 / 1.6); $("time-out").onclick = () => zoomTime(1.6); $("time-whole").onclick = () => setTime(0, FRAMES);
  $("theme").onclick = toggleTheme; $("help-open").onclick = () => $("help").showModal();
  timePointer(detail, laneBox);
  timePointer(crowd, crowdBox, (x, y) => { const row = rowAt(y); if (row >= 0) select(rowsShown()[row]); }, (x, y) => { crowd.hover = rowAt(y); });
  fieldPointer(); matrixPointer();
  night.addEventListener("change", () => { theme(); draw(...ALL); });
  addEventListener("resize", () => draw(...ALL));
  // Paper is white.
  addEventListener("beforeprint", () => { theme("light"); ALL.forEach(name => draws[name]()); });
  addEventListener("afterprint", () => { theme(); draw(...ALL); });
}

D.planes.forEach((_, i) => $("plane").append(new Option(String(i + 1), i)));
$("plane-label").hidden = D.planes.length < 2;
if (D.clusters.order.length > 60) choose("modes", "mode", "heat");
theme(); chips(); tint(); cards(); wire();
// The page is seen first, then filled.
draw("field", "matrix");
requestAnimationFrame(() => setTimeout(() => { select(D.clusters.order.length ? D.clusters.order[0] : N ? 0 : -1); draw(...ALL); root.dataset.ready = "yes"; }, 0));
