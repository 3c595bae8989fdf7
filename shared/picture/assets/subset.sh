#!/bin/sh
# Makes the two embedded fonts from Debian's fonts-dejavu-core (2.37) with fonttools (4.68).
# Latin, Greek and Cyrillic, because recordings carry people's file names.
set -eu
from=${1:-/usr/share/fonts/truetype/dejavu}
names=U+20-7E,U+A0-FF,U+386-3CE,U+401,U+404,U+406,U+407,U+410-44F,U+451,U+454,U+456,U+457,U+2013,U+2014,U+2018,U+2019,U+2026,U+2212,U+FFFD
subset() {
    pyftsubset "$from/$1.ttf" --unicodes="$2" --no-hinting --layout-features=kern \
        --drop-tables+=FFTM,GDEF --name-IDs=0,1,2,3,4,5,6,13,14 \
        --output-file="$(dirname "$0")/$1-subset.ttf"
}
subset DejaVuSans "$names,U+100-17F"
subset DejaVuSans-Bold "$names,U+100-17F"
