// The matrix by cluster, and what is known over time of the recording itself.
const matrix = { canvas: $("matrix"), hover: -1, bitmap: null };

function matrixBox(w, h) {
  const room = Math.min(w - 34 - 74, h - 22 - 22);
  return { x: 34 + Math.max(0, (w - 34 - 74 - room) / 2), y: 22 + Math.max(0, (h - 44 - room) / 2), w: room, h: room };
}
function matrixBitmap() {
  if (matrix.bitmap) return matrix.bitmap;
  const { height, width, codes } = D.matrix, canvas = document.createElement("canvas"), values = matrix.values = bytes(codes);
  canvas.width = width; canvas.height = height;
  const c = canvas.getContext("2d"), image = c.createImageData(width, height);
  values.forEach((code, i) => image.data.set([...diverging((code - 128) / 127), 255], 4 * i));
  c.putImageData(image, 0, 0);
  return (matrix.bitmap = canvas);
}
function drawMatrix() {
  const { c, w, h } = surface(matrix.canvas);
  const what = D.clusters.by === "correlation" ? "Correlation" : "Covariance";
  $("matrix-title").textContent = `${what} by cluster`;
  if (!D.matrix) { $("matrix-caption").textContent = ""; return nothing(c, w, h, "No cells to compare."); }
  const box = matrixBox(w, h), order = D.clusters.order, { height, width } = D.matrix;
  c.imageSmoothingEnabled = Math.max(height, width) > box.w;
  c.drawImage(matrixBitmap(), box.x, box.y, box.w, box.h);
  c.strokeStyle = ink.line; c.strokeRect(box.x - 0.5, box.y - 0.5, box.w + 1, box.h + 1);
  bars(c, box);
  const mark = (at, alpha) => {
    if (at === undefined || at < 0) return;
    const y = box.y + (at + 0.5) / order.length * box.h, x = box.x + (at + 0.5) / order.length * box.w, tall = Math.max(3, box.h / order.length);
    c.globalAlpha = alpha; c.lineWidth = 1.5;
    for (const [stroke, grow] of [["#fff", 1], ["#111", 0]]) {
      c.strokeStyle = stroke;
      c.strokeRect(box.x - grow, y - tall / 2 - grow, box.w + 2 * grow, tall + 2 * grow);
      if (height === width) c.strokeRect(x - tall / 2 - grow, box.y - grow, tall + 2 * grow, box.h + 2 * grow);
    }
    c.globalAlpha = 1;
  };
  mark(D.position.get(state.roi), 1);
  legend(c, box, what.toLowerCase());
  if (matrix.hover < 0) $("matrix-caption").textContent = `${counted(order.length, "cell")}, each row one cell; beside and above: clusters.`;
}
function bars(c, box) {
  c.textBaseline = "middle"; c.textAlign = "right";
  for (const [runs, down] of [[D.matrix.rows, true], [D.matrix.columns, false]]) {
    const all = runs.reduce((sum, [, n]) => sum + n, 0);
    let at = 0;
    for (const [label, n] of runs) {
      const from = at / all * box.h, size = n / all * box.h;
      c.fillStyle = color(label);
      c.globalAlpha = state.cluster === null || state.cluster === label ? 1 : 0.3;
      if (down) c.fillRect(box.x - 11, box.y + from, 6, Math.max(1, size - 1)); else c.fillRect(box.x + from, box.y - 11, Math.max(1, size - 1), 6);
      c.globalAlpha = 1;
      if (down && size > 13) { c.fillStyle = ink.muted; c.fillText(label + 1, box.x - 16, box.y + from + size / 2); }
      at += n;
    }
  }
}
function legend(c, box, what) {
  const x = box.x + box.w + 14, steps = 64;
  for (let i = 0; i < steps; i++) { c.fillStyle = `rgb(${diverging(1 - 2 * i / (steps - 1))})`; c.fillRect(x, box.y + i / steps * box.h, 12, box.h / steps + 1); }
  c.fillStyle = ink.muted; c.textAlign = "left"; c.textBaseline = "middle";
  for (const [part, value] of [[0, D.matrix.limit], [0.5, 0], [1, -D.matrix.limit]]) c.fillText(short(value, 2), x + 18, box.y + Math.min(box.h - 6, Math.max(6, part * box.h)));
  c.save(); c.translate(x + 26, box.y + box.h * 0.25); c.rotate(-Math.PI / 2); c.textAlign = "center"; c.fillText(what, 0, 0); c.restore();
}
// The cell of a row under the pointer, and the value there.
function cellAt(px, py) {
  const { width, height } = matrix.canvas.getBoundingClientRect(), box = matrixBox(width, height), order = D.clusters.order;
  if (!D.matrix || !order.length) return null;
  const u = (px - box.x) / box.w, v = (py - box.y) / box.h;
  if (v < 0 || v >= 1) return null;
  // The bar beside the rows stands for whole clusters.
  const row = order[Math.floor(v * order.length)];
  if (u < 0) return { row, cluster: R.cluster[row] };
  if (u >= 1) return null;
  const value = (matrix.values[Math.floor(v * D.matrix.height) * D.matrix.width + Math.floor(u * D.matrix.width)] - 128) / 127 * D.matrix.limit;
  return { row, column: D.matrix.height === D.matrix.width ? order[Math.floor(u * order.length)] : -1, value };
}

const overTime = new Map();
function timeSeries(plane) {
  if (!overTime.has(plane)) {
    const p = D.planes[plane];
    overTime.set(plane, { y: series(p.y), x: series(p.x), corr: series(p.corr), bad: series(p.bad) });
  }
  return overTime.get(plane);
}
const brightness = (() => {
  const seen = series(D.brightness);
  // Every n-th frame was looked at: the series spans all of them.
  if (seen) seen.frames = D.brightness.every * seen.frames;
  return seen;
})();
const surround = series(T.surround);

function drawMotion() {
  const { c, w, h } = surface($("motion-plot")), box = laneBox(w, h), s = timeSeries(state.plane), p = D.planes[state.plane];
  if (!s.y) return nothing(c, w, h, "No frames.");
  const gap = 26, each = (box.h - 2 * gap - 14) / 3, at = i => ({ ...box, y: box.y + 14 + i * (each + gap), h: each });
  const [blue, orange] = [color(0), color(1)], ends = [reach(s.y, box), reach(s.x, box)];
  shadeBad(c, s.bad, box);
  lane(c, at(0), "Shift of the frame", "pixels", [Math.min(ends[0][0], ends[1][0]), Math.max(ends[0][1], ends[1][1])], to => {
    line(c, s.x, box, to, orange, 1.1); line(c, s.y, box, to, blue, 1.1);
  });
  c.textAlign = "right"; c.textBaseline = "alphabetic";
  c.fillStyle = orange; c.fillText("along x", box.x + box.w, box.y + 8);
  c.fillStyle = blue; c.fillText("along y", box.x + box.w - 56, box.y + 8);
  lane(c, at(1), "Likeness to the reference", "peak of the phase correlation", reach(s.corr, box), to => line(c, s.corr, box, to, color(2), 1.1));
  const light = brightness || surround, words = brightness ? "mean of the raw frames, raw units" : "mean neuropil of all ROIs, raw units";
  if (light) lane(c, at(2), "Brightness", words, reach(light, box), to => line(c, light, box, to, color(3), 1.1));
  timeAxis(c, box, box.y + box.h + 2);
  const plane = D.planes.length > 1 ? `Plane ${state.plane + 1}. ` : "";
  $("motion-caption").textContent = `${plane}${counted(p.bad_frames, "frame")} kept out of detection${p.bad_frames ? ", shaded" : ""}. The time shown is that of the traces above.`;
}
function shadeBad(c, bad, box) {
  if (!bad) return;
  c.globalAlpha = 0.25; c.fillStyle = ink.problem;
  for (const [x, , high] of inView(bad, box).found) if (high > 0) c.fillRect(x - 1, box.y, 2, box.h);
  c.globalAlpha = 1;
}

// Figures of the registration, as cards.
function cards() {
  const most = of => Math.max(...D.planes.map(of)), all = of => D.planes.reduce((sum, p) => sum + of(p), 0);
  const raw = all(p => p.crispness[0] || 0), after = all(p => p.crispness[1] || 0), bad = all(p => p.bad_frames);
  const each = D.planes.length > 1 ? ", all planes" : "";
  const list = [
    [raw > 0 ? `${after >= raw ? "+" : "−"}${short(Math.abs(100 * (after / raw - 1)), 2)} %` : "–", `crispness of the mean by registration (${short(raw)} before, ${short(after)} after${each})`],
    [`${short(most(p => p.largest_px || 0), 2)} px`, "largest shift that was undone"],
    [`${short(most(p => p.rms_px || 0), 2)} px`, "root mean square of the shifts"],
    [bad.toLocaleString("en"), `${bad === 1 ? "frame" : "frames"} kept out of detection${each}`],
  ];
  const scores = D.clusters.silhouettes;
  if (scores.length) list.push([String(D.clusters.in_use), `clusters, by silhouette (${scores.map(([k, mean]) => `${k}: ${short(mean, 2)}`).join(", ")})`]);
  for (const [value, words] of list) {
    const card = document.createElement("div");
    card.className = "card";
    card.append(Object.assign(document.createElement("b"), { textContent: value }), Object.assign(document.createElement("span"), { textContent: words }));
    $("cards").append(card);
  }
}
