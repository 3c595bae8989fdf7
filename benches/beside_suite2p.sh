#!/usr/bin/env bash
# Wall time, CPU and peak memory of `dropscope segment`, all files written, beside suite2p 1.1.0 on the same movie, by turns:
#   benches/beside_suite2p.sh FOLDER/movie.tif PYTHON   (PYTHON has suite2p 1.1.0; the folder holds nothing but the movie)
# suite2p runs with its defaults, and once more with a libc that keeps freed memory, which makes it faster and changes nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
movie="$(realpath "$1")"
python="$(realpath -s "$2")"
peer=../shared/tools/run_suite2p.py
[ -f "$peer" ] || { echo "skipped: $peer is not beside this checkout" >&2; exit 0; }
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cargo build --release --quiet -p dropscope-cli
export OMP_NUM_THREADS=2
measured() {
    local name="$1"
    shift
    /usr/bin/time -o "$work/time" -f "$name: %e s, CPU %U + %S s, %M KB" taskset -c 0,1 "$@" > "$work/log" 2>&1 || { tail "$work/log"; exit 1; }
    cat "$work/time"
}
ours() {
    rm -rf "$work/ours"
    measured dropscope target/release/dropscope segment "$movie" --out "$work/ours" --fs 30 --tau 1.25
}
theirs() { measured "$1" "$python" "$peer" "$(dirname "$movie")" "$work/theirs" --fs 30 --tau 1.25 --fresh; }
cat "$movie" > /dev/null
ours
theirs "suite2p, default"
ours
export MALLOC_MMAP_THRESHOLD_=8000000000 MALLOC_TRIM_THRESHOLD_=16000000000 MALLOC_TOP_PAD_=500000000
theirs "suite2p, tuned"
unset MALLOC_MMAP_THRESHOLD_ MALLOC_TRIM_THRESHOLD_ MALLOC_TOP_PAD_
ours
