# shellcheck shell=bash
# shellcheck disable=SC2016  # what is in single quotes is for the container's shell
. "$(dirname "${BASH_SOURCE[0]}")/../support/lib.sh"
. "$SUPPORT_DIR/bundles.sh"

# AppArmor and SELinux, on hosts whose kernel has one of them on; and the refusals on hosts that have not.

has_lsm() {
    grep -qw "$1" /sys/kernel/security/lsm 2>/dev/null
}

# selinux_label: of this shell; nothing where SELinux is off or has no policy.
selinux_label() {
    if [ -e /sys/fs/selinux/enforce ]; then
        tr -d '\0' </proc/self/attr/current | sed 's/^kernel$//'
    fi
}

# new_secret_bundle NAME: a bundle with two files to be kept from a container, or not.
new_secret_bundle() {
    new_bundle "$1"
    echo hidden >"$B/rootfs/secret"
    echo plain >"$B/rootfs/plain"
}

need_apparmor() {
    has_lsm apparmor || skip "AppArmor is not on in this kernel"
    need_command apparmor_parser
}

# load_profile NAME: it forbids /secret, and is gone when the test ends.
load_profile() {
    PROFILE=$1
    printf 'profile %s flags=(attach_disconnected,mediate_deleted) {\n  file,\n  capability,\n  network,\n  signal,\n  ptrace,\n  deny /secret r,\n}\n' "$1" >"$TEST_DIR/profile"
    apparmor_parser --add --skip-cache --quiet "$TEST_DIR/profile"
    trap remove_profile EXIT
}

remove_profile() {
    apparmor_parser --remove --quiet "$TEST_DIR/profile"
}

test_apparmor_profile_confines_a_container() {
    need_apparmor
    new_secret_bundle confined
    load_profile "$C"
    program "$B" /bin/sh -c 'cat /proc/self/attr/current /plain; cat /secret'
    assert_exit 0 oci run --bundle "$B" "$C-free"
    assert_eq "$OUT" $'unconfined\nplain\nhidden'
    edit_config "$B" '.process.apparmorProfile = $name' --arg name "$PROFILE"
    assert_exit 1 oci run --bundle "$B" "$C"
    assert_eq "$OUT" "$PROFILE (enforce)"$'\nplain'
    assert_contains "$ERR" "Permission denied"
    # no_new_privs is on in this bundle; the profile is taken without it as well.
    edit_config "$B" '.process.noNewPrivileges = false'
    assert_exit 1 oci run --bundle "$B" "$C"
    assert_eq "$OUT" "$PROFILE (enforce)"$'\nplain'
}

test_apparmor_profile_of_exec() {
    need_apparmor
    new_secret_bundle exec
    load_profile "$C"
    sleeping "$B" "$C"
    assert_exit 0 oci exec "$C" cat /secret
    assert_exit 1 oci exec --apparmor "$PROFILE" "$C" cat /secret
    assert_exit 0 oci exec --apparmor "$PROFILE" "$C" cat /proc/self/attr/current
    assert_eq "$OUT" "$PROFILE (enforce)"
    assert_exit 0 oci exec --apparmor unconfined "$C" cat /proc/self/attr/current
    assert_eq "$OUT" unconfined
    assert_exit 0 oci delete --force "$C"
    # What the container has, its exec has.
    edit_config "$B" '.process.apparmorProfile = $name' --arg name "$PROFILE"
    sleeping "$B" "$C"
    assert_exit 1 oci exec "$C" cat /secret
    assert_exit 0 oci delete --force "$C"
}

test_apparmor_profile_that_is_not_loaded() {
    need_apparmor
    new_secret_bundle missing
    edit_config "$B" '.process.apparmorProfile = "no-such-profile"'
    assert_refused 1 '/process/apparmorProfile: AppArmor has no profile "no-such-profile" loaded' oci create --bundle "$B" "$C"
    assert_exit 1 oci state "$C"
    assert_eq "$(ls -A "$WARREN_RUN/oci")" "" "what is left"
    # The list does not tell of those in other namespaces: the kernel does, on start.
    edit_config "$B" '.process.apparmorProfile = ":no-such-namespace:no-such-profile"'
    assert_refused 1 /process/apparmorProfile oci run --bundle "$B" "$C"
    assert_eq "$(ls -A "$WARREN_RUN/oci")" "" "what is left"
}

test_selinux_label_is_taken() {
    local label
    label=$(selinux_label)
    [ -n "$label" ] || skip "SELinux is off, or without a policy"
    new_secret_bundle labelled
    program "$B" /bin/sh -c 'cat /proc/self/attr/current; echo; echo kept >/tmp/file && cat /tmp/file'
    edit_config "$B" '.process.selinuxLabel = $text | .linux.mountLabel = $text
        | .mounts += [{destination: "/tmp", type: "tmpfs", source: "tmpfs"}]' --arg text "$label"
    assert_exit 0 oci run --bundle "$B" "$C"
    assert_eq "$(tr -d '\0' <<<"$OUT")" "$label"$'\nkept'
    assert_eq "$("$WARREN_OCI" features | jq .linux.selinux.enabled)" true
}

test_without_selinux() {
    [ -z "$(selinux_label)" ] || skip "SELinux is on"
    new_secret_bundle plain
    program "$B" /bin/cat /plain
    edit_config "$B" '.process.selinuxLabel = "system_u:system_r:container_t:s0"'
    assert_refused 1 "/process/selinuxLabel: SELinux is not enabled on this host" oci create --bundle "$B" "$C"
    edit_config "$B" 'del(.process.selinuxLabel) | .linux.mountLabel = "system_u:object_r:container_file_t:s0"'
    assert_exit 0 oci --log "$TEST_DIR/log" run --bundle "$B" "$C"
    assert_eq "$OUT" plain
    assert_eq "$("$WARREN_OCI" features | jq .linux.selinux.enabled)" false
    assert_contains "$(<"$TEST_DIR/log")" "/linux/mountLabel: SELinux is not enabled on this host, nothing is labelled"
}

test_without_apparmor() {
    ! has_lsm apparmor || skip "AppArmor is on"
    new_secret_bundle plain
    program "$B" /bin/cat /plain
    edit_config "$B" '.process.apparmorProfile = "profile"'
    assert_refused 1 "/process/apparmorProfile: AppArmor is not enabled on this host" oci create --bundle "$B" "$C"
    edit_config "$B" '.process.apparmorProfile = "unconfined"'
    assert_exit 0 oci run --bundle "$B" "$C"
    assert_eq "$OUT" plain
}
