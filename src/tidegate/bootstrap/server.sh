# Makes a bare server ready. POSIX sh, run as root: sh -s -- USER AUTHORIZED_KEY SIGNER FIRST_PORT
# Prints one line for each step: "= kept", "+ changed", "! failed: why". Twice is as once.
set -u
user=$1 key=$2 signer=$3 first_port=$4
PATH="$PATH:/usr/sbin:/sbin"
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
kept() { printf '= %s\n' "$*"; }
changed() { printf '+ %s\n' "$*"; }
failed() { printf '! %s\n' "$*"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }
. /etc/os-release 2>/dev/null

# Writes stdin to a file unless it is there already; true when it changed something.
put() {
    new=$(cat; printf x)
    [ "$(cat "$1" 2>/dev/null; printf x)" = "$new" ] && return 1
    mkdir -p "${1%/*}"
    printf '%s' "${new%x}" >"$1.new" && mv "$1.new" "$1"
}

podman_is_old() {
    set -- $(podman --version 2>/dev/null | sed 's/[^0-9]*\([0-9]*\)\.\([0-9]*\).*/\1 \2/')
    [ $# -lt 2 ] || [ "$1" -lt 5 ] || { [ "$1" -eq 5 ] && [ "$2" -lt 4 ]; }
}

[ "$(id -u)" = 0 ] || failed "this needs root, and here is $(id -un)"
[ "$(cat /proc/1/comm)" = systemd ] || failed "this server does not run systemd"

# 1. Packages
if have apt-get; then
    wanted="podman crun netavark aardvark-dns passt uidmap nftables python3 dbus-user-session \
libpam-systemd ca-certificates catatonit openssh-client"
    missing=
    for package in $wanted; do
        dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
            missing="$missing $package"
    done
    if [ -n "$missing" ]; then
        log=$(apt-get update -q 2>&1) || failed "apt-get update: $(echo "$log" | tail -n 1)"
        candidate=$(apt-cache policy podman | sed -n 's/ *Candidate: \([0-9]*\.[0-9]*\).*/\1/p')
        case "$candidate" in
        "") failed "this distribution has no podman: ${PRETTY_NAME:-unknown}" ;;
        [0-4].* | 5.[0-3]) podman_is_old && failed "${PRETTY_NAME:-here} has Podman $candidate," \
            "and 5.4 is needed: use Debian 13, Ubuntu 25.04 or later" ;;
        esac
        log=$(apt-get install -y -q --no-install-recommends $missing 2>&1) ||
            failed "apt-get install: $(echo "$log" | grep -m 1 '^E:')"
        changed "installed$missing"
    else
        kept "packages"
    fi
elif have dnf; then
    wanted="podman crun netavark aardvark-dns passt shadow-utils nftables python3 \
dbus-daemon catatonit openssh-clients"
    missing=
    for package in $wanted; do rpm -q "$package" >/dev/null 2>&1 || missing="$missing $package"; done
    if [ -n "$missing" ]; then
        log=$(dnf install -y -q $missing 2>&1) || failed "dnf install: $(echo "$log" | tail -n 1)"
        changed "installed$missing"
    else
        kept "packages"
    fi
else
    failed "neither apt-get nor dnf is here: ${PRETTY_NAME:-unknown distribution}"
fi
podman_is_old && failed "Podman $(podman --version | sed 's/.* //') is here, and 5.4 is needed"

# 2. The user, its subordinate ids, its controllers, its lasting session
if id "$user" >/dev/null 2>&1; then
    kept "user $user"
else
    useradd --create-home --shell /bin/bash "$user" || failed "useradd $user"
    changed "made the user $user"
fi
[ "$(id -u "$user")" != 0 ] || failed "$user is root: containers need a user of their own"
home=$(getent passwd "$user" | cut -d: -f6)
group=$(id -gn "$user")
for kind in uid gid; do
    file=/etc/sub$kind
    if grep -q "^$user:" "$file" 2>/dev/null; then
        kept "sub${kind}s of $user"
        continue
    fi
    touch "$file"
    start=$(awk -F: 'BEGIN {n = 100000} $2 + $3 > n {n = $2 + $3} END {print n}' "$file")
    usermod "--add-sub${kind}s" "$start-$((start + 65535))" "$user" ||
        failed "usermod --add-sub${kind}s"
    changed "gave $user 65536 sub${kind}s from $start on"
done
# Before linger: the user's systemd learns what is delegated to it when it starts.
uid=$(id -u "$user")
if printf '[Service]\nDelegate=cpu cpuset io memory pids\n' |
    put /etc/systemd/system/user@.service.d/tidegate.conf; then
    systemctl daemon-reload || failed "systemctl daemon-reload"
    from=
    if systemctl --quiet is-active "user@$uid.service"; then
        if pgrep -u "$user" -x conmon >/dev/null; then
            from=", from the next restart of user@$uid on"
        else
            systemctl restart "user@$uid.service" || failed "systemctl restart user@$uid"
        fi
    fi
    changed "users' units may set limits (delegated controllers)$from"
else
    kept "delegated controllers"
fi
if [ -e "/var/lib/systemd/linger/$user" ]; then
    kept "linger"
else
    loginctl enable-linger "$user" || failed "loginctl enable-linger $user"
    changed "units of $user run without a login (linger)"
fi

# 3. The kernel and systemd: low ports, tun, no waiting, a lasting journal
if printf 'net.ipv4.ip_unprivileged_port_start = %s\n' "$first_port" |
    put /etc/sysctl.d/90-tidegate.conf; then
    changed "users may listen from port $first_port on"
else
    kept "ports"
fi
sysctl -q -p /etc/sysctl.d/90-tidegate.conf || failed "sysctl"
[ -e /dev/net/tun ] || modprobe tun 2>/dev/null
if printf 'z /dev/net/tun 0666 root root\n' | put /etc/tmpfiles.d/tidegate.conf; then
    printf 'tun\n' | put /etc/modules-load.d/tidegate.conf
    changed "users may open /dev/net/tun"
else
    kept "/dev/net/tun"
fi
systemd-tmpfiles --create /etc/tmpfiles.d/tidegate.conf || failed "systemd-tmpfiles"
reload=no
unit=podman-user-wait-network-online.service
if [ "$(readlink /etc/systemd/user/$unit 2>/dev/null)" = /dev/null ]; then
    kept "network wait"
else
    mkdir -p /etc/systemd/user
    ln -sfn /dev/null "/etc/systemd/user/$unit" || failed "masking $unit"
    reload=yes
    changed "masked $unit, which can hold units back for 90 s"
fi
if [ -d /var/log/journal ]; then
    kept "journal"
else
    mkdir -p /var/log/journal
    systemd-tmpfiles --create --prefix /var/log/journal
    journalctl --flush || failed "journalctl --flush"
    changed "the journal is kept on disk, so $user can read its own"
fi
if [ "$reload" = yes ]; then
    systemctl daemon-reload || failed "systemctl daemon-reload"
    systemctl start "user@$uid.service" || failed "systemctl start user@$uid"
fi

# 4. Who may log in, and whose releases count
# Written as the user: root follows no link that a user made in its own home.
add_line() { # FILE LINE WHAT
    if runuser -u "$user" -- grep -qxF -e "$2" "$1" 2>/dev/null; then
        kept "$3"
        return
    fi
    runuser -u "$user" -- sh -c \
        'umask 077 && mkdir -p "${1%/*}" && printf "%s\n" "$2" >>"$1" && chmod 600 "$1"' \
        sh "$1" "$2" || failed "cannot write $1"
    changed "$3"
}
add_line "$home/.ssh/authorized_keys" "$key" "the key of $user for SSH"
add_line "$home/.config/tidegate/allowed_signers" "deployer $signer" "the key that signs releases"
kept "ready"
