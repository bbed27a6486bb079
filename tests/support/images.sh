# shellcheck shell=bash
# Images for tests. Building one takes a network and a minute, so each is built once per machine and
# kept as a tarball in the cache directory; a test's root gets it from there by `warren image import`.
# NAME is a template of `image build`, and "+INIT" for one with another init: debian:12+openrc.

image_cache() {
    printf '%s\n' "${WARREN_TEST_CACHE:-${XDG_CACHE_HOME:-/var/cache}/warren-tests}"
}

# image_name NAME: what the image is called in the root, since "+" is no character of image names.
image_name() {
    printf '%s\n' "${1//+/-}"
}

cached_image() {
    printf '%s/%s.tar.zst\n' "$(image_cache)" "$(image_name "${1//:/-}")"
}

# need_image NAME: makes sure that $WARREN_ROOT has $(image_name NAME); skips the test when it cannot be
# had here, and fails it when that is our fault.
need_image() {
    local name status
    name=$(image_name "$1")
    "$WARREN" image inspect "$name" >/dev/null 2>&1 && return 0
    printf 'file %s/images/%s\n' "$WARREN_ROOT" "$name" >>"$TEST_STATE/shared-images"
    # Nothing is tried twice: the first answer stands for the other tests of the file.
    if [ -f "$TEST_STATE/no-image-$name" ]; then
        read -r status <"$TEST_STATE/no-image-$name"
    else
        status=0
        (bring_image "$1" "$name") >"$TEST_STATE/image-log" 2>&1 || status=$?
        [ "$status" = 0 ] || echo "$status" >"$TEST_STATE/no-image-$name"
    fi
    [ "$status" != 77 ] || skip "image $1 cannot be had here: $(tail -n 1 "$TEST_STATE/image-log")"
    [ "$status" = 0 ] || fail "image $1: $(tail -n 5 "$TEST_STATE/image-log")"
}

bring_image() {
    local tarball
    if [ "$1" = busybox ]; then
        "$WARREN" image build busybox
        return
    fi
    tarball=$(cached_image "$1")
    [ -f "$tarball" ] || cache_image "$1"
    "$WARREN" image import "$tarball" --as "$2"
}

# cache_image NAME: builds the image in a root of its own and packs it.
cache_image() {
    local template=${1%%+*} name tarball root log options=()
    name=$(image_name "$1")
    tarball=$(cached_image "$1")
    [ -z "${WARREN_TEST_NO_BUILD-}" ] || skip "it is not in $(image_cache), and building needs a network"
    [ "$template" = "$1" ] || options=(--init "${1#*+}")
    mkdir -p "$(image_cache)"
    # Lanes that run beside each other build it once.
    exec 8>"$tarball.lock"
    flock 8
    if [ -f "$tarball" ]; then
        exec 8>&-
        return 0
    fi
    log=$tarball.log
    root=$(mktemp -d "$(image_cache)/build.XXXXXX")
    if ! "$WARREN" --root "$root" image build "$template" --as "$name" "${options[@]}" >"$log" 2>&1 </dev/null; then
        rm -rf "$root"
        tail -n 5 "$log"
        ! archive_is_reachable "$template" || fail "image build $template ${options[*]} (log: $log)"
        skip "$(tail -n 1 "$log")"
    fi
    # Without access control lists: GNU tar writes them with this machine's names. /var/log/journal has one,
    # which systemd sets anew; the tests of `image import` bring archives with such lists.
    tar --numeric-owner --xattrs --xattrs-include='*' --sparse -C "$root/images/$name/root" -cf - . |
        zstd -q -3 -T0 -f -o "$tarball.part"
    mv "$tarball.part" "$tarball"
    rm -rf "$root"
    exec 8>&-
}

# archive_is_reachable TEMPLATE: whether a failed build is our own fault. Only the archive this system is
# itself installed from is known to be there; another distribution's may be out of reach, or its key.
archive_is_reachable() {
    local lists reached=0
    [ "${1%%:*}" = "$(. /etc/os-release && echo "$ID")" ] || return 1
    lists=$(mktemp -d)
    apt-get update -q -o Dir::State::Lists="$lists" --error-on=any >/dev/null 2>&1 || reached=1
    rm -rf "$lists"
    return "$reached"
}
