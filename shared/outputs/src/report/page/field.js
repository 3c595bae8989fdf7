// The image of the tissue. What lies under the pointer is read from the index image: no element stands for a ROI.
const PICTURES = { mean: "Mean of the registered frames", max: "Maximum over time", sd: "Standard deviation over time", first: "First raw frame" };
const field = { canvas: $("field"), scale: 1, x: 0, y: 0, label: null, base: null, baseKey: "", images: new Map(), hover: -1 };

function visibleRois() {
  const key = [state.plane, state.others, state.cluster].join();
  if (field.visibleKey !== key) {
    field.visible = [];
    for (let i = 0; i < N; i++) {
      if (R.plane[i] !== state.plane || (!R.cell[i] && !state.others) || (state.cluster !== null && R.cluster[i] !== state.cluster)) continue;
      field.visible.push(i);
    }
    field.label = null;
    field.visibleKey = key;
  }
  return field.visible;
}
function labelMap() {
  const visible = visibleRois();
  return field.label || (field.label = labelled(state.plane, visible));
}

function pictureOf(plane, kind) {
  const id = `picture-${plane}-${kind}`;
  if (!field.images.has(id)) {
    const image = new Image();
    image.onload = () => { field.baseKey = ""; draw("field"); };
    image.src = "data:image/png;base64," + carried(id);
    field.images.set(id, image);
  }
  return field.images.get(id);
}

// Image pixels to the canvas, and back.
function place(w, h) {
  const { height, width } = D.planes[state.plane];
  const whole = Math.min(w / width, h / height), z = whole * field.scale;
  const limit = (shift, size, room) => (size * z <= room ? (room - size * z) / 2 : Math.min(0, Math.max(room - size * z, shift)));
  field.x = limit(field.x, width, w); field.y = limit(field.y, height, h);
  return { z, x: field.x, y: field.y };
}
function zoomField(factor, px, py) {
  const { width: w, height: h } = field.canvas.getBoundingClientRect();
  const at = place(w, h), scale = Math.max(1, Math.min(40, field.scale * factor)), real = scale / field.scale;
  const [cx, cy] = px === undefined ? [w / 2, h / 2] : [px, py];
  field.x = cx - (cx - at.x) * real; field.y = cy - (cy - at.y) * real; field.scale = scale;
  draw("field");
}
function centreOn(roi) {
  if (field.scale === 1) return;
  const { width: w, height: h } = field.canvas.getBoundingClientRect(), { z } = place(w, h);
  const px = field.x + (R.x[roi] + 0.5) * z, py = field.y + (R.y[roi] + 0.5) * z;
  if (px < 20 || py < 20 || px > w - 20 || py > h - 20) { field.x = w / 2 - R.x[roi] * z; field.y = h / 2 - R.y[roi] * z; }
}

// The outline of a ROI along the edges of its pixels.
const outlinePaths = new Map();
function outlineOf(roi) {
  if (outlinePaths.has(roi)) return outlinePaths.get(roi);
  const path = new Path2D(), rows = new Map();
  eachRun(roi, (y, x, n) => { if (!rows.has(y)) rows.set(y, []); rows.get(y).push([x, x + n]); });
  const uncovered = (spans, from, to, what) => {
    let at = from;
    for (const [a, b] of spans || []) { if (b <= at || a >= to) continue; if (a > at) what(at, a); at = Math.max(at, b); }
    if (at < to) what(at, to);
  };
  for (const [y, spans] of rows) for (const [a, b] of spans) {
    path.moveTo(a, y); path.lineTo(a, y + 1); path.moveTo(b, y); path.lineTo(b, y + 1);
    uncovered(rows.get(y - 1), a, b, (p, q) => { path.moveTo(p, y); path.lineTo(q, y); });
    uncovered(rows.get(y + 1), a, b, (p, q) => { path.moveTo(p, y + 1); path.lineTo(q, y + 1); });
  }
  outlinePaths.set(roi, path);
  return path;
}
// Of many ROIs the pixels at the border are coloured instead: as fast for five thousand as for one. `thick` is how many
// pixels make one of the screen.
function borders(thick) {
  const { height, width } = D.planes[state.plane], map = labelMap(), canvas = document.createElement("canvas");
  canvas.width = width; canvas.height = height;
  const c = canvas.getContext("2d"), data = c.createImageData(width, height), out = new Uint32Array(data.data.buffer);
  const codes = new Map();
  const code = roi => {
    const label = R.cluster[roi];
    if (!codes.has(label)) {
      const rgb = parseInt(onDark(label).slice(1), 16);
      codes.set(label, (255 << 24 | (rgb & 255) << 16 | (rgb & 0xff00) | rgb >> 16) >>> 0);
    }
    return codes.get(label);
  };
  for (let y = 0, i = 0; y < height; y++) for (let x = 0; x < width; x++, i++) {
    const roi = map[i];
    if (roi < 0) continue;
    const inside = x >= thick && y >= thick && x < width - thick && y < height - thick;
    if (!inside || map[i - thick] !== roi || map[i + thick] !== roi || map[i - thick * width] !== roi || map[i + thick * width] !== roi) out[i] = code(roi);
  }
  c.putImageData(data, 0, 0);
  return canvas;
}

function drawBase(w, h, dense, at) {
  const picture = pictureOf(state.plane, state.kind);
  const key = [w, h, dense, at.z, at.x, at.y, state.kind, state.outlines, field.visibleKey, picture.complete].join();
  if (field.base && field.baseKey === key) return field.base;
  const canvas = field.base || (field.base = document.createElement("canvas"));
  canvas.width = Math.round(w * dense); canvas.height = Math.round(h * dense);
  const c = canvas.getContext("2d"), { height, width } = D.planes[state.plane];
  c.setTransform(dense * at.z, 0, 0, dense * at.z, dense * at.x, dense * at.y);
  c.imageSmoothingEnabled = at.z < 2;
  if (picture.complete && picture.naturalWidth) c.drawImage(picture, 0, 0, width, height);
  if (state.outlines) {
    const visible = visibleRois();
    if (visible.length > 800) {
      const thick = Math.max(1, Math.round(1.2 / at.z)), key = [thick, field.visibleKey].join();
      if (field.bordersKey !== key) { field.borders = borders(thick); field.bordersKey = key; }
      c.imageSmoothingEnabled = at.z < 1;
      c.drawImage(field.borders, 0, 0);
    } else {
      c.lineWidth = 1.3 / at.z; c.lineCap = "round";
      for (const roi of visible) { c.strokeStyle = onDark(R.cluster[roi]); c.globalAlpha = R.cell[roi] ? 1 : 0.7; c.stroke(outlineOf(roi)); }
      c.globalAlpha = 1;
    }
  }
  field.baseKey = key;
  return canvas;
}

function drawField() {
  const { c, w, h, dense } = surface(field.canvas), at = place(w, h);
  visibleRois();
  c.drawImage(drawBase(w, h, dense, at), 0, 0, w, h);
  const marked = [[field.hover, 1.5], [state.roi, 2.2]].filter(([roi]) => roi >= 0 && R.plane[roi] === state.plane);
  for (const [roi, width] of marked) {
    c.save();
    c.translate(at.x, at.y); c.scale(at.z, at.z);
    c.globalAlpha = 0.28; c.fillStyle = onDark(R.cluster[roi]);
    eachRun(roi, (y, x, n) => c.fillRect(x, y, n, 1));
    c.globalAlpha = 1; c.lineCap = "round";
    c.strokeStyle = "#000"; c.lineWidth = (width + 2.4) / at.z; c.stroke(outlineOf(roi));
    c.strokeStyle = "#fff"; c.lineWidth = width / at.z; c.stroke(outlineOf(roi));
    c.restore();
  }
  scaleBar(c, w, h, at.z);
  const range = D.planes[state.plane].pictures[state.kind], shown = visibleRois().length;
  $("field-caption").textContent = `${PICTURES[state.kind]}; black ${short(range[0])}, white ${short(range[1])}. ${counted(shown, "ROI")} shown.`;
}
function scaleBar(c, w, h, z) {
  if (!D.pixel_um) return;
  let um = nice(90 / (z / D.pixel_um));
  if (um * z / D.pixel_um > w / 2) um /= 5;
  const length = um * z / D.pixel_um;
  c.fillStyle = "rgb(0 0 0 / 55%)"; c.fillRect(w - length - 28, h - 42, length + 20, 34);
  c.fillStyle = "#fff"; c.fillRect(w - length - 18, h - 17, length, 3);
  c.textAlign = "center"; c.textBaseline = "bottom";
  c.fillText(short(um) + " µm", w - 18 - length / 2, h - 20);
}

// The ROI at a place of the canvas; the nearest within a few screen pixels where none is.
function roiAt(px, py) {
  const { width: w, height: h } = field.canvas.getBoundingClientRect(), at = place(w, h);
  const { height, width } = D.planes[state.plane], map = labelMap();
  const x = Math.floor((px - at.x) / at.z), y = Math.floor((py - at.y) / at.z), reach = Math.ceil(5 / at.z);
  let best = -1, nearest = Infinity;
  for (let v = Math.max(0, y - reach); v <= Math.min(height - 1, y + reach); v++) {
    for (let u = Math.max(0, x - reach); u <= Math.min(width - 1, x + reach); u++) {
      const roi = map[v * width + u], away = (v - y) ** 2 + (u - x) ** 2;
      if (roi >= 0 && away < nearest) { nearest = away; best = roi; }
    }
  }
  return best;
}
// The nearest visible ROI to one side of the selected one.
function neighbour(dx, dy) {
  const visible = visibleRois();
  if (state.roi < 0 || R.plane[state.roi] !== state.plane) return visible.length ? visible[0] : -1;
  let best = -1, least = Infinity;
  for (const roi of visible) {
    const x = R.x[roi] - R.x[state.roi], y = R.y[roi] - R.y[state.roi], along = x * dx + y * dy, aside = Math.abs(x * dy) + Math.abs(y * dx);
    if (along <= 0 || roi === state.roi) continue;
    const far = along + 2 * aside;
    if (far < least) { least = far; best = roi; }
  }
  return best;
}
