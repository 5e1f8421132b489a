#!/bin/sh
# Calls the service that `./cs start` runs, and runs the tasks of deno.json, with the Deno of .dvmrc.
# It needs npm only. `./cs help` explains the calls.
set -eu
cd "$(dirname "$0")"
release=$(cat .dvmrc)

# A Deno of this release, otherwise the one that npx installs, whose path is kept because npx takes seconds.
kept=.data/deno-$release
if [ "$(deno --version 2> /dev/null | cut -d ' ' -f 2 | head -n 1)" = "$release" ]; then
  deno=deno
elif [ -x "$(cat "$kept" 2> /dev/null)" ]; then
  deno=$(cat "$kept")
else
  deno=$(npx -y "deno@$release" eval 'console.log(Deno.execPath())')
  mkdir -p .data
  echo "$deno" > "$kept"
fi

case "${1:-help}" in
  help | --help | graphql | gateway | grpc | get | post | put | patch | delete)
    exec "$deno" run --quiet -A tasks/call.ts "$@" ;;
esac

# In a terminal Deno draws one bar for all downloads; elsewhere it would print a line for each of them.
quiet=
if [ ! -t 2 ]; then
  quiet=--quiet
  if [ "$1" = start ] && [ ! -d "${DATA_DIR:-.data}/postgres" ]; then
    echo "The first start downloads up to 400 MB" >&2
  fi
fi
exec "$deno" task $quiet "$@"
