#!/bin/sh
# Create or update a virtual environment for this checkout, with uv if it is installed, otherwise with pip.
#
#   tools/environment.sh ENVIRONMENT LOCK [PYTHON]
#
# Installs what LOCK pins, and makes the package of this checkout importable without building it. An environment that
# exists is kept if its interpreter fits; if PYTHON is given, only if it is of the same version.
set -eu

environment=$1
lock=$2
wanted=${3:-}
own=$environment/bin/python

# Version managers install names for interpreters that then fail to start, and some systems ship Python without the
# modules that are needed here. So each candidate is asked whether it fits.
FITS='import sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))'
HAS_PIP='import importlib.metadata as m, sys; sys.exit(int(m.version("pip").partition(".")[0]) < 23)' # has --python
HAS_ENSUREPIP='import ensurepip'

fits() { # PROGRAM CODE: whether the interpreter starts and runs the code without an error
    "$1" -c "$2" >/dev/null 2>&1
}

version_of() {
    "$1" -c 'import platform; print(platform.python_version())'
}

can_install() {
    [ "$installer" = uv ] || fits "$1" "$HAS_PIP" || fits "$1" "$HAS_ENSUREPIP"
}

find_python() { # Set $python to the first candidate that fits
    for python in "$wanted" python3.14 python3.13 python3.12 python3.11 python3; do
        if [ -n "$python" ] && fits "$python" "$FITS" && can_install "$python"; then
            return
        fi
        if [ -n "$wanted" ]; then
            echo "$wanted is not a Python 3.11 to 3.14 with venv and pip or ensurepip" >&2
            exit 1
        fi
    done
    echo "No Python 3.11 to 3.14 with venv and pip or ensurepip was found. Install one (on Debian or Ubuntu:" >&2
    echo "apt-get install python3 python3-venv) or name one: make setup PYTHON=/path/to/python3.12" >&2
    exit 1
}

create_environment() {
    echo "Creating $environment with Python $(version_of "$python")"
    if [ "$installer" = uv ]; then
        uv venv --quiet --clear --python "$python" "$environment"
    else
        "$python" -m venv --clear --without-pip "$environment"
    fi
}

run_pip() {
    if fits "$own" 'import pip'; then
        "$own" -m pip "$@"
    else
        "$python" -m pip --python "$own" "$@"
    fi
}

install_with_uv() {
    cache=$(uv cache dir)
    { mkdir -p "$cache" && [ -w "$cache" ]; } 2>/dev/null || export UV_NO_CACHE=1
    uv pip install --quiet --python "$own" --compile-bytecode --no-deps --require-hashes --requirement "$lock"
    uv pip check --python "$own"
}

install_with_pip() {
    export PIP_DISABLE_PIP_VERSION_CHECK=1
    # The pip of the interpreter serves: one inside the environment would take 17 MB and several seconds.
    fits "$own" 'import pip' || fits "$python" "$HAS_PIP" || "$own" -m ensurepip >/dev/null
    # Without --no-compile, pip compiles on one processor; compileall uses all of them.
    run_pip install --quiet --no-compile --no-deps --require-hashes --requirement "$lock"
    "$own" -m compileall -q -j 0 "$environment/lib"
    run_pip check
}

link_checkout() { # The same as an editable installation, without the tools that build one
    "$own" -c '
import pathlib, sysconfig
pathlib.Path(sysconfig.get_path("purelib"), "amarevents.pth").write_text(f"{pathlib.Path.cwd()}\n")'
    printf '#!/bin/sh\nexec "$(dirname "$0")/python" -P -m amarevents "$@"\n' >"$environment/bin/amarevents"
    chmod +x "$environment/bin/amarevents"
}

installer=pip
if command -v uv >/dev/null 2>&1; then installer=uv; fi
if [ -z "$wanted" ] && fits "$own" "$FITS" && { [ "$installer" = uv ] || fits "$own" 'import pip'; }; then
    python=$own
else
    find_python
fi
if ! fits "$own" "$FITS" || { [ -n "$wanted" ] && [ "$(version_of "$own")" != "$(version_of "$python")" ]; }; then
    create_environment
fi
echo "Installing $lock into $environment with $installer"
"install_with_$installer"
link_checkout
