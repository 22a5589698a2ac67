# What a machine is and has, as lines "name<TAB>value". POSIX sh; changes nothing.
fact() { printf '%s\t%s\n' "$1" "$2"; }
have() { command -v "$1" >/dev/null 2>&1; }
version() { have "$1" && "$@" 2>/dev/null | sed -n 's/[^0-9]*\([0-9][0-9.]*\).*/\1/p' | head -n 1; }
PATH="$PATH:/usr/sbin:/sbin"
user=$(id -un)
uid=$(id -u)
. /etc/os-release 2>/dev/null

fact user "$user"
fact uid "$uid"
fact arch "$(uname -m)"
fact distribution "${ID:-unknown}"
fact release "${VERSION_ID:-}"
fact release_name "${PRETTY_NAME:-unknown}"
fact clock "$(date +%s)"
for name in ssh git podman buildah skopeo python3; do
    have "$name" && fact "path_$name" "$(command -v "$name")"
done
fact podman "$(version podman --version)"
fact buildah "$(version buildah --version)"
fact skopeo "$(version skopeo --version)"
fact git "$(version git --version)"
fact ssh "$(ssh -V 2>&1 | sed -n 's/OpenSSH_\([0-9.]*\).*/\1/p')"
fact python "$(version python3 --version)"
fact systemd "$(version systemctl --version)"
for name in crun pasta newuidmap; do have "$name" && fact "path_$name" "$(command -v "$name")"; done
for name in netavark aardvark-dns quadlet; do
    for place in /usr/lib/podman /usr/libexec/podman /usr/local/libexec/podman /usr/local/lib/podman
    do
        [ -x "$place/$name" ] && fact "path_$name" "$place/$name" && break
    done
done
fact init "$(cat /proc/1/comm 2>/dev/null)"
[ -e "/var/lib/systemd/linger/$user" ] && fact linger yes
fact subuid "$(grep -m 1 -E "^($user|$uid):" /etc/subuid 2>/dev/null)"
fact subgid "$(grep -m 1 -E "^($user|$uid):" /etc/subgid 2>/dev/null)"
fact first_port "$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start 2>/dev/null)"
[ -r /dev/net/tun ] && [ -w /dev/net/tun ] && fact tun yes
fact cgroup "$(stat -fc %T /sys/fs/cgroup 2>/dev/null)"
fact kernel_controllers "$(cat /sys/fs/cgroup/cgroup.controllers 2>/dev/null)"
fact controllers "$(cat "/sys/fs/cgroup/user.slice/user-$uid.slice/user@$uid.service/cgroup.controllers" 2>/dev/null)"
[ -S "/run/user/$uid/bus" ] && fact bus yes
[ -d /var/log/journal ] && fact journal yes
wait_unit=podman-user-wait-network-online.service
[ "$(readlink "/etc/systemd/user/$wait_unit" 2>/dev/null)" = /dev/null ] && fact wait_masked yes
[ -e "/usr/lib/systemd/user/$wait_unit" ] && fact wait_exists yes
fact disk_free "$(df -Pk "$HOME" 2>/dev/null | awk 'NR==2 {print $4}')"
fact signers "$(cut -d ' ' -f 2- "$HOME/.config/tidegate/allowed_signers" 2>/dev/null | tr '\n' ';')"
