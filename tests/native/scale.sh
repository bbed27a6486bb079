# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/../support/lib.sh"

# Many guests at once: WARREN_SCALE_GUESTS of them (200).

pss_of() {
    awk '/^Rss:/ {rss = $2} /^Pss:/ {pss = $2} END {print rss, pss}' "/proc/$1/smaps_rollup"
}

test_many_guests_by_one_command() {
    local count=${WARREN_SCALE_GUESTS:-200} name names=() mounts links pids sample rss pss total=0
    need_image busybox
    name=$(unique many)
    for ((i = 1; i <= count; i++)); do
        names+=("$name-$i")
    done
    mounts=$(wc -l </proc/self/mounts)
    links=$(find /sys/class/net -mindepth 1 -maxdepth 1 | wc -l)
    # A name each: creating is made once, starting is what a host does at boot.
    printf '%s\n' "${names[@]}" | xargs -P 4 -I "{}" "${WARREN_RELEASE:-$WARREN}" --quiet create '{}' --image busybox -- /bin/sh -c 'while :; do sleep 3600; done'
    assert_exit 0 warren start --all
    assert_eq "$(wc -l <<<"$OUT")" "$count" "guests started"
    assert_eq "$(warren list -q --filter status=running | wc -l)" "$count" "guests running"
    assert_eq "$(wc -l </proc/self/mounts)" "$mounts" "lines of the host's mount table"
    assert_eq "$(find /sys/class/net -mindepth 1 -maxdepth 1 | wc -l)" "$links" "the host's links"
    # Disjoint ranges, each its own.
    assert_eq "$(warren list --json | jq -r '.[].id_base' | sort -u | wc -l)" "$count" "id ranges"
    # One image's text is in memory once: what each guest's share of it comes to is far below what it maps.
    mapfile -t pids < <(warren list --json | jq '.[].pid')
    for sample in "${pids[@]}"; do
        read -r rss pss < <(pss_of "$sample")
        total=$((total + pss))
    done
    echo "$count shells: Rss $rss kB each, Pss $((total / count)) kB each"
    assert_between "$((total / count))" 1 "$((rss / 2))" "kB of Pss of one shell among $count (Rss $rss kB)"
    assert_exit 0 warren exec "${names[0]}" true
    assert_exit 0 warren exec "${names[count - 1]}" true
    assert_exit 0 warren destroy --force --all
    assert_eq "$(wc -l <<<"$OUT")" "$count" "guests destroyed"
    assert_eq "$(warren list -q)" ""
    assert_eq "$(wc -l </proc/self/mounts)" "$mounts" "lines of the host's mount table"
    assert_eq "$(compgen -G "$WARREN_ROOT/leases/*")" "" "leases left"
    assert_eq "$(compgen -G "$WARREN_ROOT/guests/*")" "" "disks left"
}
