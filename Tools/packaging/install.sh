#!/bin/sh
# Installs the tools of this folder, or removes what it installed.
set -eu
umask 022
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)

usage() {
    cat <<'END'
Usage: ./install.sh [--help] [--prefix DIR] [--uninstall]

Copies bin and share into DIR (default: /usr/local), and replaces the files of an earlier installation. With --uninstall, removes the
files and folders that install.sh created. If libraries are missing, prints the command that installs them and copies nothing.
Exit status 66: nothing is installed in DIR; 69: libraries are missing; 73: DIR cannot be written.

Example: ./install.sh --prefix ~/.local
END
}

fail() { status=$1; shift; printf 'install.sh: %s\n' "$*" >&2; exit "$status"; }

prefix=/usr/local
uninstall=false
while [ $# -gt 0 ]; do
    case $1 in
        -h | --help) usage; exit 0 ;;
        --prefix) [ $# -ge 2 ] || { usage >&2; exit 64; }; prefix=$2; shift 2 ;;
        --prefix=*) prefix=${1#*=}; shift ;;
        --uninstall) uninstall=true; shift ;;
        *) usage >&2; exit 64 ;;
    esac
done
[ -n "$prefix" ] || { usage >&2; exit 64; }
# Lists all installed files, and all created folders with a slash at the end.
list=share/doc/relevancekit/installed

remove() {
    while read -r entry; do
        case $entry in */) ;; *) rm -f "$prefix/$entry" ;; esac
    done <"$prefix/$list"
    folders=$(sed -n 's|/$||p' "$prefix/$list" | sort -r)
    rm -f "$prefix/$list"
    # rmdir keeps folders that contain other files.
    printf '%s\n' "$folders" | while read -r folder; do
        [ "$folder" != . ] || folder=
        rmdir "$prefix/$folder" 2>/dev/null || true
    done
}

# apt-get needs names of packages; dnf and zypper find packages by the libraries that they provide.
missing_libraries() {
    sudo=
    [ "$(id -u)" = 0 ] || sudo='sudo '
    packages=
    if command -v apt-get >/dev/null; then
        for library in $1; do
            case $library in
                libopenblas.so.0) package=libopenblas0 ;;
                liblapacke.so.3) package=liblapacke ;;
                libprotobuf-c.so.1) package=libprotobuf-c1 ;;
                libpng16.so.16) package=libpng16-16 ;;
                libxml2.so.2) package=libxml2 ;;
                libstdc++.so.6) package=libstdc++6 ;;
                libgcc_s.so.1) package=libgcc-s1 ;;
                *) package="" ;;
            esac
            packages="$packages${package:+ $package}"
        done
        command="${sudo}apt-get install -y$packages"
    elif command -v dnf >/dev/null || command -v zypper >/dev/null; then
        manager=zypper
        ! command -v dnf >/dev/null || manager=dnf
        for library in $1; do packages="$packages '$library()(64bit)'"; done
        command="$sudo$manager install -y$packages"
    else
        fail 69 "these libraries are missing:" $1
    fi
    printf 'install.sh: libraries are missing; install them with this command, then run install.sh again:\n%s\n' "$command" >&2
    exit 69
}

check_libraries() {
    needed=$(ldd "$here/bin/relevance" "$here/bin/convert-model" 2>&1) || true
    old=$(printf '%s\n' "$needed" | sed -n "s/.*version .\([A-Z]*_[0-9.]*\)' not found.*/\1/p" | sort -u)
    [ -z "$old" ] || fail 69 "the C or C++ library of this system is too old: the tools need" $old
    missing=$(printf '%s\n' "$needed" | sed -n 's/^[[:space:]]*\([^ ]*\) => not found.*/\1/p' | sort -u)
    [ -z "$missing" ] || missing_libraries "$missing"
    "$here/bin/relevance" --version >/dev/null || fail 69 "bin/relevance does not run on this system, a $(uname -m) machine"
}

if $uninstall; then
    [ -f "$prefix/$list" ] || fail 66 "$prefix/$list does not exist: install.sh has installed nothing in $prefix; name another folder with --prefix"
    remove
    echo "uninstalled from $prefix"
    exit 0
fi

check_libraries
made=
[ -d "$prefix" ] || { mkdir -p "$prefix" || fail 73 "$prefix cannot be created; name another folder with --prefix"; made=./; }
[ -w "$prefix" ] || fail 73 "$prefix cannot be written to; run install.sh as root, or name another folder with --prefix"
[ ! -f "$prefix/$list" ] || { grep -qx './' "$prefix/$list" && made=./; remove; mkdir -p "$prefix"; }
cd "$here"
folders=$(find bin share -type d | sort)
entries=$made
for folder in $folders; do
    [ -d "$prefix/$folder" ] || { mkdir "$prefix/$folder"; entries="$entries
$folder/"; }
done
printf '%s\n' "$entries" | sed '/^$/d' >"$prefix/$list"
find bin share ! -type d | sort | while read -r file; do
    printf '%s\n' "$file" >>"$prefix/$list"
    cp -P "$file" "$prefix/$file.new"
    mv -f "$prefix/$file.new" "$prefix/$file"                  # atomic: replaces a tool that is running
done
echo "installed $prefix/bin/relevance and $prefix/bin/convert-model"
case :$PATH: in
    *:"$prefix/bin":*) ;;
    *) echo "$prefix/bin is not on the PATH yet: export PATH=\"$prefix/bin:\$PATH\"" ;;
esac
