# SPDX-License-Identifier: Apache-2.0
# Sourced by ./quickstart and ./check: says what the project needs, installs what is missing, configures and builds.
# Bash only; needs neither git nor Python. Everything for people goes to stderr.

# What building needs; every name is a package of both Debian 12 and Ubuntu 24.04.
genexx_build_packages=(g++ cmake ninja-build libeigen3-dev libhdf5-dev zlib1g-dev nlohmann-json3-dev libcli11-dev
  libfmt-dev liblzf-dev doctest-dev)
# What the tests use besides: a second compiler, the formatter whose output is the rule, readers to compare with.
genexx_check_packages=(clang libclang-rt-dev clang-format-14 pkg-config python3 python3-numpy python3-scipy python3-h5py
  python3-anndata python3-sklearn libopenmpi-dev openmpi-bin)

genexx_say() { printf '%s\n' "$*" >&2; }

genexx_fail() {
  genexx_say "genexx: $*"
  exit 1
}

# Prints those of the packages $@ that are not installed.
genexx_missing() {
  local installed package
  # dpkg-query fails when it does not know one of the names, and still lists the others.
  installed=" $({ dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null || true; } |
    sed -n 's/^installed //p' | tr '\n' ' ') "
  for package in "$@"; do
    [[ $installed == *" $package "* ]] || printf '%s\n' "$package"
  done
}

# Installs those of the packages $@ that are missing; nothing is touched when none is.
genexx_install() {
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    genexx_say "genexx: no apt-get here, so nothing was installed; the build needs what Debian calls: $*"
    return 0
  fi
  local missing log as_root=()
  mapfile -t missing < <(genexx_missing "$@")
  [[ ${#missing[@]} -gt 0 ]] || return 0
  local line="apt-get install -y --no-install-recommends ${missing[*]}"
  if [[ $(id -u) -ne 0 ]]; then
    if command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [[ -t 0 ]]; }; then
      as_root=(sudo)
    else
      genexx_say "genexx: packages are missing and this user is neither root nor allowed to use sudo."
      genexx_say "Have an administrator run this line, then start again:"
      genexx_say "  apt-get update && $line"
      exit 1
    fi
  fi
  genexx_say "Installing ${#missing[@]} packages: ${missing[*]}"
  log=$(mktemp)
  if ! { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -qq update &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -qq install -y \
      --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 </dev/null; then
    tail -n 20 "$log" >&2
    rm -f "$log"
    genexx_fail "installing failed (above). Try by hand: apt-get update && $line"
  fi
  rm -f "$log"
}

# How many compilers may run at once: one a core, and 1.5 GB of memory each.
genexx_jobs() {
  local cores memory_kb jobs
  cores=$(nproc)
  memory_kb=$(sed -n 's/^MemAvailable: *\([0-9]*\) kB/\1/p' /proc/meminfo)
  jobs=$((${memory_kb:-3000000} / 1500000))
  ((jobs > cores)) && jobs=$cores
  ((jobs < 1)) && jobs=1
  printf '%s\n' "${GENEXX_JOBS:-$jobs}"
}

# Prints the path of nvcc, nothing where there is none.
genexx_nvcc() {
  command -v nvcc || { [[ -x /usr/local/cuda/bin/nvcc ]] && printf '%s\n' /usr/local/cuda/bin/nvcc; } || true
}

# genexx_configure FOLDER OPTION...: quick when nothing changed. On failure the end of the log is shown.
genexx_configure() {
  local folder=$1
  shift
  mkdir -p "$folder"
  # A folder configured on another path or before the compiler came is not worth keeping.
  if [[ -f $folder/CMakeCache.txt ]] &&
    ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$PWD" "$folder/CMakeCache.txt"; then
    rm -rf "$folder/CMakeCache.txt" "$folder/CMakeFiles"
  fi
  local launcher=()
  if command -v ccache >/dev/null; then
    launcher=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
  fi
  if ! cmake -S . -B "$folder" -G Ninja "${launcher[@]}" "$@" >"$folder/configure.log" 2>&1; then
    tail -n 30 "$folder/configure.log" >&2
    genexx_fail "configuring $folder failed (above); the whole log is $folder/configure.log"
  fi
}

# genexx_build FOLDER TARGET...: on failure the errors are shown.
genexx_build() {
  local folder=$1
  shift
  if ! cmake --build "$folder" -j "$(genexx_jobs)" --target "$@" >"$folder/build.log" 2>&1; then
    grep -E -A 12 'error|FAILED|undefined reference' "$folder/build.log" | head -n 60 >&2
    genexx_fail "building $folder failed (above); the whole log is $folder/build.log"
  fi
}
