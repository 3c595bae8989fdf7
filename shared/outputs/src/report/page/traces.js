// Traces: of the selected ROI in four signals, and of all cells together.
const detail = { canvas: $("detail"), cursor: null, brush: null };
const crowd = { canvas: $("traces"), top: 0, rows: [], key: "", heat: null, heatKey: "", hover: -1 };
const LEFT = 64;

const laneBox = (w, h) => ({ x: LEFT, y: 10, w: w - LEFT - 14, h: h - 42 });
function lane(c, box, title, unit, [low, high], draw) {
  const pad = (high - low || 1) * 0.06, y = v => box.y + box.h - (v - low + pad) / (high - low + 2 * pad || 1) * box.h;
  c.strokeStyle = ink.line; c.fillStyle = ink.muted; c.lineWidth = 1; c.textAlign = "right"; c.textBaseline = "middle";
  for (const v of ticks(low, high, box.h / 38)) {
    const at = Math.round(y(v)) + 0.5;
    c.globalAlpha = 0.6; c.beginPath(); c.moveTo(box.x, at); c.lineTo(box.x + box.w, at); c.stroke(); c.globalAlpha = 1;
    c.fillText(short(v, 4), box.x - 8, at);
  }
  c.save();
  c.beginPath(); c.rect(box.x, box.y - 2, box.w, box.h + 4); c.clip();
  draw(y);
  c.restore();
  c.fillStyle = ink.ink; c.textAlign = "left"; c.textBaseline = "alphabetic"; c.font = "600 " + c.font;
  c.fillText(title, box.x, box.y - 6);
  const wide = c.measureText(title).width;
  c.font = c.font.replace("600 ", "");
  c.fillStyle = ink.muted; c.fillText(unit, box.x + wide + 8, box.y - 6);
}
function nothing(c, w, h, words) {
  c.fillStyle = ink.muted; c.textAlign = "center"; c.textBaseline = "middle";
  c.fillText(words, w / 2, h / 2);
}

function drawDetail() {
  const { c, w, h } = surface(detail.canvas), box = laneBox(w, h), roi = state.roi;
  if (roi < 0) return nothing(c, w, h, N ? "Click a ROI in the image, a trace or a row of the matrix." : "No ROI was found in this recording.");
  const f = trace(roi, F), around = trace(roi, NEUROPIL), dff = trace(roi, DFF), spikes = trace(roi, SPIKES), tone = color(R.cluster[roi]);
  const gap = 26, each = (box.h - 2 * gap - 14) / 10;
  const at = (y, units) => ({ ...box, y, h: each * units });
  const both = [reach(f, box), reach(around, box)], grey = ink.muted;
  let y = box.y + 14;
  lane(c, at(y, 4), "Fluorescence", "raw units; grey: neuropil", [Math.min(both[0][0], both[1][0]), Math.max(both[0][1], both[1][1])], to => {
    line(c, around, box, to, grey, 1); line(c, f, box, to, tone);
  });
  y += each * 4 + gap;
  const ratio = dff.any ? reach(dff, box) : [0, 1];
  lane(c, at(y, 4), "dF/F", dff.any ? "%, of the trace freed of neuropil" : "no meaning here: the baseline is not above zero", [100 * Math.min(0, ratio[0]), 100 * ratio[1]], to => {
    if (dff.any) line(c, dff, box, v => to(100 * v), tone);
  });
  y += each * 4 + gap;
  lane(c, at(y, 2), "Spikes", "deconvolved, units of the trace", [0, Math.max(reach(spikes, box)[1], 1e-9)], to => stems(c, spikes, box, to, tone));
  timeAxis(c, box, box.y + box.h + 2);
  if (detail.cursor !== null) {
    const x = Math.round(across(box, detail.cursor)) + 0.5;
    c.strokeStyle = ink.muted; c.setLineDash([3, 3]); c.beginPath(); c.moveTo(x, box.y); c.lineTo(x, box.y + box.h); c.stroke(); c.setLineDash([]);
  }
  brush(c, detail, box);
  readout(roi, f, around, dff, spikes);
}
function brush(c, panel, box) {
  if (!panel.brush) return;
  const [a, b] = panel.brush.map(frame => across(box, frame));
  c.globalAlpha = 0.18; c.fillStyle = ink.accent; c.fillRect(Math.min(a, b), box.y, Math.abs(b - a), box.h); c.globalAlpha = 1;
}
function readout(roi, f, around, dff, spikes) {
  const per = FRAMES / dff.n, thin = per > 1 ? ` Each point is the range of ${short(per)} frames; traces.csv has every frame.` : "";
  if (detail.cursor === null) { $("readout").textContent = (view.to - view.from < FRAMES ? `${when(view.from)} to ${when(view.to)}.` : "Drag to zoom in time.") + thin; return; }
  const value = (s, factor = 1) => {
    const i = Math.min(s.n - 1, Math.max(0, Math.floor(detail.cursor * s.n / s.frames)));
    const low = short(factor * s.low[i]), high = short(factor * s.high[i]);
    return s.kind === ENVELOPE && low !== high ? `${low} to ${high}` : high;
  };
  $("readout").textContent = `${when(detail.cursor)} · F ${value(f)} · neuropil ${value(around)} · dF/F ${value(dff, 100)} % · spikes ${value(spikes)}`;
}

// The rows of the view of all cells, in the order asked for.
const PEAKS = new Map();
function peakOf(roi) {
  if (!PEAKS.has(roi)) {
    const s = shape(roi);
    let best = 0, rest = 0, n = 0;
    for (let i = 0; i < s.n; i++) { if (s.high[i] > s.high[best] || !(s.high[best] >= 0 || s.high[best] < 0)) best = i; if (s.low[i] === s.low[i]) { rest += (s.low[i] + s.high[i]) / 2; n++; } }
    PEAKS.set(roi, { frame: best, base: dffOf(s, roi) ? 0 : rest / Math.max(1, n), top: s.high[best] });
  }
  return PEAKS.get(roi);
}
const dffOf = (s, roi) => s === kept.get(roi * 4 + DFF) && s.any;
function rowsShown() {
  const key = [state.cluster, state.others, state.sort].join();
  if (crowd.key === key) return crowd.rows;
  const inOrder = D.clusters.order.filter(roi => state.cluster === null || R.cluster[roi] === state.cluster), seen = new Set(inOrder);
  for (let i = 0; i < N; i++) if (!seen.has(i) && state.cluster === null && (R.cell[i] || state.others)) inOrder.push(i);
  const by = { number: i => R.number[i], snr: i => -R.snr[i], probability: i => -R.probability[i], area: i => -R.area[i], peak: i => peakOf(i).frame };
  if (by[state.sort]) {
    const value = by[state.sort], of = new Map(inOrder.map(i => [i, value(i)]));
    inOrder.sort((a, b) => of.get(a) - of.get(b) || a - b);
  }
  // One unit for all: the height that half of the rows reach.
  const tops = inOrder.map(i => peakOf(i).top - peakOf(i).base).filter(v => v > 0).sort((a, b) => a - b);
  crowd.unit = tops[tops.length >> 1] || 1;
  crowd.rows = inOrder; crowd.key = key; crowd.row = new Map(inOrder.map((roi, i) => [roi, i])); crowd.top = 0; crowd.heatKey = "";
  return inOrder;
}
const LEAST_ROW = 13;
// Lines have headroom: the peaks of the first row reach above it.
const headroom = () => (state.mode === "lines" ? 36 : 0);
const crowdBox = (w, h) => ({ x: 34, y: 6 + headroom(), w: w - 48, h: h - 38 - headroom() });
const perPage = box => (state.mode === "heat" ? rowsShown().length : Math.max(1, Math.min(rowsShown().length, Math.floor(box.h / LEAST_ROW))));

function drawCrowd() {
  const { c, w, h, dense } = surface(crowd.canvas), box = crowdBox(w, h), rows = rowsShown();
  if (!rows.length) { $("traces-caption").textContent = ""; return nothing(c, w, h, "No cells to show."); }
  const page = perPage(box), selected = crowd.row.get(state.roi);
  crowd.top = Math.max(0, Math.min(rows.length - page, crowd.top));
  const high = box.h / page, shown = rows.slice(crowd.top, crowd.top + page);
  c.save(); c.beginPath(); c.rect(box.x, box.y - headroom(), box.w, box.h + headroom()); c.clip();
  markRows(c, box, page, high, selected, true);
  c.imageSmoothingEnabled = false;
  if (state.mode === "heat") c.drawImage(heat(box, dense, rows), box.x, box.y, box.w, box.h);
  else c.drawImage(lines(w, h, dense, box, shown, high), 0, 0, w, h);
  c.restore();
  side(c, box, shown, high);
  markRows(c, box, page, high, selected, false);
  if (detail.cursor !== null) {
    const x = Math.round(across(box, detail.cursor)) + 0.5;
    c.strokeStyle = ink.muted; c.setLineDash([3, 3]); c.beginPath(); c.moveTo(x, box.y); c.lineTo(x, box.y + box.h); c.stroke(); c.setLineDash([]);
  }
  brush(c, crowd, box);
  timeAxis(c, box, box.y + box.h + 2);
  const what = shape(rows[0]).any && dffOf(shape(rows[0]), rows[0]) ? `${short(100 * crowd.unit)} % dF/F` : `${short(crowd.unit)} raw units`;
  $("traces-caption").textContent = state.mode === "heat"
    ? `${counted(rows.length, "trace")}; the strongest ink is ${what}.`
    : `${page < rows.length ? `Rows ${crowd.top + 1} to ${crowd.top + page} of ${rows.length.toLocaleString("en")} (page up and down). ` : ""}A row is as high as ${what}.`;
}
// The row under the pointer and the selected one: a tint below lines, a frame around a stripe of the heat map.
function markRows(c, box, page, high, selected, below) {
  if (below !== (state.mode === "lines")) return;
  for (const [at, alpha] of [[crowd.hover, 0.5], [selected === undefined ? -1 : selected, 1]]) {
    const row = at - crowd.top;
    if (at < 0 || row < 0 || row >= page) continue;
    const tall = Math.max(5, high), y = box.y + (row + 0.5) * high - tall / 2;
    c.strokeStyle = c.fillStyle = ink.accent; c.lineWidth = 1.5;
    c.globalAlpha = below ? 0.16 * alpha : alpha;
    if (below) c.fillRect(box.x, y, box.w, tall); else c.strokeRect(box.x + 0.5, y, box.w - 1, tall);
    c.globalAlpha = 1;
  }
}
// All lines are kept as one picture: a selection changes none of them.
function lines(w, h, dense, box, shown, high) {
  const key = [w, h, dense, view.from, view.to, ink.dark, crowd.key, crowd.top].join();
  if (crowd.linesKey === key) return crowd.lines;
  const canvas = crowd.lines || (crowd.lines = document.createElement("canvas"));
  canvas.width = Math.round(w * dense); canvas.height = Math.round(h * dense);
  const c = canvas.getContext("2d");
  c.setTransform(dense, 0, 0, dense, 0, 0);
  c.lineJoin = "round";
  shown.forEach((roi, i) => {
    const base = box.y + (i + 0.86) * high, { base: rest } = peakOf(roi);
    line(c, shape(roi), box, v => base - Math.max(-0.3, (v - rest) / crowd.unit) * high, color(R.cluster[roi]), high > 20 ? 1.2 : 1);
  });
  crowd.linesKey = key;
  return canvas;
}
// Clusters beside the rows, with their numbers where they fit.
function side(c, box, shown, high) {
  c.textAlign = "right"; c.textBaseline = "middle";
  for (let i = 0; i < shown.length;) {
    let j = i;
    while (j < shown.length && R.cluster[shown[j]] === R.cluster[shown[i]]) j++;
    const label = R.cluster[shown[i]];
    c.fillStyle = color(label); c.fillRect(box.x - 9, box.y + i * high, 5, Math.max(1, (j - i) * high - (high > 3 ? 1 : 0)));
    if ((j - i) * high > 13 && label >= 0) { c.fillStyle = ink.muted; c.fillText(label + 1, box.x - 14, box.y + (i + j) / 2 * high); }
    i = j;
  }
}
function heat(box, dense, rows) {
  const w = Math.max(1, Math.round(box.w * Math.min(dense, 1.5))), h = Math.min(rows.length, Math.round(box.h * Math.min(dense, 1.5)));
  const key = [w, h, view.from, view.to, ink.dark, crowd.key].join();
  if (crowd.heatKey === key) return crowd.heat;
  const canvas = crowd.heat || (crowd.heat = document.createElement("canvas"));
  canvas.width = w; canvas.height = h;
  const c = canvas.getContext("2d"), image = c.createImageData(w, h), out = new Uint32Array(image.data.buffer), table = heatTable();
  const sum = new Float32Array(w);
  for (let y = 0; y < h; y++) {
    const a = Math.floor(y * rows.length / h), b = Math.max(a + 1, Math.floor((y + 1) * rows.length / h));
    sum.fill(0);
    for (let r = a; r < b; r++) addRow(sum, shape(rows[r]), peakOf(rows[r]).base);
    const scale = 255 / (crowd.unit * 0.8 * (b - a));
    for (let x = 0; x < w; x++) out[y * w + x] = table[Math.max(0, Math.min(255, sum[x] * scale | 0))];
  }
  c.putImageData(image, 0, 0);
  crowd.heatKey = key;
  return canvas;
}
function addRow(sum, s, base) {
  const per = s.n / s.frames, step = (view.to - view.from) / sum.length * per;
  let at = view.from * per;
  for (let x = 0; x < sum.length; x++, at += step) {
    const from = Math.max(0, Math.floor(at)), to = Math.max(from + 1, Math.min(s.n, Math.floor(at + step)));
    let top = -Infinity;
    for (let i = from; i < to; i++) if (s.high[i] > top) top = s.high[i];
    if (top > base) sum[x] += top - base;
  }
}
function rowAt(py) {
  const { width, height } = crowd.canvas.getBoundingClientRect(), box = crowdBox(width, height), page = perPage(box);
  const row = crowd.top + Math.floor((py - box.y) / box.h * page);
  return py < box.y || py > box.y + box.h ? -1 : row < rowsShown().length ? row : -1;
}
