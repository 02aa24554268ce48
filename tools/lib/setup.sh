# Shared by tools/run and tools/test: installs what is missing, then configures and builds.
# Sourced with the repository's root as working directory.

# install_missing_packages [FILE]: the Debian packages of FILE, or of tools/packages.txt, that are not installed yet; needs root
# or sudo only if there are any.
install_missing_packages() {
  local list=${1:-tools/packages.txt}
  local missing=()
  local name
  while read -r name; do
    case "$name" in '' | '#'*) continue ;; esac
    dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q 'install ok installed' || missing+=("$name")
  done <"$list"
  [ ${#missing[@]} -eq 0 ] && return 0
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null 2>&1; then
      echo "These packages are missing, and installing them needs root or sudo: ${missing[*]}" >&2
      return 1
    fi
    as_root=(sudo)
  fi
  echo "Installing ${#missing[@]} Debian packages: ${missing[*]}"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq update >/dev/null &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends \
      "${missing[@]}" >/dev/null
}

# build_in DIR [cmake options] -- [targets]
build_in() {
  local dir=$1
  shift
  local options=()
  while [ $# -gt 0 ] && [ "$1" != -- ]; do
    options+=("$1")
    shift
  done
  [ $# -gt 0 ] && shift
  cmake -S . -B "$dir" -G Ninja "${options[@]}" >"$dir.configure.log" 2>&1 || {
    cat "$dir.configure.log" >&2
    return 1
  }
  rm -f "$dir.configure.log"
  ninja -C "$dir" "$@"
}
