#!/usr/bin/env bash
# Measures the screening engine: on the real lists beside the workspace if they are there, else on the crate's sample.
set -euo pipefail
cd "$(dirname "$0")/.."
CARGO=${CARGO:-cargo}
real=../../../shared/data
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
$CARGO build --locked --release -p screening --bins
bin=${CARGO_TARGET_DIR:-../../target}/release

if [ -d $real/watchlists/ofac ]; then
    mkdir "$work/lists" "$work/before"
    cp $real/watchlists/ofac/{sdn,alt,add}.csv "$work/lists"
    cp $real/watchlists/ofac/sdn-2024-04-26.csv "$work/before/sdn.csv"
    cp $real/watchlists/ofac/{alt,add}.csv "$work/before"
    queries=$real/name-matching/dev-screen-input.csv
    cases=$real/name-matching/dev-screen.jsonl
else
    echo "screening: the real lists are not beside the workspace; measured on the crate's sample, which is far too small to mean anything"
    mkdir "$work/lists"
    cp sample/{sdn,alt,add}.csv "$work/lists"
    cp -r "$work/lists" "$work/before"
    queries=sample/queries.csv
    cases=sample/cases.jsonl
fi

# Each client is screened twenty times over, 110 100 screenings of the real ones: the first rounds warm up
many() { head -1 "$queries"; for _ in $(seq 20); do tail -n +2 "$queries"; done; }
"$bin/screen" --write-index "$work/index" "$work/lists" 2> /dev/null
echo "screening, the index file:"
many | "$bin/screen" --min 0 --stats "$work/index" 2>&1 > /dev/null | grep -v '^screen:' | sed 's/^/  /'
echo "screening, the index built from the lists:"
"$bin/screen" --min 0 --stats "$work/lists" < "$queries" 2>&1 > /dev/null | grep -E '^(index read|peak)' | sed 's/^/  /'
echo "screening, the same clients against what changed within a week:"
many | "$bin/screen" --stats --since "$work/before" "$work/lists" 2>&1 > /dev/null | grep -E '^screenings|added' | sed 's/^/  /'
echo "screening, recall:"
"$bin/evaluate" "$work/lists" "$cases" 2> /dev/null | sed 's/^/  /'
