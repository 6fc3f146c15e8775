#!/usr/bin/env bash
# Makes the Python 2.7 environment that the Autobahn Testsuite needs.
#   setup.sh [DIR]      default DIR: .conformance in the checkout's root
# Afterwards DIR/py27/bin/wstest is there; when it already is, nothing is done.
# PYTHON27 and PYTHON3 name interpreters that are not found by themselves.
# Exit: 0 ready, 2 an interpreter is missing.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
dir=${1:-$here/../.conformance}
pins=$here/requirements.txt
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
py27=$dir/py27
done_mark=$py27/.complete    # a copy of the pins it was made from

if cmp -s "$pins" "$done_mark" \
        && "$py27/bin/python" -E -W ignore -c 'import autobahntestsuite' 2>/dev/null; then
    exit 0
fi

# pick CODE CANDIDATE...: the first candidate that can run CODE, as the path of
# the real interpreter (a pyenv shim is not one).
pick() {
    local code=$1 found
    shift
    for candidate in "$@"; do
        [ -n "$candidate" ] || continue
        if found=$("$candidate" -c "$code; import sys; print(sys.executable)" 2>/dev/null); then
            echo "$found"
            return
        fi
    done
    return 1
}

old=$(pick 'import ssl, zlib, sys; assert sys.version_info[:2] == (2, 7)' \
        "${PYTHON27:-}" python2.7 \
        "${PYENV_ROOT:-$HOME/.pyenv}"/versions/2.7*/bin/python2.7) || {
    echo "conformance: no Python 2.7 with ssl and zlib found; install one (pyenv install 2.7.18) or set PYTHON27" >&2
    exit 2
}
new=$(pick 'import venv, ensurepip, sys; assert sys.version_info >= (3, 7)' \
        "${PYTHON3:-}" "$here/../.venv/bin/python" python3) || {
    echo "conformance: no Python 3 with venv found; install one (python3-venv) or set PYTHON3" >&2
    exit 2
}

export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_PYTHON_VERSION_WARNING=1
unset PYTHONPATH PYTHONHOME
echo "conformance: making $py27 (once)"

# virtualenv 20.21.1 is the last that makes environments for Python 2.7.
"$new" -m venv --clear "$dir/bootstrap"
"$dir/bootstrap/bin/python" -m pip install -q --no-deps \
    virtualenv==20.21.1 distlib==0.4.4 filelock==3.32.7 platformdirs==3.11.0
"$dir/bootstrap/bin/python" -m virtualenv -q --clear --no-download \
    --app-data "$dir/bootstrap/app-data" -p "$old" "$py27"

pip27() { "$py27/bin/python" -W ignore -m pip "$@"; }
pip27 install -q --no-deps -r "$pins"
# A C speed-up, so it wants a compiler; the verdicts are the same without it.
pip27 install -q --no-deps wsaccel==0.6.2 2>/dev/null \
    || echo "conformance: wsaccel did not build; going on without it (slower)" >&2
pip27 check

cp "$pins" "$done_mark"
