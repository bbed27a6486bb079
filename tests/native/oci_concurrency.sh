# shellcheck shell=bash
# shellcheck disable=SC2016  # what is in single quotes is for jq
. "$(dirname "${BASH_SOURCE[0]}")/../support/lib.sh"
. "$SUPPORT_DIR/bundles.sh"
. "$SUPPORT_DIR/stress.sh"

# is_answer VERB STATUS ERROR: of a container in other hands as well.
is_answer() {
    case $1:$2:$3 in
        *:0:) ;;
        *:'container "shared'?'" does not exist') ;;
        create:1:*" exists already") ;;
        # By a kill or a delete --force, which may reach it before the container's first process.
        create:1:"the process was killed by SIGKILL (out of memory, or killed from outside) before it was created") ;;
        exec:255:"the process was killed by SIGKILL (out of memory, or killed from outside) before its program ran") ;;
        start:1:*" is "*", not created" | start:1:*" ended before it was started" | start:1:"the process ended before its program ran") ;;
        exec:255:*" is "*", not running" | exec:255:*" ended while it was being entered" | exec:137:) ;;
        kill:1:*" is not running: container not running") ;;
        delete:1:*" is "*", not stopped: kill it first, or use --force") ;;
        *) return 1 ;;
    esac
}

# One verb on one container. What a container may keep open is no pipe: somebody would wait for its end.
one_command() {
    local id verb status=0 error
    id=shared$((RANDOM % 10))
    case $((RANDOM % 10)) in
        0 | 1) set -- create --bundle "$B" "$id" ;;
        2 | 3) set -- start "$id" ;;
        4 | 5) set -- exec "$id" true ;;
        6) set -- kill "$id" KILL ;;
        7) set -- delete --force "$id" ;;
        8) set -- delete "$id" ;;
        9) set -- state "$id" ;;
    esac
    verb=$1
    timeout -k 5 60 "$WARREN_OCI" --root "$WARREN_RUN/oci" "$@" >/dev/null 2>"$SHELL_FILES.err" </dev/null || status=$?
    error=$(<"$SHELL_FILES.err")
    answered "$status"
    is_answer "$verb" "$status" "${error#warren-oci: "$verb $id": }" || wrong "$verb: exit $status: $error"
}

test_fifty_shells_on_ten_containers() {
    local id
    new_bundle shared 'del(.linux.cgroupsPath)'
    program "$B" /bin/sleep 86399
    fifty_shells one_command
    # What list says is what is there.
    for id in $(oci list -q); do
        case $(status_of "$id") in
            running) assert_exit 0 oci exec "$id" true ;;
            created) assert_exit 0 oci start "$id" ;;
            stopped) assert_exit 0 oci delete "$id" && continue ;;
            *) fail "$id is $(status_of "$id") when nobody works on it" ;;
        esac
        assert_exit 0 oci delete --force "$id"
    done
    # shellcheck disable=SC2034  # for the next
    C=shared
    no_container_is_left "all of them"
}
