// What the page carries: decoded when it is first asked for.
const $ = id => document.getElementById(id);
const carried = id => ($(id) ? $(id).textContent : "");
function bytes(text) {
  const raw = atob(text), out = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) out[i] = raw.charCodeAt(i);
  return out;
}
const D = JSON.parse(carried("data")), T = JSON.parse(carried("packed"));
const R = D.rois, N = R.number.length, FRAMES = T.frames, RATE = D.rate || 1;
const F = 0, NEUROPIL = 1, DFF = 2, SPIKES = 3;
const EXACT = 0, ENVELOPE = 1, PEAK = 2;

// A series of codes as values: the least and the largest of each of n parts of even length.
function unpack(codes, at, [n, kind, width], least, largest) {
  const step = (largest - least) / (width === 1 ? 254 : 65534);
  const values = from => {
    const out = new Float32Array(n);
    for (let i = 0; i < n; i++) {
      const code = width === 1 ? codes[from + i] : codes[from + 2 * i] | (codes[from + 2 * i + 1] << 8);
      out[i] = code ? least + (code - 1) * step : NaN;
    }
    return out;
  };
  const low = values(at);
  return { n, kind, low, high: kind === ENVELOPE ? values(at + n * width) : low, least, largest, any: largest > least || codes[at] > 0 };
}
const series = s => s && s.frames ? { ...unpack(bytes(s.codes), 0, s.level, s.ends[0], s.ends[1]), frames: s.frames } : null;

// Where the record of each ROI is.
const levelsOf = roi => (R.cell[roi] ? T.cell : T.other);
const lengthOf = ([n, kind, width]) => n * width * (kind === ENVELOPE ? 2 : 1);
const recordOf = levels => 32 + levels.reduce((sum, level) => sum + lengthOf(level), 0);
const RECORD = { cell: recordOf(T.cell), other: recordOf(T.other) };
const blockOf = new Uint16Array(N), offsetOf = new Uint32Array(N);
{
  let roi = 0;
  T.counts.forEach((count, block) => {
    let at = 0;
    for (let i = 0; i < count; i++, roi++) {
      blockOf[roi] = block;
      offsetOf[roi] = at;
      at += R.cell[roi] ? RECORD.cell : RECORD.other;
    }
  });
}
const blocks = [];
function block(index) {
  if (!blocks[index]) {
    blocks[index] = bytes(carried("block-" + index));
    $("block-" + index).textContent = "";
  }
  return blocks[index];
}
const kept = new Map();
// A trace of a ROI. Those of dF/F are kept: every view of all cells asks for them again.
function trace(roi, signal) {
  const key = roi * 4 + signal;
  if (kept.has(key)) return kept.get(key);
  const codes = block(blockOf[roi]), levels = levelsOf(roi), start = offsetOf[roi];
  const ends = new DataView(codes.buffer, start + 8 * signal, 8);
  let at = start + 32;
  for (let s = 0; s < signal; s++) at += lengthOf(levels[s]);
  const found = unpack(codes, at, levels[signal], ends.getFloat32(0, true), ends.getFloat32(4, true));
  found.frames = FRAMES;
  if (signal === DFF) kept.set(key, found);
  return found;
}
// What stands for a ROI among others: dF/F, or fluorescence where that has no meaning.
function shape(roi) {
  const dff = trace(roi, DFF);
  return dff.any ? dff : trace(roi, F);
}

// Masks as runs along rows: y, x, length.
const runStart = new Uint32Array(N + 1);
const runs = (() => {
  const codes = bytes(D.masks), out = [];
  let at = 0;
  const next = () => {
    let value = 0, shift = 0, byte;
    do { byte = codes[at++]; value |= (byte & 127) << shift; shift += 7; } while (byte & 128);
    return value >>> 0;
  };
  for (let roi = 0; roi < N; roi++) {
    runStart[roi] = out.length / 3;
    let y = 0, x = 0;
    for (let n = next(); n > 0; n--) {
      y += next();
      const right = next();
      x += (right >>> 1) ^ -(right & 1);
      out.push(y, x, next());
    }
  }
  runStart[N] = out.length / 3;
  return Int32Array.from(out);
})();
function eachRun(roi, what) {
  for (let i = runStart[roi]; i < runStart[roi + 1]; i++) what(runs[3 * i], runs[3 * i + 1], runs[3 * i + 2]);
}

// The index image of a plane: which ROI each pixel belongs to, cells above others and small ones above large ones.
function labelled(plane, visible) {
  const { height, width } = D.planes[plane], map = new Int32Array(height * width).fill(-1);
  const rank = roi => (R.cell[roi] ? 0 : 1e9) + R.area[roi];
  for (const roi of visible.slice().sort((a, b) => rank(b) - rank(a))) {
    eachRun(roi, (y, x, n) => { if (y < height) map.fill(roi, y * width + x, y * width + Math.min(x + n, width)); });
  }
  return map;
}
