# shellcheck shell=bash
# Sourced by the scripts beside it: what they say, and what they may install.

say() { printf '\033[1m==>\033[0m %s\n' "$*"; }
note() { printf '    %s\n' "$*"; }

# fail WHAT MEND...: stop, with what went wrong and one line a step that mends it
fail() {
  printf '\n*** %s\n' "$1" >&2
  shift
  for line in "$@"; do printf '    %s\n' "$line" >&2; done
  exit 1
}

# Empty for root, "sudo" where it asks no password; fails where we may install nothing.
become_root() {
  if [ "$(id -u)" = 0 ]; then
    return 0
  fi
  sudo -n true 2>/dev/null && echo "sudo"
}

may_install() { command -v apt-get >/dev/null && become_root >/dev/null; }

# apt_install PACKAGE...: install Debian packages; false if we may not, or if it fails
apt_install() {
  may_install || return 1
  local as_root
  as_root=$(become_root)
  say "Installing Debian packages: $*"
  if [ -z "${APT_UPDATED:-}" ]; then
    $as_root apt-get update -qq >>"$LOG" 2>&1 || note "apt-get update failed; trying on"
    APT_UPDATED=1
  fi
  $as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "$@" >>"$LOG" 2>&1
}

# quietly WHAT MEND COMMAND...: run with the output in the log; show its end if it fails
quietly() {
  local what=$1 mend=$2
  shift 2
  say "$what"
  if ! "$@" >>"$LOG" 2>&1; then
    tail -n 20 "$LOG" >&2
    fail "This step failed: $what" "$mend" "The whole output is in $LOG"
  fi
}

# Read real data from ../shared/data where that folder exists, unless GRADER_DATA names another.
use_data_beside() {
  if [ -z "${GRADER_DATA+set}" ] && [ -d ../shared/data ]; then
    GRADER_DATA=$(cd ../shared/data && pwd)
    export GRADER_DATA
  fi
}
