# Sourced by the other scripts: makes .venv when it is missing or stale, and sets $python to its interpreter.
# Usage: environment EXTRA...

environment() {
  local root extras stamp wanted base
  root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
  extras="$(IFS=,; echo "$*")"
  python="$root/.venv/bin/python"
  stamp="$root/.venv/installed-$extras"
  wanted="$(cat "$root/pyproject.toml" "$root/scripts/environment.sh" | cksum)"
  if [ -x "$python" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
    return
  fi
  base="${PYTHON:-python3}"
  if ! "$base" -c 'import sys; raise SystemExit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "afield needs Python 3.11 or newer with pip; '$base' is not. Name one: PYTHON=python3.12 $0" >&2
    exit 2
  fi
  echo "Preparing .venv with afield[$extras] ..." >&2
  [ -x "$python" ] || "$base" -m venv "$root/.venv"
  "$python" -m pip install --quiet --disable-pip-version-check --editable "$root[$extras]" >&2
  echo "$wanted" > "$stamp"
}
