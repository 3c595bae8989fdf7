// Drawing: a canvas at the screen's own resolution, axes, and lines that lose no peak.
const root = document.documentElement;
const ink = {};
function readInk() {
  const style = getComputedStyle(root);
  for (const name of ["ink", "muted", "line", "soft", "panel", "accent", "problem", "warning"]) ink[name] = style.getPropertyValue("--" + name).trim();
  ink.dark = root.dataset.theme === "dark";
}
// Okabe and Ito's colours, as in the figure; a little lighter where the ground is dark, a little darker where it is white.
const LIGHTER = { "#0072B2": "#3A9BE0", "#009E73": "#1FC397", "#D55E00": "#F0762A" };
const DARKER = { "#F0E442": "#A89B00", "#56B4E9": "#3A97CC", "#E69F00": "#CC8D00" };
const named = label => D.colors[label % D.colors.length];
const onDark = label => (label < 0 ? "#B9C0C8" : LIGHTER[named(label)] || named(label));
const color = label => (label < 0 ? ink.muted : ink.dark ? onDark(label) : DARKER[named(label)] || named(label));

function surface(canvas) {
  const box = canvas.getBoundingClientRect(), dense = window.devicePixelRatio || 1;
  const w = Math.max(1, Math.round(box.width)), h = Math.max(1, Math.round(box.height));
  const [wide, high] = [Math.round(w * dense), Math.round(h * dense)];
  if (canvas.width !== wide || canvas.height !== high) { canvas.width = wide; canvas.height = high; }
  const c = canvas.getContext("2d");
  c.setTransform(dense, 0, 0, dense, 0, 0);
  c.clearRect(0, 0, w, h);
  c.font = "12px system-ui, -apple-system, 'Segoe UI', Roboto, Arial, 'DejaVu Sans', sans-serif";
  c.lineJoin = "round";
  return { c, w, h, dense };
}

function short(value, digits = 3) {
  if (value === null || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  const text = size !== 0 && (size >= 1e6 || size < 1e-3) ? value.toExponential(digits - 1) : String(Number(value.toPrecision(Math.max(digits, Math.ceil(Math.log10(size + 1))))));
  return text.replace("-", "−");
}
const counted = (n, noun) => n.toLocaleString("en") + " " + noun + (n === 1 ? "" : "s");
function nice(rough) {
  const decade = 10 ** Math.floor(Math.log10(rough));
  return decade * ([1, 2, 5, 10].find(f => f * decade >= rough) || 10);
}
function ticks(low, high, most) {
  if (!(high > low)) return [];
  let step = nice((high - low) / Math.max(1, most));
  // One mark alone says nothing of the scale.
  if (Math.floor(high / step) - Math.ceil(low / step) < 1) step = nice(step / 2.5);
  const out = [];
  for (let v = Math.ceil(low / step - 1e-9) * step; v <= high + step * 1e-9; v += step) out.push(Math.abs(v) < step * 1e-9 ? 0 : v);
  return out;
}
// Seconds, minutes or hours, whichever the whole recording is told in.
const [UNIT, SECONDS] = FRAMES / RATE > 7200 ? ["h", 3600] : FRAMES / RATE > 300 ? ["min", 60] : ["s", 1];
const when = frame => short(frame / RATE / SECONDS, 4) + " " + UNIT;

const view = { from: 0, to: Math.max(1, FRAMES) };
const across = (box, frame) => box.x + (frame - view.from) / (view.to - view.from) * box.w;
const frameAt = (box, x) => view.from + (x - box.x) / box.w * (view.to - view.from);

function timeAxis(c, box, y) {
  c.strokeStyle = ink.line; c.fillStyle = ink.muted; c.lineWidth = 1; c.textAlign = "center"; c.textBaseline = "top";
  const scale = RATE * SECONDS, marks = ticks(view.from / scale, view.to / scale, box.w / 90);
  marks.forEach((v, i) => {
    const x = Math.round(across(box, v * scale)) + 0.5;
    c.beginPath(); c.moveTo(x, y); c.lineTo(x, y + 5); c.stroke();
    c.fillText(short(v, 5) + (i === marks.length - 1 ? " " + UNIT : ""), x, y + 8);
  });
  c.beginPath(); c.moveTo(box.x, y + 0.5); c.lineTo(box.x + box.w, y + 0.5); c.stroke();
}

// The parts of a series that are in view, no more than one a pixel: [x, least, largest] of each.
function inView(s, box) {
  const per = s.n / s.frames;
  const first = Math.max(0, Math.floor(view.from * per)), last = Math.min(s.n, Math.ceil(view.to * per));
  const found = [], thick = Math.max(1, (last - first) / Math.max(1, box.w * (s.kind === EXACT ? 2 : 1)));
  const merged = thick > 1;
  for (let part = first; part < last; part += thick) {
    const a = Math.floor(part), b = Math.max(a + 1, Math.min(last, Math.floor(part + thick)));
    let low = Infinity, high = -Infinity;
    for (let i = a; i < b; i++) { if (s.low[i] < low) low = s.low[i]; if (s.high[i] > high) high = s.high[i]; }
    found.push([across(box, (a + b) / 2 / per), low, high]);
  }
  return { found, band: merged || s.kind === ENVELOPE, wide: box.w / Math.max(1, found.length) };
}
// Least and largest value in view.
function reach(s, box) {
  let low = Infinity, high = -Infinity;
  for (const [, a, b] of inView(s, box).found) { if (a < low) low = a; if (b > high) high = b; }
  return low <= high ? [low, high] : [0, 1];
}

// Draws a series; `y` turns a value into a height.
function line(c, s, box, y, stroke, width = 1.25) {
  const { found, band, wide } = inView(s, box);
  // Parts that are wide on the screen are shown as what they are: the range of a while.
  if (band && wide > 2.5) {
    c.fillStyle = stroke;
    for (const [x, low, high] of found) if (low <= high) c.fillRect(x - wide / 2, y(high) - width / 2, wide + 0.3, y(low) - y(high) + width);
    return;
  }
  c.strokeStyle = c.fillStyle = stroke; c.lineWidth = width;
  c.beginPath();
  let open = false;
  for (let i = 0; i < found.length; i++) {
    const [x, low, high] = found[i];
    if (!(low <= high)) { open = false; continue; }
    // Down and up through each part: every peak and every trough is on the line.
    const [first, second] = band && i % 2 ? [low, high] : [high, low];
    if (open) c.lineTo(x, y(first)); else c.moveTo(x, y(first));
    if (band) c.lineTo(x, y(second));
    open = true;
  }
  c.stroke();
}
function stems(c, s, box, y, fill) {
  const { found, wide } = inView(s, box), base = y(0), w = Math.max(1, Math.min(2, wide * 0.7));
  c.fillStyle = fill;
  for (const [x, , high] of found) if (high > 0) c.fillRect(x - w / 2, y(high), w, base - y(high));
}

// Blue, white, red by value from -1 to 1.
function diverging(value) {
  const at = (Math.max(-1, Math.min(1, value)) + 1) / 2 * (D.diverging.length - 1), i = Math.min(D.diverging.length - 2, Math.floor(at));
  return D.diverging[i].map((a, k) => Math.round(a + (D.diverging[i + 1][k] - a) * (at - i)));
}
// From the ground to the strongest ink; cividis-like, so that blue-yellow and red-green blind eyes see the same order.
const HEAT = { light: [[255, 255, 255], [200, 220, 235], [107, 160, 200], [33, 92, 150], [4, 30, 66]], dark: [[22, 26, 31], [18, 56, 98], [86, 110, 128], [178, 166, 110], [253, 231, 85]] };
const heatTables = {};
function heatTable() {
  const name = ink.dark ? "dark" : "light";
  if (!heatTables[name]) {
    const stops = HEAT[name];
    heatTables[name] = Uint32Array.from({ length: 256 }, (_, v) => {
      const at = v / 255 * (stops.length - 1), i = Math.min(stops.length - 2, Math.floor(at));
      const [r, g, b] = stops[i].map((a, k) => Math.round(a + (stops[i + 1][k] - a) * (at - i)));
      return (255 << 24 | b << 16 | g << 8 | r) >>> 0;
    });
  }
  return heatTables[name];
}
