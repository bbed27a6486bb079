# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/../support/lib.sh"

# The lane's promises about the booted host, on which its other tests build.

test_controllers_are_v2() {
    need_controller cpu io memory pids
    assert_eq "$(awk '$3 == "cgroup"' /proc/mounts)" "" "v1 hierarchies"
}

test_scratch_is_ext4_with_project_quota() {
    assert_match "$(grep ' /scratch ' /proc/mounts)" 'ext4 .*prjquota'
}
