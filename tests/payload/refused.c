// Tries what a guest may not do, by system calls alone, and prints "name errno" for each: 0 where it was allowed.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static void tell(const char* name, long result) {
    printf("%s %s\n", name, result < 0 ? strerrorname_np(errno) : "0");
}

static int write_to(const char* path) {
    const int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    const long written = write(fd, "h", 1);
    close(fd);
    return written < 0 ? -1 : 0;
}

static int make_and_open(dev_t device, mode_t type) {
    unlink("/tmp/node");
    if (mknod("/tmp/node", type | 0600, device) != 0) {
        return -1;
    }
    const int fd = open("/tmp/node", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    unlink("/tmp/node");
    if (fd >= 0) {
        close(fd);
    }
    return fd < 0 ? -1 : 0;
}

int main(void) {
    char zeros[512] = {0};
    tell("bpf", syscall(SYS_bpf, 0, zeros, sizeof(zeros)));
    tell("init_module", syscall(SYS_init_module, zeros, sizeof(zeros), ""));
    tell("kexec_load", syscall(SYS_kexec_load, 0, 0, 0, 0));
    tell("perf_event_open", syscall(SYS_perf_event_open, zeros, 0, -1, -1, 0));
    tell("open_by_handle_at", syscall(SYS_open_by_handle_at, AT_FDCWD, zeros, O_RDONLY));
    tell("swapon", syscall(SYS_swapon, "/tmp", 0));
    tell("syslog", syscall(SYS_syslog, 3, zeros, sizeof(zeros)));
    tell("settimeofday", syscall(SYS_settimeofday, zeros, 0));
    tell("acct", syscall(SYS_acct, "/tmp/acct"));
    tell("unknown", syscall(100000));
    tell("packet_socket", socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
    tell("vsock", socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0));
    tell("disk", make_and_open(makedev(254, 0), S_IFBLK));
    tell("memory", make_and_open(makedev(1, 1), S_IFCHR));
    tell("kmsg", make_and_open(makedev(1, 11), S_IFCHR));
    tell("fuse", make_and_open(makedev(10, 229), S_IFCHR));
    tell("sysrq", write_to("/proc/sysrq-trigger"));
    tell("core_pattern", write_to("/proc/sys/kernel/core_pattern"));
    tell("modprobe", write_to("/proc/sys/kernel/modprobe"));
    tell("sysfs", write_to("/sys/kernel/profiling"));
    tell("mount_disk", mount("/dev/vda", "/mnt", "ext4", 0, ""));
    return 0;
}
