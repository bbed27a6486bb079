# shellcheck shell=bash
# shellcheck disable=SC2016  # what is in single quotes is for other programs
. "$(dirname "${BASH_SOURCE[0]}")/../support/lib.sh"

# Wrong, broken and malicious input: one line on stderr that names the thing, the documented status, and nothing changed.

state_now() {
    (cd "$WARREN_ROOT" && find guests images leases corrupt -mindepth 1 -maxdepth 1 ! -name '.*' 2>/dev/null | sort) || :
    find "$WARREN_RUN" -mindepth 2 2>/dev/null | sort || :
}

# refused CODE TEXT ARG...: as assert_refused of `warren ARG...`, and nothing has changed. What is wrong is
# noted for all_refused, so that one look at a table tells of all of it.
refused() {
    (refused_one "$@") 2>>"$TEST_DIR/wrong" || :
}

all_refused() {
    [ ! -s "$TEST_DIR/wrong" ] || fail "$(grep -v '^  at ' "$TEST_DIR/wrong")"
}

refused_one() {
    local before
    before=$(state_now)
    assert_refused "$1" "$2" warren "${@:3}"
    assert_match "$ERR" '^warren: ' "stderr of 'warren ${*:3}'"
    assert_eq "$(state_now)" "$before" "state after 'warren ${*:3}'"
}

test_command_lines() {
    need_image busybox
    refused 2 no-such-verb no-such-verb
    refused 2 "--no-such-flag" list --no-such-flag
    refused 2 "--no-such-flag" --no-such-flag list
    refused 2 "--no-such-flag" create x --image busybox --no-such-flag
    refused 2 "image" create x
    refused 2 "no-such-image" create x --image no-such-image
    refused 2 "../busybox" create x --image ../busybox
    refused 2 "NAME" create --image busybox
    refused 2 "no-such-guest" start no-such-guest
    refused 2 "no-such-guest" stop no-such-guest
    refused 2 "no-such-guest" destroy no-such-guest
    refused 2 "no-such-guest" destroy --force no-such-guest
    refused 2 "no-such-guest" set no-such-guest --cpus 1
    refused 2 "no-such-guest" logs no-such-guest
    refused 2 "no-such-guest" top no-such-guest
    refused 2 "no-such-guest" stats no-such-guest
    refused 2 "name a guest" start
    refused 2 "--all" start --all x
    refused 2 "--log-level" --log-level shouting list
    refused 2 "no-such-template" image build no-such-template
    refused 2 "--init" image build debian:12 --init upstart
    refused 2 "--as" image import /dev/null
    refused 2 "no-such-image" image rm no-such-image
    refused 125 "CMD" exec x
    all_refused
}

test_values() {
    local option
    need_image busybox
    for option in "--memory=1Q" "--memory=-1" "--memory=" "--memory=99999999999999999999" "--memory=1.5.5G" \
        "--cpus=none1" "--cpus=-2" "--cpus=0" "--cpu-weight=0" "--cpu-weight=10001" "--cpuset=0-" "--cpuset=9-1" \
        "--swap=x" "--pids=-1" "--pids=many" "--io-weight=0" "--io-max=nodev" "--io-max=/dev/null:rbps" \
        "--hugepages=3M:x" "--cap-add=no_such_cap" "--cap-drop=no_such_cap" "--userns=maybe" "--network=maybe" \
        "--device=/no/such/device" "--device=/dev/null:xyz" "--seccomp=/no/such/file" "--env=novalue" \
        "--label=novalue" "--mount=nodestination" "--mount=/tmp:relative" "--hostname=bad name" \
        "--hostname=$(printf 'a%.0s' {1..80})"; do
        refused 2 "${option%%=*}" create x --image busybox "$option"
    done
    refused 2 "--time" stop --time soon x
    refused 2 "--signal" kill --signal 999 x
    refused 2 "--lines" logs -n -3 x
    all_refused
}

test_names() {
    local name
    need_image busybox
    refused 2 name create "" --image=busybox
    for name in . .. ../x a/b /etc -x .hidden "a b" "a"$'\n'"b" $'a\e[31m' 'ä' 'a*' "$(printf 'a%.0s' {1..64})" \
        "$(printf 'a%.0s' {1..300})"; do
        [[ $name == -* ]] || refused 2 name create "$name" --image=busybox
        refused 125 name run --image=busybox --name="$name" -- true
        refused 2 name destroy -- "$name"
        refused 2 name image import /dev/null --as="$name"
    done
    all_refused
}

# import_refused CODE TEXT FILE: not imported, in one line. 2: the archive is broken or evil; 1: it asks for
# something that is not there.
import_refused() {
    local before code=$1
    shift
    before=$(state_now)
    assert_refused "$code" "$1" warren image import "$2" --as hostile
    assert_eq "$(state_now)" "$before" "state after the import of $2"
    assert_eq "$(compgen -G "$WARREN_ROOT/images/.tmp-*" || :)" "" "what the import of $2 left"
}

test_broken_archives() {
    need_image busybox
    tar -C "$WARREN_ROOT/images/busybox/root" -cf "$TEST_DIR/whole.tar" .
    head -c 100000 "$TEST_DIR/whole.tar" >"$TEST_DIR/short.tar"
    import_refused 2 archive "$TEST_DIR/short.tar"
    gzip -c "$TEST_DIR/whole.tar" >"$TEST_DIR/whole.tar.gz"
    head -c 100000 "$TEST_DIR/whole.tar.gz" >"$TEST_DIR/short.tar.gz"
    import_refused 2 archive "$TEST_DIR/short.tar.gz"
    zstd -q "$TEST_DIR/whole.tar"
    head -c 100000 "$TEST_DIR/whole.tar.zst" >"$TEST_DIR/short.tar.zst"
    import_refused 2 archive "$TEST_DIR/short.tar.zst"
    : >"$TEST_DIR/empty.tar"
    import_refused 2 archive "$TEST_DIR/empty.tar"
    head -c 65536 /dev/urandom >"$TEST_DIR/noise"
    import_refused 2 archive "$TEST_DIR/noise"
    refused 1 no-such-file image import "$TEST_DIR/no-such-file" --as hostile
}

# tar_of FILE PERL: an archive of hand-made ustar headers; PERL calls entry(NAME, TYPE, LINK, CONTENT).
tar_of() {
    perl -e '
        sub entry {
            my ($name, $type, $link, $content, $size) = @_;
            $content //= ""; $size //= length $content;
            my $h = pack("a100 a8 a8 a8 a12 a12 a8 a1 a100 a6 a2 a32 a32 a8 a8 a155 x12", $name, "0000755", "0000000", "0000000",
                sprintf("%011o", $size), "00000000000", " " x 8, $type, $link // "", "ustar", "00", "root", "root", "0000001", "0000003", "");
            substr($h, 148, 8) = sprintf("%06o\0 ", unpack("%32C*", $h));
            print $h, $content, "\0" x (-length($content) % 512);
        }
        eval $ARGV[0]; die $@ if $@;
        print "\0" x 1024;' "$2" >"$1"
}

# What a hostile archive writes may be refused or land inside the image; never outside of it.
test_hostile_archives() {
    local name outside=$TEST_DIR/outside
    need_image busybox
    mkdir "$outside"
    tar_of "$TEST_DIR/dotdot.tar" 'entry("../../../../../../../../../..'"$outside"'/a", 0, "", "x")'
    tar_of "$TEST_DIR/inside-dotdot.tar" 'entry("bin/", 5); entry("bin/../../../../../../../../..'"$outside"'/a", 0, "", "x")'
    tar_of "$TEST_DIR/symlink-parent.tar" 'entry("out", 2, "'"$outside"'"); entry("out/a", 0, "", "x")'
    tar_of "$TEST_DIR/symlink-chain.tar" 'entry("one", 2, "two"); entry("two", 2, "../../../../../../../../..'"$outside"'"); entry("one/a", 0, "", "x")'
    tar_of "$TEST_DIR/hardlink.tar" 'entry("passwd", 1, "/etc/passwd"); entry("up", 1, "../../../../../../../../../etc/passwd")'
    tar_of "$TEST_DIR/hardlink-by-symlink.tar" 'entry("out", 2, "/etc"); entry("passwd", 1, "out/passwd")'
    for name in dotdot inside-dotdot symlink-parent symlink-chain hardlink-by-symlink; do
        import_refused 2 entry "$TEST_DIR/$name.tar"
        assert_eq "$(ls -A "$outside")" "" "what $name.tar wrote outside"
    done
    import_refused 1 entry "$TEST_DIR/hardlink.tar"
    # An absolute name is a name inside the image.
    tar_of "$TEST_DIR/absolute.tar" 'entry("'"$outside"'/a", 0, "", "x")'
    "$WARREN" image import "$TEST_DIR/absolute.tar" --as hostile >/dev/null 2>&1 && warren image rm hostile >/dev/null
    assert_eq "$(ls -A "$outside")" "" "what absolute.tar wrote outside"
}

test_archive_bombs() {
    need_image busybox
    # 10 TiB of zeros that are not there.
    tar_of "$TEST_DIR/big.tar" 'entry("big", 0, "", "", 077777777777)'
    import_refused 2 big "$TEST_DIR/big.tar"
    tar_of "$TEST_DIR/long.tar" 'entry("d/" x 40 . "e", 0, "", "x") for 1; my $n = "n" x 5000; entry("././@LongLink", "L", "", "$n\0"); entry("short", 0, "", "x")'
    import_refused 2 "path is longer" "$TEST_DIR/long.tar"
}

test_corrupt_record_is_set_aside() {
    local bad good
    need_image busybox
    bad=$(unique bad) good=$(unique good)
    warren run -d --name "$good" --image busybox -- /bin/sleep 86399 2>/dev/null
    warren create "$bad" --image busybox
    echo '{"schema_version": 1, "name":' >"$WARREN_ROOT/guests/$bad/guest.json"
    "$WARREN" list >"$TEST_DIR/list" 2>"$TEST_DIR/err" || :
    assert_match "$(cat "$TEST_DIR/list")" "$good +running" "list beside a corrupt record"
    assert_contains "$(cat "$TEST_DIR/list" "$TEST_DIR/err")" "$bad" "list names the corrupt record"
    warren exec "$good" true
    [ -n "$(ls "$WARREN_ROOT/corrupt")" ] || fail "the corrupt record was not set aside"
    assert_refused 1 "$bad" warren start "$bad"
    assert_refused 1 "$bad" warren inspect "$bad"
    assert_refused 1 "$bad" warren destroy "$bad"
    assert_exit 0 warren list --json
    assert_eq "$(jq -r --arg name "$bad" '.[] | select(.name == $name) | has("problem")' <<<"$OUT")" true
    assert_exit 0 warren destroy --force "$bad"
    assert_eq "$(warren list -q)" "$good"
    # Its name is free again.
    assert_exit 0 warren create "$bad" --image busybox
    assert_exit 0 warren destroy --force "$bad" "$good"
    rm -r "$WARREN_ROOT/corrupt"
}

test_corrupt_run_record() {
    local name kind
    need_image busybox
    name=$(unique run)
    for kind in '' '{' '[]' '{"schema_version": 1}' '{"schema_version": 1, "name": "other"}'; do
        assert_exit 0 warren run -d --name "$name" --image busybox -- /bin/sleep 86399
        printf '%s' "$kind" >"$WARREN_RUN/guests/$name.json"
        "$WARREN" list >/dev/null 2>&1 || :
        assert_exit 0 warren destroy --force "$name"
        assert_eq "$(warren list -q)" ""
    done
    rm -rf "$WARREN_ROOT/corrupt"
}

# What a damaged run record told of runs on. Start says what to do, and that works.
test_guest_whose_run_record_was_damaged() {
    local name pid
    need_image busybox
    name=$(unique damaged)
    assert_exit 0 warren create "$name" --image busybox -- /bin/sleep 86399
    assert_exit 0 warren start "$name"
    pid=$(warren inspect "$name" | jq .pid)
    echo '{' >"$WARREN_RUN/guests/$name.json"
    # The first to meet it sets it aside and says so.
    assert_refused 1 "$name" warren start "$name"
    assert_refused 1 "warren stop $name" warren start "$name"
    kill -0 "$pid" || fail "a refused start ended the guest"
    assert_refused 1 "warren stop $name" warren start "$name"
    assert_exit 0 warren stop "$name"
    wait_until is_gone "$pid"
    assert_exit 0 warren start "$name"
    pid=$(warren inspect "$name" | jq .pid)
    echo '{' >"$WARREN_RUN/guests/$name.json"
    "$WARREN" list >/dev/null 2>&1 || :
    assert_exit 0 warren destroy --force "$name"
    wait_until is_gone "$pid"
    rm -rf "$WARREN_ROOT/corrupt"
}

is_gone() {
    ! kill -0 "$1" 2>/dev/null
}

# in_mounts COMMAND...: in a mount namespace of its own, so that its mounts go with it.
in_mounts() {
    unshare -m --propagation private bash -euc "$1" in_mounts "${@:2}"
}

test_full_disk() {
    need_image busybox
    in_mounts '
        warren=$1 dir=$2 image=$3
        mkdir "$dir/root" && mount -t tmpfs -o size=3m tmpfs "$dir/root"
        w() { "$warren" --root "$dir/root" --run "$dir/run" "$@"; }
        status=0
        tar -C "$image" -cf - . | w image import - --as first || status=$?
        [ "$status" = 0 ] || { echo "the image does not fit"; exit 1; }
        w create kept --image first -- /bin/true
        dd if=/dev/zero of="$dir/root/filler" bs=4096 2>/dev/null || :
        status=0
        w create more --image first -- /bin/true 2>"$dir/err" || status=$?
        [ "$status" = 1 ] || { echo "create on a full disk exits $status"; exit 1; }
        [ "$(wc -l <"$dir/err")" = 1 ] || { cat "$dir/err"; exit 1; }
        grep -q "No space left on device" "$dir/err" || { cat "$dir/err"; exit 1; }
        [ "$(w list -q)" = kept ] || { echo "guests: $(w list -q)"; exit 1; }
        tar -C "$image" -cf - . | w image import - --as second 2>"$dir/err" && exit 1
        grep -q "No space left on device" "$dir/err" || { cat "$dir/err"; exit 1; }
        [ "$(w image list --json | jq length)" = 1 ] || { echo "half an image is left"; exit 1; }
        w start kept 2>"$dir/err" || status=$?
        rm "$dir/root/filler"
        w create more --image first -- /bin/true
        w destroy --force --all
        ' "$WARREN" "$TEST_DIR" "$WARREN_ROOT/images/busybox/root" >"$TEST_DIR/log" 2>&1 || fail "$(cat "$TEST_DIR/log")"
}

test_read_only_root() {
    need_image busybox
    in_mounts '
        warren=$1 dir=$2
        mkdir "$dir/root" && mount -t tmpfs -o size=32m tmpfs "$dir/root"
        w() { "$warren" --root "$dir/root" --run "$dir/run" "$@"; }
        w image build busybox
        w create kept --image busybox -- /bin/true
        mount -o remount,ro "$dir/root"
        for command in "create more --image busybox" "destroy kept" "set kept --label a=b" "image rm busybox" "image build busybox --as other"; do
            status=0
            w $command >"$dir/out" 2>"$dir/err" || status=$?
            [ "$status" = 1 ] || { echo "$command exits $status"; cat "$dir/err"; exit 1; }
            [ "$(wc -l <"$dir/err")" = 1 ] || { echo "$command:"; cat "$dir/err"; exit 1; }
            grep -q "Read-only file system" "$dir/err" || { cat "$dir/err"; exit 1; }
        done
        [ "$(w list -q)" = kept ] || { echo "guests: $(w list -q)"; exit 1; }
        mount -o remount,rw "$dir/root"
        w destroy kept
        ' "$WARREN" "$TEST_DIR" >"$TEST_DIR/log" 2>&1 || fail "$(cat "$TEST_DIR/log")"
}

as_nobody() {
    setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
}

test_not_root() {
    local verb program
    need_image busybox
    # Where somebody else may run it from.
    program=$(mktemp -d)
    chmod 755 "$program"
    cp "$WARREN" "$program/warren"
    for verb in "list" "create x --image busybox" "start x" "image list" "run --rm --image busybox -- true"; do
        local expected=1
        [[ $verb != run* ]] || expected=125
        # shellcheck disable=SC2086  # several words
        assert_refused "$expected" root as_nobody "$program/warren" $verb
    done
    assert_exit 0 as_nobody "$program/warren" help
    assert_exit 0 as_nobody "$program/warren" --version
    rm -r "$program"
}

# Somebody else's directories are not places to keep guests in.
test_wrong_directories() {
    need_image busybox
    : >"$TEST_DIR/file"
    assert_refused 1 "$TEST_DIR/file" warren --root "$TEST_DIR/file" create x --image busybox
    assert_refused 1 "$TEST_DIR/file" warren --run "$TEST_DIR/file" create x --image busybox
    assert_exit 0 warren --root "$TEST_DIR/nothing" list
    assert_refused 2 "no guest named x" warren --root "$TEST_DIR/nothing" start x
    [ ! -e "$TEST_DIR/nothing" ] || fail "list made a root"
}
